"""Streams a result to a plain file of voxels, in bounded memory and in any order of blocks.

Compressed TIFF pages must be written in order, and blocks of a pyramid span many slices,
while blocks become ready tile by tile or slice by slice. So voxels first go to a plain file
beside the output, which becomes a TIFF file or an OME-Zarr pyramid at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from napari_superres.data.boxes import Box, Triple, cut
from napari_superres.data.files.ome_zarr import write_labels_zarr
from napari_superres.data.files.output import check_writable
from napari_superres.data.files.tiff import COMPRESSES, write_labels_tiff
from napari_superres.data.volumes import Labels
from napari_superres.writing.description import Description
from napari_superres.writing.journal import Journal, on_error, writing
from napari_superres.writing.sink import Assembled, is_zarr

SIDE = 128
"""Voxels along z and y of a block, which is whole along x. It must not depend on the
memory that happens to be free: blocks are what an interrupted generation counts in."""


class PlainSink:
    """Writes blocks to a plain file, and that to a TIFF file or a pyramid.

    Parameters
    ----------
    output : the .tif file or .zarr folder
    result : box to write, in high-res voxels
    description : what the output says of itself
    block : shape of a block; None for whole rows, which are fast to write

    Raises
    ------
    OutputError
        The place cannot be written, has too little room, or holds something else.
    """

    def __init__(
        self, output: Path, result: Box, description: Description, block: Triple | None = None
    ) -> None:
        self.output = output
        self.result = result
        self.description = description
        self.blocks: Sequence[Box] = cut(result, block or (SIDE, SIDE, result.shape[2]))
        check_writable(output)
        record = description.record(blocks=f"{block or SIDE} of {result}")
        self._journal = Journal(output, record, "voxels")
        with on_error(self._journal.close):
            self.done = self._journal.done()
            left = sum(block.size for i, block in enumerate(self.blocks) if i not in self.done)
            self.room = left + result.size // (COMPRESSES if description.phases else 1)
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
        whole_rows = labels.shape[2] == columns
        for z, plane in enumerate(self.description.values[labels], start[0]):
            for y, part in enumerate([plane] if whole_rows else plane, start[1]):
                self._voxels.seek((z * rows + y) * columns + start[2])
                self._voxels.write(part.tobytes())
        self._voxels.flush()
        os.fsync(self._voxels.fileno())

    def finish(self, assembled: Assembled) -> tuple[Labels | None, Path | None]:
        """Make the output of the plain file and return its path."""
        write = write_labels_zarr if is_zarr(self.output) else write_labels_tiff
        voxels = _Voxels(self._journal.folder / "voxels", self.result.shape, assembled)
        write(
            self.output,
            voxels,  # type: ignore[arg-type]
            voxel_size=self.description.voxel_size,
            offset=self.description.offset,
            phases=self.description.phases,
            provenance=self.description.provenance,
        )
        self._voxels.close()
        self._journal.remove()
        return None, self.output

    def close(self) -> None:
        """Close the file; what is written stays, to be continued."""
        with suppress(OSError):  # on a full disk, of what could not be written before
            self._voxels.close()
        self._journal.close(keep=bool(self._journal.done()))


class _Voxels:
    """Voxels of a plain file, read as a writer asks for them: plane by plane, or in blocks."""

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, shape: Triple, assembled: Assembled) -> None:
        self.path = path
        self.shape = shape
        self.assembled = assembled
        self.size = shape[0] * shape[1] * shape[2]
        self._read = 0

    def __iter__(self) -> Iterator[Labels]:
        planes, rows, columns = self.shape
        with open(self.path, "rb") as file:
            for done in range(planes):
                self.assembled(done, planes)
                plane = file.read(rows * columns)
                yield np.frombuffer(plane, np.uint8).reshape(rows, columns)

    def __getitem__(self, block: tuple[slice, slice, slice]) -> Labels:
        self.assembled(self._read, self.size)
        (z, z_end, _), (y, y_end, _), (x, x_end, _) = (
            part.indices(size) for part, size in zip(block, self.shape, strict=True)
        )
        _, rows, columns = self.shape
        found = np.empty((z_end - z, y_end - y, x_end - x), np.uint8)
        with open(self.path, "rb") as file:
            for number in range(z, z_end):
                file.seek((number * rows + y) * columns)
                band = np.frombuffer(file.read((y_end - y) * columns), np.uint8)
                found[number - z] = band.reshape(-1, columns)[:, x:x_end]
        self._read += found.size
        return found
