"""A generation as a stream of events: blocks are generated, and written meanwhile.

Tiles are generated in one thread and written in another, so that a slow tile, a slow
disk or a large file never keep the stream from telling that it lives.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_superres.data.boxes import Box, Triple, cut_evenly
from napari_superres.data.volumes import Labels
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    PartAssembled,
    TileCompleted,
)
from napari_superres.generation.noise import NoiseField
from napari_superres.generation.renderer import Renderer
from napari_superres.writing.sink import Sink

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
    """Some tiles are done, or none yet; `labels` are there once their whole block is."""

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
        with one_thread("superres-renderer") as pool:
            for block in blocks:
                labels = np.empty(block.box.shape, np.uint8)
                for number, tile in enumerate(block.tiles, 1):
                    under_way = pool.submit(renderer.labels, tile, block.noise)
                    for _ in until_done(under_way):
                        yield Generated(0)
                    labels[tile.slices(block.box.start)] = under_way.result()
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
    GenerationStarted; TileCompleted for each tile, and at least once a second;
    PartAssembled while the file is put together; GenerationFinished
    """
    with closing(sink), _Writer(sink) as writer:
        cuts = {box: cut_evenly(box, tile) for box in set(sink.blocks)}  # realisations share them
        blocks = [
            Block(index, box, cuts[box], noises(index)) for index, box in enumerate(sink.blocks)
        ]
        tiles = sum(len(block.tiles) for block in blocks)
        left = [block for block in blocks if block.index not in sink.done]
        before = done = tiles - sum(len(block.tiles) for block in left)
        yield GenerationStarted(_shape(sink.blocks), tiles, done)
        began = time.monotonic()
        with closing(produce(left)) as produced:  # type: ignore[type-var]
            for part in () if _is_set(stop) else produced:
                done += part.tiles
                pace = (time.monotonic() - began) / max(done - before, 1)
                told = TileCompleted(done, tiles, pace * (tiles - done))
                if part.labels is not None:
                    for _ in writer.write(part.index, part.labels):
                        yield told
                yield told
                if _is_set(stop):
                    break
        for _ in writer.wait():
            yield TileCompleted(done, tiles, None)
        if done == tiles:
            yield from writer.finish(stop)
        if writer.finished is None:
            yield GenerationFinished(FinishReason.STOPPED)
        else:
            yield GenerationFinished(FinishReason.COMPLETED, *writer.finished)


def _is_set(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()


def _shape(blocks: Sequence[Box]) -> Triple:
    z, y, x = (
        max(block.stop[axis] for block in blocks) - min(block.start[axis] for block in blocks)
        for axis in range(3)
    )
    return z, y, x


class _Stopped(Exception):  # noqa: N818  nothing went wrong
    """Ends the assembling of a file on request."""


class _Writer:
    """Writes to a sink in a thread of its own; waiting for it is told by yielding.

    Attributes
    ----------
    finished : what the sink gave at the end, None before
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.finished: tuple[Labels | None, Path | None] | None = None
        self._thread = one_thread("superres-writer")
        self._closing = threading.Event()
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> _Writer:
        self._pool = self._thread.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._thread.__exit__(None, None, None)

    def write(self, index: int, labels: Labels) -> Iterator[None]:
        yield from self.wait(BLOCKS_WAITING - 1)
        self._waiting.append(self._pool.submit(self.sink.write, index, labels))

    def wait(self, leaving: int = 0) -> Iterator[None]:
        while len(self._waiting) > leaving:
            oldest = self._waiting.popleft()
            yield from until_done(oldest)
            oldest.result()

    def finish(self, stop: threading.Event | None) -> Iterator[PartAssembled]:
        """Complete the result; without `finished` after it, it was stopped."""
        latest = PartAssembled(0, 1)

        def assembled(done: int, parts: int) -> None:
            nonlocal latest
            latest = PartAssembled(done, parts)
            if _is_set(stop) or self._closing.is_set():
                raise _Stopped

        under_way = self._pool.submit(self.sink.finish, assembled)
        for _ in until_done(under_way):
            yield latest
        with suppress(_Stopped):
            self.finished = under_way.result()


HEARTBEAT_S = 0.5
"""Longest wait without a sign of life."""


@contextmanager
def one_thread(name: str) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of one thread; at the end what waits is cancelled, what runs is awaited."""
    pool = ThreadPoolExecutor(1, name)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def until_done(future: Future[Any]) -> Iterator[None]:
    """Yield whenever `HEARTBEAT_S` has passed without the result; ends when it is there."""
    while not wait([future], HEARTBEAT_S).done:
        yield
