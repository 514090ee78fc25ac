"""Where generated blocks go: the seam between generating and writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from napari_superres.data.boxes import Box, Triple, cut_evenly
from napari_superres.data.files.output import TIFF, ZARR, format_bytes
from napari_superres.data.volumes import Labels
from napari_superres.errors import OutOfMemoryError, OutputError

Assembled = Callable[[int, int], None]
"""Called with how many parts of how many are put together; it raises to end that."""


class Sink(Protocol):
    """A place for a result, written block by block in any order.

    Attributes
    ----------
    blocks : boxes on the high-res grid that cover the result once
    done : indices of the blocks that an earlier, interrupted generation has written
    room : bytes that are about to be written to disk
    """

    blocks: Sequence[Box]
    done: frozenset[int]
    room: int

    def write(self, index: int, labels: Labels) -> None:
        """Write the phase indices of one block; called from one thread at a time."""
        ...

    def finish(self, assembled: Assembled) -> tuple[Labels | None, Path | None]:
        """Complete the result and return it, in memory or as a path.

        What `assembled` raises ends it; a later generation then finishes the rest.
        """
        ...

    def close(self) -> None:
        """Close files, finished or not; what is written stays for a later generation."""
        ...


class MemorySink:
    """Keeps the whole result in memory; an OutOfMemoryError where it does not fit."""

    def __init__(self, result: Box, tile: Triple) -> None:
        self.blocks: Sequence[Box] = cut_evenly(result, tile)
        self.done: frozenset[int] = frozenset()
        self.room = 0
        self.origin = result.start
        try:
            self.labels = np.zeros(result.shape, np.uint8)
        except MemoryError as error:
            raise OutOfMemoryError(
                f"The memory has no room for a result of {result.shape} voxels.",
                f"It needs {format_bytes(result.size)}.",
                "Write it to a file, or generate a region.",
            ) from error

    def write(self, index: int, labels: Labels) -> None:
        """Keep one block."""
        self.labels[self.blocks[index].slices(self.origin)] = labels

    def finish(self, assembled: Assembled) -> tuple[Labels | None, Path | None]:
        """Return the labels."""
        return self.labels, None

    def close(self) -> None:
        """Do nothing."""


def is_zarr(output: Path) -> bool:
    """Return whether an output is a .zarr folder, not a TIFF file; an OutputError if neither."""
    kind = output.suffix.lower()
    if kind not in (*TIFF, ZARR):
        raise OutputError(
            f"{output.name} names no known kind of file.",
            "A volume is written as .tif or .zarr.",
            f"Write for example {output.with_suffix('.tif').name}.",
        )
    return kind == ZARR
