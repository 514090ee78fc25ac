"""Streams a result to a TIFF file, in bounded memory and in any order of blocks.

Compressed TIFF pages must be written in order, blocks become ready by tiles: so
voxels first go to a plain file beside the output, and are compressed page by
page at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from napari_superres.data.boxes import Box, Triple, cut
from napari_superres.data.files.output import check_writable
from napari_superres.data.files.tiff import COMPRESSES, write_labels_tiff
from napari_superres.data.volumes import Labels
from napari_superres.writing.description import Description
from napari_superres.writing.journal import Journal, closed_on_error, writing
from napari_superres.writing.sink import Assembled

SIDE = 128
"""Voxels along z and y of a block, which is whole along x. It must not depend on the
memory that happens to be free: blocks are what an interrupted generation counts in."""


class TiffSink:
    """Writes blocks of whole rows to a plain file, and that to a TIFF.

    Parameters
    ----------
    output : the TIFF file
    result : box to write
    description : what the file says of itself

    Raises
    ------
    OutputError
        The place cannot be written, or has too little room.
    """

    def __init__(self, output: Path, result: Box, description: Description) -> None:
        self.output = output
        self.result = result
        self.description = description
        self.blocks: Sequence[Box] = cut(result, (SIDE, SIDE, result.shape[2]))
        check_writable(output)
        self._journal = Journal(output, description.record(blocks=f"{SIDE} of {result}"), "voxels")
        with closed_on_error(self._journal):
            self.done = self._journal.done()
            left = sum(block.size for i, block in enumerate(self.blocks) if i not in self.done)
            self.room = left + result.size // COMPRESSES
            self._journal.check_room(self.room)
            voxels = self._journal.folder / "voxels"
            with writing(output):
                voxels.touch()
                self._voxels = open(voxels, "r+b")  # noqa: SIM115

    def write(self, index: int, labels: Labels) -> None:
        """Write one block, plane by plane."""
        block = self.blocks[index].moved([-first for first in self.result.start])
        with writing(self.output):
            self._put(block.start, labels)
            self._journal.add(index)

    def _put(self, start: Triple, labels: Labels) -> None:
        _, rows, columns = self.result.shape
        for z, plane in enumerate(self.description.values[labels], start[0]):
            self._voxels.seek((z * rows + start[1]) * columns)
            self._voxels.write(plane.tobytes())
        self._voxels.flush()
        os.fsync(self._voxels.fileno())

    def finish(self, assembled: Assembled) -> tuple[Labels | None, Path | None]:
        """Compress the planes into the TIFF file and return its path."""
        planes = _Planes(self._journal.folder / "voxels", self.result.shape, assembled)
        write_labels_tiff(
            self.output,
            planes,  # type: ignore[arg-type]
            voxel_size=self.description.voxel_size,
            offset=self.description.offset,
            phases=self.description.phases,
            provenance=self.description.provenance,
        )
        self._voxels.close()
        self._journal.remove()
        return None, self.output

    def close(self) -> None:
        """Let go of the file; what is written stays."""
        with suppress(OSError):  # on a full disk, of what could not be written before
            self._voxels.close()
        self._journal.close()


class _Planes:
    """Planes of a plain file, one in memory at a time: an array as far as a writer asks."""

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, shape: Triple, assembled: Assembled) -> None:
        self.path = path
        self.shape = shape
        self.assembled = assembled
        self.size = shape[0] * shape[1] * shape[2]

    def __iter__(self) -> Iterator[Labels]:
        planes, rows, columns = self.shape
        with open(self.path, "rb") as file:
            for done in range(planes):
                self.assembled(done, planes)
                plane = file.read(rows * columns)
                yield np.frombuffer(plane, np.uint8).reshape(rows, columns)
