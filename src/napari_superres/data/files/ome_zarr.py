"""OME-Zarr label volumes: multiscale, NGFF 0.5 on zarr 3, with phases and provenance.

The NGFF metadata are written here, not by a library: the one there is pins
other packages down. Level k has half the voxels of level k − 1 along each axis,
each the most frequent label of eight, ties to the lowest.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec

from napari_superres.data.boxes import Box, Triple
from napari_superres.data.files.output import check_writable, refused, replace_folder
from napari_superres.data.files.reading import check_fits, check_regular_below
from napari_superres.data.files.tiff_metadata import DOCUMENT_KEY, document, read_document
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, VoxelSize, is_length
from napari_superres.errors import FileError, ShapeError

if TYPE_CHECKING:
    Array = zarr.Array[Any]
else:
    Array = zarr.Array  # early releases of zarr 3 do not subscript it

SIDE = 128
"""Voxels of the cubes that a volume is written by."""
COMPRESSES = 3  # labels shrink at least so much, all levels included
INNER_CHUNK = 64
COARSEST = 256
"""Levels are added until the longest side has at most so many voxels."""

MICROMETRES = {
    "micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3, "angstrom": 1e-4, "meter": 1e6,
}  # fmt: skip

_READ_ERRORS = (
    OSError, KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError,
    OverflowError, MemoryError, RecursionError, NotImplementedError, AssertionError,
)  # fmt: skip


class Lazy(Protocol):
    """An array as far as it is read here: NumPy, dask, zarr, or one that computes its values."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        ...

    def __getitem__(self, key: Any) -> Any:
        """Return a part of it."""
        ...


@dataclass(frozen=True, eq=False)
class LabelsPyramid:
    """An OME-Zarr label volume on disk, opened lazily.

    Attributes
    ----------
    levels : finest first; (Z, Y, X) zarr arrays of label values
    voxel_size : µm along z, y, x of the finest level; None when unknown
    offset : µm of the first voxel's centre along z, y, x; None when unknown
    phases : with names and colours, when this package wrote the volume
    provenance : how it came to be, when this package wrote it
    """

    levels: tuple[Array, ...]
    voxel_size: VoxelSize | None = None
    offset: VoxelSize | None = None
    phases: tuple[Phase, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def create_pyramid(
    path: Path,
    shape: Sequence[int],
    block: int,
    *,
    voxel_size: VoxelSize | None,
    offset: VoxelSize | None,
    phases: Sequence[Phase],
    provenance: Mapping[str, str],
) -> tuple[Array, ...]:
    """Create an empty label pyramid, or open the one that is there.

    Parameters
    ----------
    path : the .zarr folder
    shape : voxels of the finest level, zyx
    block : side of the cubes it will be written by, a power of two; level k is
        sharded by cubes of block / 2ᵏ so that blocks never share a file
    voxel_size, offset : µm, zyx
    phases, provenance : kept as metadata

    Returns
    -------
    The levels, finest first
    """
    group = zarr.open_group(path, mode="a", zarr_format=3)
    shapes = level_shapes(shape, block)
    if "ome" not in group.attrs:  # written last: without it, the creation was interrupted
        for level, size in enumerate(shapes):
            side = block >> level
            inner = min(side, INNER_CHUNK)
            group.create_array(
                str(level),
                shape=size,
                dtype=np.uint8,
                chunks=(inner,) * 3,
                shards=(side,) * 3 if side > inner else None,
                compressors=[ZstdCodec(level=3)],
                fill_value=0,
                dimension_names=("z", "y", "x"),
                overwrite=True,
            )
        metadata = ngff_metadata(path.stem, len(shapes), voxel_size, offset, phases)
        own: Any = document(phases, provenance)
        group.attrs.put({DOCUMENT_KEY: own, "ome": metadata})
    return tuple(group[str(level)] for level in range(len(shapes)))  # type: ignore[misc]


def level_shapes(shape: Sequence[int], block: int) -> list[tuple[int, int, int]]:
    """Return the shapes of the levels of a pyramid, finest first."""
    z, y, x = shape
    shapes = [(z, y, x)]
    while max(shapes[-1]) > COARSEST and block >> len(shapes) >= 8:
        z, y, x = (math.ceil(size / 2) for size in shapes[-1])
        shapes.append((z, y, x))
    return shapes


def ngff_metadata(
    name: str,
    levels: int,
    voxel_size: VoxelSize | None,
    offset: VoxelSize | None,
    phases: Sequence[Phase],
) -> dict[str, Any]:
    """Return the "ome" attribute of NGFF 0.5; without a voxel size lengths have no unit."""
    size = voxel_size or (1.0, 1.0, 1.0)
    start = offset or (0.0, 0.0, 0.0)
    unit = {"unit": "micrometer"} if voxel_size else {}
    datasets = []
    for level in range(levels):
        ratio = 2**level
        scale = [ratio * s for s in size]
        shift = [o + (ratio - 1) / 2 * s for o, s in zip(start, size, strict=True)]
        transformations = [
            {"type": "scale", "scale": scale},
            {"type": "translation", "translation": shift},
        ]
        datasets.append({"path": str(level), "coordinateTransformations": transformations})
    coloured = [phase for phase in phases if len(phase.colour) == 7]
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": name,
                "axes": [{"name": axis, "type": "space", **unit} for axis in "zyx"],
                "datasets": datasets,
                "type": "mode",
            }
        ],
        "image-label": {
            "colors": [
                {"label-value": phase.value, "rgba": [*bytes.fromhex(phase.colour[1:]), 255]}
                for phase in coloured
            ],
            "properties": [{"label-value": phase.value, "name": phase.name} for phase in phases],
        },
    }


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


def halved(labels: Labels, n_phases: int) -> Labels:
    """Return the most frequent phase index of each 2³ voxels, ties to the lowest.

    Parameters
    ----------
    labels : (Z, Y, X) phase indices; odd sizes are completed by their last voxels
    n_phases : number of phases; 0 for numbers, which are averaged
    """
    odd = [(0, size % 2) for size in labels.shape]
    padded = np.pad(labels, odd, mode="edge")
    if not n_phases:
        z, y, x = padded.shape
        eight = padded.reshape(z // 2, 2, y // 2, 2, x // 2, 2)
        mean: Labels = np.round(eight.mean((1, 3, 5), dtype=np.float32)).astype(np.uint8)
        return mean
    most = np.zeros([size // 2 for size in padded.shape], np.uint8)
    result = np.zeros(most.shape, np.uint8)
    for phase in range(n_phases):
        is_phase = (padded == phase).view(np.uint8)
        count = is_phase[::2] + is_phase[1::2]
        count = count[:, ::2] + count[:, 1::2]
        count = count[:, :, ::2] + count[:, :, 1::2]
        result[count > most] = phase
        np.maximum(most, count, out=most)
    return result


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


def open_pyramid(path: str | Path) -> LabelsPyramid:
    """Open an OME-Zarr volume.

    Raises
    ------
    FileError
        Not a zarr folder, or without OME's multiscale metadata of three axes.
    """
    try:
        check_regular_below(Path(path))
        group = zarr.open_group(path, mode="r")
        attributes = dict(group.attrs)
        ome: Any = attributes.get("ome", attributes)
        multiscale = ome["multiscales"][0]
        levels = tuple(group[dataset["path"]] for dataset in multiscale["datasets"])
        axes = multiscale["axes"]
        if len(axes) != 3 or any(level.ndim != 3 for level in levels):  # type: ignore[union-attr]
            raise ValueError(f"{len(axes)} axes")
        voxel_size, offset = lengths(multiscale)
    except _READ_ERRORS as error:
        raise FileError(
            f"{Path(path).name} is no OME-Zarr volume that can be read ({error}).",
            "A .zarr folder with multiscale metadata and the axes z, y, x is needed.",
            "Save it as OME-Zarr or TIFF.",
        ) from error
    phases, provenance = read_document(attributes.get(DOCUMENT_KEY))
    return LabelsPyramid(levels, voxel_size, offset, phases, provenance)  # type: ignore[arg-type]


def read_whole(name: str, level: Array) -> NDArray[np.generic]:
    """Return all voxels of a level; FileError where a part is damaged, or they do not fit."""
    check_fits(name, level.shape, level.dtype.itemsize)
    try:
        return np.asarray(level[:])
    except _READ_ERRORS as error:
        raise FileError(
            f"{name} is damaged: a part of it cannot be read ({error}).",
            "A whole OME-Zarr volume is needed.",
            "Copy or export it again.",
        ) from error


def lengths(multiscale: Mapping[str, Any]) -> tuple[VoxelSize | None, VoxelSize | None]:
    """Return voxel size and offset of the finest level in µm, zyx.

    Both are None where an axis has no unit of length, or a voxel no size. An entry that
    is not as NGFF has it raises KeyError, ValueError, TypeError or AttributeError.

    Parameters
    ----------
    multiscale : an entry of NGFF's ``multiscales``, of three axes
    """
    units = [MICROMETRES.get(str(axis.get("unit"))) for axis in multiscale["axes"]]
    if any(unit is None for unit in units):
        return None, None
    found = {item["type"]: item for item in multiscale["datasets"][0]["coordinateTransformations"]}
    size = _three(found["scale"]["scale"])
    start = _three(found["translation"]["translation"]) if "translation" in found else np.zeros(3)
    for item in multiscale.get("coordinateTransformations") or ():  # these hold for all levels
        if item["type"] == "scale":
            factor = _three(item["scale"])
            with np.errstate(all="ignore"):
                size, start = size * factor, start * factor
        elif item["type"] == "translation":
            start = start + _three(item["translation"])
    unit = np.array(units, float)
    size, start = size * unit, start * unit
    if not np.isfinite(start).all() or not all(map(is_length, size)):
        return None, None
    return _triple(size), _triple(start)


def _three(values: Any) -> NDArray[np.float64]:
    z, y, x = (float(value) for value in values)
    return np.array([z, y, x])


def _triple(values: NDArray[np.float64]) -> VoxelSize:
    z, y, x = values.tolist()
    return z, y, x
