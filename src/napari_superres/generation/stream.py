"""A generation as a stream of events: blocks are generated, then written meanwhile."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from napari_superres.data.boxes import Box, Triple
from napari_superres.data.volumes import Labels
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    TileCompleted,
)
from napari_superres.generation.noise import NoiseField
from napari_superres.generation.renderer import Renderer
from napari_superres.generation.sinks import Sink
from napari_superres.generation.tiles import cut_evenly

BLOCKS_WAITING = 2
"""Blocks that may wait to be written; more would only hide a slow disk, in memory."""


@dataclass(frozen=True)
class Progress:
    """Tiles done, and how long the others will take at the pace so far."""

    tiles: int
    before: int
    began: float

    def event(self, done: int) -> TileCompleted:
        """Return the event that `done` tiles, earlier ones included, are complete."""
        here = done - self.before
        pace = (time.monotonic() - self.began) / here if here else None
        return TileCompleted(done, self.tiles, pace and pace * (self.tiles - done))


def stream(
    renderer: Renderer,
    noise: NoiseField,
    sink: Sink,
    tile: Triple,
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Generate what is missing in a sink.

    Parameters
    ----------
    renderer, noise : the volume, and the realisation of it
    sink : where to; its blocks are cut into tiles of at most `tile` high-res voxels
    stop : set it to end after the current tile; what is written stays

    Yields
    ------
    GenerationStarted, TileCompleted for each tile, GenerationFinished
    """
    cuts = [cut_evenly(block, tile) for block in sink.blocks]
    done = sum(len(cuts[index]) for index in sink.done)
    progress = Progress(sum(map(len, cuts)), done, time.monotonic())
    with closing(sink), _Writer(sink) as writer:
        yield GenerationStarted(_shape(sink.blocks), progress.tiles, done)
        for index, block in enumerate(sink.blocks):
            if index in sink.done:
                continue
            labels = np.empty(block.shape, np.uint8)
            for box in cuts[index]:
                if stop is not None and stop.is_set():
                    writer.wait()
                    yield GenerationFinished(FinishReason.STOPPED)
                    return
                labels[box.slices(block.start)] = renderer.labels(box, noise)
                done += 1
                yield progress.event(done)
            writer.write(index, labels)
        writer.wait()
        result, path = sink.finish()
        yield GenerationFinished(FinishReason.COMPLETED, result, path)


def _shape(blocks: Sequence[Box]) -> Triple:
    z, y, x = (
        max(block.stop[axis] for block in blocks) - min(block.start[axis] for block in blocks)
        for axis in range(3)
    )
    return z, y, x


class _Writer:
    """Writes blocks in a thread of its own while the next are generated."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._pool = ThreadPoolExecutor(1, "superres-writer")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def write(self, index: int, labels: Labels) -> None:
        while len(self._waiting) >= BLOCKS_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self.sink.write, index, labels))

    def wait(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()
