"""Fill an OME-Zarr label pyramid block by block, all its levels at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_superres.data.boxes import Box, Triple
from napari_superres.data.files.ome_zarr import Array, create_pyramid, halved
from napari_superres.data.files.output import check_writable, refused, replace_folder
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, VoxelSize
from napari_superres.errors import ShapeError

SIDE = 128
COMPRESSES = 3  # labels shrink at least so much, all levels included


class Lazy(Protocol):
    """An array as far as it is read here: NumPy, dask, zarr, or one that computes its values."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        ...

    def __getitem__(self, key: Any) -> Any:
        """Return a part of it."""
        ...


def put_block(
    levels: Sequence[Array], start: Triple, indices: Labels, values: Labels, n_phases: int
) -> None:
    """Write one block and what becomes of it at the coarser levels.

    Parameters
    ----------
    levels : of the pyramid, finest first
    start : of the block, voxels of the finest level; a multiple of its side
    indices : (Z, Y, X) phase indices
    values : (n,) uint8, the label value of each phase index
    n_phases : number of phases; 0 for numbers, which are averaged
    """
    for level, array in enumerate(levels):
        if level:
            indices = halved(indices, n_phases)
            start = (start[0] // 2, start[1] // 2, start[2] // 2)
        array[Box.whole(indices.shape).moved(start).slices()] = values[indices]


def write_labels_zarr(
    path: Path,
    labels: Lazy,
    *,
    voxel_size: VoxelSize | None,
    offset: VoxelSize | None = None,
    phases: Sequence[Phase],
    provenance: Mapping[str, str] | None = None,
) -> None:
    """Write label values as an OME-Zarr pyramid, a block in memory at a time.

    Parameters
    ----------
    path : the .zarr folder; an earlier one is replaced only once the new one is whole
    labels : (Z, Y, X) uint8 label values, each that of a phase, or grey values
    voxel_size, offset : µm, zyx, or None
    phases : named in the metadata; none for grey values
    provenance : how the volume came to be, name : text

    Raises
    ------
    ShapeError
        Not three axes, or no voxels.
    OutputError
        The folder cannot be written, or something else is in its place.
    """
    if len(labels.shape) != 3 or 0 in labels.shape:
        raise ShapeError(f"The labels have shape {labels.shape}.", "Axes z, y, x are needed.")
    check_writable(path, int(np.prod(labels.shape)) // COMPRESSES)
    values = np.array([phase.value for phase in phases] or range(256), np.uint8)
    index_of = np.zeros(256, np.uint8)
    index_of[values] = np.arange(len(values), dtype=np.uint8)
    with (
        refused(path),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder,
    ):
        temporary = Path(folder) / path.name
        levels = create_pyramid(
            temporary,
            labels.shape,
            SIDE,
            voxel_size=voxel_size,
            offset=offset,
            phases=phases,
            provenance=provenance or {},
        )
        for z, y, x in product(*(range(0, size, SIDE) for size in labels.shape)):
            part = np.asarray(labels[z : z + SIDE, y : y + SIDE, x : x + SIDE])
            put_block(levels, (z, y, x), index_of[part], values, len(phases))
        replace_folder(temporary, path)
