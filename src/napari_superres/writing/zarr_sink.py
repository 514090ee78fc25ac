"""Streams a result to OME-Zarr: every block brings its own part of each level."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_superres.data.boxes import Box, Triple, cut
from napari_superres.data.files.ome_zarr import COMPRESSES, create_pyramid, put_block
from napari_superres.data.files.output import check_writable, replace_folder, sync
from napari_superres.data.volumes import Labels
from napari_superres.writing.description import Description
from napari_superres.writing.journal import Journal, on_error, writing
from napari_superres.writing.sink import Assembled

SIDES = (128, 256)
"""Side of a block in a result below and from `LARGE` voxels: small ones start early,
large ones make few files."""
LARGE = 512


class ZarrSink:
    """Writes cubes to a label pyramid beside the output, which it becomes; see `PlainSink`."""

    def __init__(self, output: Path, result: Box, description: Description) -> None:
        self.output = output
        self.result = result
        self.description = description
        self._side = side = SIDES[max(result.shape) >= LARGE]
        self.blocks: Sequence[Box] = cut(result, (side,) * 3)
        check_writable(output)
        record = description.record(blocks=f"{side} of {result}")
        self._journal = Journal(output, record, output.name)
        with on_error(self._journal.close):
            self.done = self._journal.done()
            left = sum(block.size for i, block in enumerate(self.blocks) if i not in self.done)
            self.room = left // COMPRESSES
            self._journal.check_room(self.room)
            with writing(output):
                self._levels = create_pyramid(
                    self._store,
                    result.shape,
                    side,
                    voxel_size=description.voxel_size,
                    offset=description.offset,
                    phases=description.phases,
                    provenance=description.provenance,
                )
                for folder in (self._store, *self._level_folders()):
                    sync(folder / "zarr.json")

    @property
    def _store(self) -> Path:
        return self._journal.folder / self.output.name

    def _level_folders(self) -> list[Path]:
        return [self._store / str(level) for level in range(len(self._levels))]

    def write(self, index: int, labels: Labels) -> None:
        """Write one block and what becomes of it at the coarser levels."""
        block = self.blocks[index].moved([-first for first in self.result.start])
        with writing(self.output):
            self._put(block.start, labels)
            self._journal.add(index)

    def _put(self, start: Triple, labels: Labels) -> None:
        description = self.description
        put_block(self._levels, start, labels, description.values, len(description.phases))
        # each level has one file a block, or none where all of it is 0
        place = [str(first // self._side) for first in start]
        for folder in self._level_folders():
            file = folder.joinpath("c", *place)
            if file.exists():
                sync(file)

    def finish(self, assembled: Assembled) -> tuple[Labels | None, Path | None]:
        """Put the pyramid in its place and return its path."""
        with writing(self.output):
            replace_folder(self._store, self.output)
        self._journal.remove()
        return None, self.output

    def close(self) -> None:
        """Release the lock; zarr keeps no file open."""
        self._journal.close()
