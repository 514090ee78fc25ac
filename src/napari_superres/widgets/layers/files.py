"""Files of this project as layers, for File › Open and for the panel; no Qt.

TIFF files are read into memory. OME-Zarr volumes stay on disk: their levels are dask
arrays that are read, and turned into shown labels, where the viewer looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.files.ome_zarr import LabelsPyramid, open_pyramid
from napari_superres.data.files.tiff import read_tiff, read_tiff_metadata
from napari_superres.data.files.tiff_metadata import TiffMetadata
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import InputError, PhaseError, SettingsError, SuperResError
from napari_superres.scale_factor import parse_scale_factor
from napari_superres.widgets.layers.data import finest
from napari_superres.widgets.layers.notes import KEY, SUPER_RES, note_of
from napari_superres.widgets.layers.placement import AXES, first_voxel_in_low_res
from napari_superres.widgets.layers.shown import LayerTuple, placed_by, shown_layer, with_path

Metadata = TiffMetadata | LabelsPyramid
Levels = Sequence[Any]

SHOWS, SCALE_FACTOR, BORDER, BOX, ROLE = "shows", "scale factor", "border dropped", "box", "role"
"""Keys of the provenance that layers are made from."""
PLACED = "placed"
"""Key of the provenance for scale and translate in units that are no lengths."""
VOXELS = "high-res voxels zyx"
"""Key of the provenance for the part of the whole result that a generated file holds."""

MAPS = ("agreement", "entropy")
"""Maps of realisations, in per cent: images, not labels."""


def is_ours(path: str | Path) -> bool:
    """Whether a file is a TIFF or OME-Zarr volume that this project wrote."""
    try:
        metadata = metadata_of(Path(path))
    except InputError:
        return False
    return bool(metadata.phases) or metadata.provenance.get(SHOWS) in MAPS


def metadata_of(path: Path) -> Metadata:
    """Return what a file holds besides its voxels."""
    return open_pyramid(path) if path.suffix.lower() == ".zarr" else read_tiff_metadata(path)


def read_result(path: str | Path) -> LayerTuple:
    """Return the layer of a file; InputError where it is damaged or a label has no phase."""
    file = Path(path)
    if file.suffix.lower() == ".zarr":
        pyramid = open_pyramid(file)
        return with_path(_layer(lazy_levels(pyramid), pyramid, file.stem), file)
    array, metadata = read_tiff(file)
    name = file.name.removesuffix(file.suffix).removesuffix(".ome")
    return with_path(_layer([array], metadata, name), file)


def check_not_shown(layers: Iterable[Any], places: Iterable[Path | None]) -> None:
    """Raise where a layer reads from a file that is about to be written.

    Parameters
    ----------
    places : files, or folders of files, to be written; None for memory

    Raises
    ------
    SettingsError
        A layer reads from one of them where the viewer looks.
    """
    written = {place.resolve() for place in places if place is not None}
    for layer in layers:
        path = note_of(layer.metadata).get("path")
        if path is None or isinstance(finest(layer), np.ndarray):
            continue
        if written & {Path(path).resolve(), Path(path).resolve().parent}:
            raise SettingsError(
                f"The layer {layer.name} reads from {path}.",
                "It would show what is written there now.",
                "Name another file, or remove the layer.",
            )


def lazy_levels(pyramid: LabelsPyramid) -> Levels:
    """Return the levels of a pyramid as dask arrays."""
    import dask.array as da

    from_zarr: Any = da.from_zarr  # without types
    return [from_zarr(level) for level in pyramid.levels]


def _layer(levels: Levels, metadata: Metadata, name: str) -> LayerTuple:
    provenance = metadata.provenance
    placed = placement(metadata, levels[0].ndim)
    if provenance.get(SHOWS) in MAPS:
        return _map_layer(levels, name, placed, provenance[SHOWS])
    shown = [shown_labels(level, metadata.phases) for level in levels]
    generated = SCALE_FACTOR in provenance
    role = provenance.get(ROLE, SUPER_RES if generated else "")
    layer = shown_layer(shown if len(shown) > 1 else shown[0], metadata.phases, name, role, placed)
    note = layer[1]["metadata"][KEY]
    note["provenance"] = dict(provenance)
    note["scale_factor"] = provenance.get(SCALE_FACTOR, "1")
    note["border_dropped"] = BOX in provenance or BORDER in provenance
    return layer


def _map_layer(levels: Levels, name: str, placed: Mapping[str, Any], shows: str) -> LayerTuple:
    more: dict[str, Any] = {"name": name, "contrast_limits": (0, 100), "colormap": "viridis"}
    more["metadata"] = {KEY: {"map": shows, "role": ""}}
    axes = {"axis_labels": AXES[-levels[0].ndim :], "interpolation2d": "nearest"}
    data = list(levels) if len(levels) > 1 else levels[0]
    return data, {**more, **axes, **placed}, "image"


def shown_labels(values: Any, phases: Sequence[Phase]) -> Any:
    """Return indices + 1 of label values: at once for NumPy, lazily for dask."""
    index = np.zeros(256, np.uint8)
    for number, phase in enumerate(phases, 1):
        index[phase.value] = number
    if isinstance(values, np.ndarray):
        narrow = values.astype(np.uint8, copy=False)
        if narrow is not values and not np.array_equal(narrow, values):
            raise _unknown_labels(values, index)
        shown = index[narrow]
        if shown.size and shown.min() == 0:
            raise _unknown_labels(values, index)
        return shown
    return values.map_blocks(index.__getitem__, dtype=np.uint8)


def _unknown_labels(values: NDArray[np.generic], index: NDArray[np.uint8]) -> PhaseError:
    unknown = sorted(set(np.unique(values).tolist()) - set(np.flatnonzero(index).tolist()))
    more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
    return PhaseError(
        f"The file has the label values {unknown[:8]}{more}, of which its phases say nothing.",
        "Every label needs a phase.",
        "Open it with another reader, or export it again.",
    )


def placement(metadata: Metadata, ndim: int) -> dict[str, Any]:
    """Return the layer arguments scale, units and translate of a file's voxels."""
    placed, offset = placed_by(metadata.voxel_size, ndim), metadata.offset or (0.0, 0.0, 0.0)
    if metadata.voxel_size is None:
        size, offset = _placed_without_lengths(metadata.provenance)
        placed["scale"] = size[-ndim:]
    return {**placed, "translate": offset[-ndim:]}


def _placed_without_lengths(provenance: Mapping[str, str]) -> tuple[VoxelSize, VoxelSize]:
    """Return scale and translate as they were, else those over a low-res volume of scale 1."""
    with suppress(ValueError, SuperResError):
        if PLACED in provenance:
            z, y, x, start_z, start_y, start_x = map(float, provenance[PLACED].split(","))
            if min(z, y, x) > 0:
                return (z, y, x), (start_z, start_y, start_x)
        elif VOXELS in provenance and BOX not in provenance:
            factor = parse_scale_factor(provenance.get(SCALE_FACTOR, ""))
            firsts = [int(part.partition(":")[0]) for part in provenance[VOXELS].split(",")]
            start = [first / one for first, one in zip(firsts, factor, strict=True)]
            z, y, x = (1 / float(one) for one in factor)
            return (z, y, x), first_voxel_in_low_res(factor, start)
    return (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
