"""A generation as a stream of events: blocks are generated, then written meanwhile."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

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
class Block:
    """A block to generate.

    Attributes
    ----------
    index : in its sink
    box : on the high-res grid
    tiles : it is cut into
    noise : realisation
    """

    index: int
    box: Box
    tiles: Sequence[Box]
    noise: NoiseField


@dataclass(frozen=True)
class Generated:
    """Some tiles are done; `labels` are there once their whole block is."""

    tiles: int
    index: int = -1
    labels: Labels | None = None


Producer = Callable[[Sequence[Block]], Iterator[Generated]]
"""Generates blocks in any order, yielding often enough to be stopped between tiles."""


class Noises(Protocol):
    """Gives the noise of each block of a sink."""

    def __call__(self, index: int) -> NoiseField:
        """Return the noise of block `index`."""
        ...


def in_this_process(renderer: Renderer) -> Producer:
    """Return the producer that generates tile by tile here."""

    def produce(blocks: Sequence[Block]) -> Iterator[Generated]:
        for block in blocks:
            labels = np.empty(block.box.shape, np.uint8)
            for number, tile in enumerate(block.tiles, 1):
                labels[tile.slices(block.box.start)] = renderer.labels(tile, block.noise)
                if number < len(block.tiles):
                    yield Generated(1)
            yield Generated(1, block.index, labels)

    return produce


def stream(
    produce: Producer,
    noises: Noises,
    sink: Sink,
    tile: Triple,
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Generate what is missing in a sink.

    Parameters
    ----------
    produce : generates blocks
    noises : the noise of each block
    sink : where to; its blocks are cut into tiles of at most `tile` high-res voxels
    stop : set it to end after the current tile; what is written stays

    Yields
    ------
    GenerationStarted, TileCompleted for each tile, GenerationFinished
    """
    with closing(sink), _Writer(sink) as writer:
        blocks = [
            Block(index, box, cut_evenly(box, tile), noises(index))
            for index, box in enumerate(sink.blocks)
        ]
        tiles = sum(len(block.tiles) for block in blocks)
        left = [block for block in blocks if block.index not in sink.done]
        before = done = tiles - sum(len(block.tiles) for block in left)
        yield GenerationStarted(_shape(sink.blocks), tiles, done)
        began = time.monotonic()
        with closing(produce(left)) as produced:  # type: ignore[type-var]
            for part in () if _is_set(stop) else produced:
                done += part.tiles
                if part.labels is not None:
                    writer.write(part.index, part.labels)
                pace = (time.monotonic() - began) / max(done - before, 1)
                yield TileCompleted(done, tiles, pace * (tiles - done))
                if _is_set(stop):
                    break
        writer.wait()
        if done < tiles:
            yield GenerationFinished(FinishReason.STOPPED)
            return
        result, path = sink.finish()
        yield GenerationFinished(FinishReason.COMPLETED, result, path)


def _is_set(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()


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
