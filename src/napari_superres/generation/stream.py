"""A generation as a stream of events: blocks are generated and written at the same time.

Tiles are generated in one thread and written in another, so that events keep coming,
however slow a tile or a disk is, or large a file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from napari_superres.data.boxes import Box, Triple, cut_evenly
from napari_superres.data.volumes import Labels
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    TileCompleted,
)
from napari_superres.generation.job import Draw
from napari_superres.generation.renderer import Renderer
from napari_superres.writing.sink import Sink
from napari_superres.writing.writer import BackgroundWriter, is_set, one_thread, until_done


@dataclass(frozen=True)
class Block:
    """A block to generate.

    Attributes
    ----------
    index : in its sink
    box : on the high-res grid
    tiles : it is cut into
    draw : realisation
    """

    index: int
    box: Box
    tiles: Sequence[Box]
    draw: Draw


@dataclass(frozen=True)
class Generated:
    """How many more tiles are done; with the last tile of a block, its labels."""

    tiles: int
    index: int = -1
    labels: Labels | None = None


Producer = Callable[[Sequence[Block]], Iterator[Generated]]
"""Generates blocks in any order, yielding at least every `HEARTBEAT_S`."""

DrawOf = Callable[[int], Draw]
"""Returns the realisation that a block of a sink belongs to, by the block's index."""


def stream(
    produce: Producer,
    draw_of: DrawOf,
    sink: Sink,
    tile: Triple,
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Generate the blocks that a sink does not have yet, and write them.

    Blocks are cut into tiles of at most `tile` high-res voxels. When `stop` is set it ends after
    the current tile; what is written stays.

    Yields
    ------
    GenerationStarted; TileCompleted for each tile, and at least every `HEARTBEAT_S`;
    PartAssembled while the file is assembled; GenerationFinished
    """
    with closing(sink), BackgroundWriter(sink) as writer:
        cuts = {box: cut_evenly(box, tile) for box in set(sink.blocks)}  # realisations share them
        blocks = [
            Block(index, box, cuts[box], draw_of(index)) for index, box in enumerate(sink.blocks)
        ]
        tiles = sum(len(block.tiles) for block in blocks)
        left = [block for block in blocks if block.index not in sink.done]
        before = done = tiles - sum(len(block.tiles) for block in left)
        yield GenerationStarted(_shape(sink.blocks), tiles, done)
        began = time.monotonic()
        with closing(produce(left)) as produced:  # type: ignore[type-var]
            for part in () if is_set(stop) else produced:
                done += part.tiles
                pace = (time.monotonic() - began) / max(done - before, 1)
                progress = TileCompleted(done, tiles, pace * (tiles - done))
                if part.labels is not None:
                    for _ in writer.write(part.index, part.labels):
                        yield progress
                yield progress
                if is_set(stop):
                    break
        for _ in writer.wait():
            yield TileCompleted(done, tiles, None)
        if done == tiles:
            yield from writer.finish(stop)
        if writer.finished is None:
            yield GenerationFinished(FinishReason.STOPPED)
        else:
            yield GenerationFinished(FinishReason.COMPLETED, *writer.finished)


def in_this_process(renderer: Renderer) -> Producer:
    """Return the producer that generates tile by tile here."""

    def produce(blocks: Sequence[Block]) -> Iterator[Generated]:
        with one_thread("superres-renderer") as pool:
            for block in blocks:
                labels = np.empty(block.box.shape, np.uint8)
                for number, tile in enumerate(block.tiles, 1):
                    running = pool.submit(renderer.labels, tile, *block.draw)
                    for _ in until_done(running):
                        yield Generated(0)
                    labels[tile.slices(block.box.start)] = running.result()
                    if number < len(block.tiles):
                        yield Generated(1)
                yield Generated(1, block.index, labels)

    return produce


def _shape(blocks: Sequence[Box]) -> Triple:
    z, y, x = (
        max(block.stop[axis] for block in blocks) - min(block.start[axis] for block in blocks)
        for axis in range(3)
    )
    return z, y, x
