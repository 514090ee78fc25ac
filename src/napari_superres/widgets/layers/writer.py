"""Save a Labels layer so that it opens again as it was: values, place, phases; no Qt.

A layer made here is written with the label values of its phases; a layer of the user
with its own values, each of which becomes a phase in the colour it is shown in.
Rotation, shear and affine are not kept: the files have no place for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_superres.data.files.ome_zarr import write_labels_zarr
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, SegmentedVolume, VoxelSize
from napari_superres.errors import OutputError, ShapeError
from napari_superres.widgets.layers.data import values_of_shown
from napari_superres.widgets.layers.files import PLACED, ROLE, SCALE_FACTOR
from napari_superres.widgets.layers.notes import note_of, phases_in
from napari_superres.widgets.layers.scale import micrometres

Attributes = Mapping[str, Any]


def write_labels(path: str, data: Any, attributes: Attributes) -> list[str]:
    """Write a Labels layer as TIFF or OME-Zarr, as the name asks for.

    Parameters
    ----------
    path : ends in .tif, .tiff or .zarr
    data : labels of two or three axes; several levels for a multiscale layer
    attributes : of the layer, as napari passes them

    Returns
    -------
    The path that was written

    Raises
    ------
    InputError
        More axes, a label without a phase, no label values, a place that cannot be written.
    """
    target = Path(path)
    full = data[0] if attributes.get("multiscale") else data
    values, phases = _values(full, attributes)
    voxel_size, offset, more = _place(attributes, full.ndim)
    common: dict[str, Any] = {
        "voxel_size": voxel_size,
        "offset": offset,
        "phases": phases,
        "provenance": _provenance(attributes) | more,
    }
    kind = target.suffix.lower()
    if kind == ".zarr":
        write_labels_zarr(target, values, **common)
    elif kind in (".tif", ".tiff"):
        write_labels_tiff(target, values, **common)
    else:
        raise OutputError(
            f"{target.name} names no known kind of file.",
            "A volume is written as .tif or .zarr.",
            f"Write for example {target.with_suffix('.tif').name}.",
        )
    return [path]


class ValuesOfShown:
    """Label values of shown labels (index + 1), computed where they are asked for.

    Parameters
    ----------
    shown : (Z, Y, X) or (Y, X) labels, in memory or lazy
    phases : in index order
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, shown: Any, phases: Sequence[Phase]) -> None:
        self.shown, self.phases = (shown if shown.ndim == 3 else shown[None]), phases
        self.shape: tuple[int, ...] = tuple(self.shown.shape)
        self.size = int(np.prod(self.shape))

    def __getitem__(self, key: Any) -> Labels:
        return values_of_shown(np.asarray(self.shown[key]), self.phases, "The volume")

    def __iter__(self) -> Iterator[Labels]:
        return (self[plane] for plane in range(self.shape[0]))


def _values(full: Any, attributes: Attributes) -> tuple[Any, Sequence[Phase]]:
    """Return the label values to write and their phases."""
    if full.ndim not in (2, 3):
        raise ShapeError(
            f"The layer has {full.ndim} axes.",
            "Two or three can be written.",
            "Save one volume a file.",
        )
    phases = phases_in(attributes.get("metadata", {}))
    if phases is not None:
        return ValuesOfShown(full, phases), phases
    array = np.asarray(full)
    volume = SegmentedVolume.from_labels(array if array.ndim == 3 else array[None])
    return volume.values, _coloured(volume.phases, attributes.get("colormap"))


def _coloured(phases: Sequence[Phase], colormap: Any) -> Sequence[Phase]:
    """Give phases the colours they are shown in, but for those shown transparent."""
    if not hasattr(colormap, "map"):
        return phases
    coloured = []
    for phase in phases:
        *rgb, alpha = (round(255 * float(part)) for part in np.ravel(colormap.map(phase.value)))
        colour = "#" + "".join(f"{part:02x}" for part in rgb)
        coloured.append(replace(phase, colour=colour) if alpha else phase)
    return coloured


def _place(
    attributes: Attributes, ndim: int
) -> tuple[VoxelSize | None, VoxelSize | None, dict[str, str]]:
    """Return voxel size and offset in µm; without units of length, the numbers as text."""
    scale = _three(attributes.get("scale", (1.0,) * ndim), 1.0)
    mirrored = [name for name, size in zip("zyx", scale, strict=True) if size < 0]
    if mirrored:
        raise ShapeError(
            f"The layer is mirrored along {' and '.join(mirrored)}: its scale is negative.",
            "A file has no place for that.",
            "Flip the labels themselves, and make the scale positive.",
        )
    shift = _three(attributes.get("translate", (0.0,) * ndim), 0.0)
    units = list(attributes.get("units") or ("pixel",) * ndim)
    factors = [micrometres(unit) for unit in ([units[0]] * (3 - len(units)) + units)]
    z, y, x = factors
    if z is None or y is None or x is None:
        numbers = [*scale, *shift]
        plain = numbers == [1.0] * 3 + [0.0] * 3
        return None, None, {} if plain else {PLACED: ",".join(map(repr, numbers))}
    size = (scale[0] * z, scale[1] * y, scale[2] * x)
    return size, (shift[0] * z, shift[1] * y, shift[2] * x), {}


def _three(numbers: Sequence[float], missing: float) -> list[float]:
    found = [float(number) for number in numbers]
    if len(found) == 2 and missing:
        missing = found[0]  # a slice is as deep as its pixels are wide
    return [missing] * (3 - len(found)) + found


def _provenance(attributes: Attributes) -> dict[str, str]:
    note = note_of(attributes.get("metadata", {}))
    found = {str(key): str(value) for key, value in note.get("provenance", {}).items()}
    if "scale_factor" in note and found:
        found.setdefault(SCALE_FACTOR, str(note["scale_factor"]))
    if note.get("role"):
        found[ROLE] = str(note["role"])
    found.pop(PLACED, None)  # of the file that the layer was read from
    return found
