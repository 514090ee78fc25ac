"""Segmented volumes and slices read from napari layers; no Qt.

Layers made here show phase indices as index + 1 and remember their phases; layers of
the user are read as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume, VoxelSize
from napari_superres.errors import NotSegmentedError, PhaseError, ShapeError
from napari_superres.widgets.layers.notes import layer_phases
from napari_superres.widgets.layers.scale import check_axes, layer_voxel_size


def volume_from_layer(layer: Any) -> SegmentedVolume:
    """Read a segmented volume.

    Parameters
    ----------
    layer : napari Labels or Image layer with three axes

    Raises
    ------
    NotSegmentedError, ShapeError, PhaseError
        The layer holds no segmented volume.
    """
    _check_series(layer, 3)
    check_axes(layer)
    array = _values(layer)
    if array.ndim == 4:
        array = array[0]
    sizes = layer_voxel_size(layer, 3)
    voxel_size: VoxelSize | None = None
    if sizes is not None and len(sizes) == 3:
        voxel_size = (sizes[0], sizes[1], sizes[2])
    return SegmentedVolume.from_labels(array, voxel_size, layer_phases(layer), layer.name)


def slices_from_layers(layers: Sequence[Any], anisotropic: bool = False) -> SegmentedSlices:
    """Read high-res layers: all one set, or three layers normal to z, y and x.

    The first axis of a stack counts its slices; its voxel size is ignored.

    Raises
    ------
    NotSegmentedError, ShapeError, PhaseError
        The layers hold no segmented slices, their pixel sizes differ, or one is rotated
        while axes differ.
    """
    for layer in layers:
        _check_series(layer, 3)
        check_axes(layer, upright=anisotropic)
    arrays = [array[0] if array.ndim == 4 else array for array in map(_values, layers)]
    name = " + ".join(str(layer.name) for layer in layers)
    sets = [[array] for array in arrays] if anisotropic else [arrays]
    voxel_size = slices_voxel_size(layers, anisotropic)
    return SegmentedSlices.from_labels(sets, voxel_size, _common_phases(layers), name)


def slices_voxel_size(layers: Sequence[Any], anisotropic: bool = False) -> VoxelSize | None:
    """Return the high-res voxel size in µm (zyx) from the layers' in-plane sizes.

    Layers that differ by more than 1 % raise ShapeError.
    """
    planes = []
    for layer in layers:
        sizes = layer_voxel_size(layer, 2)
        if sizes is None or len(sizes) < 2:
            return None
        planes.append(sizes)
    if not planes:
        return None
    if anisotropic and len(planes) == 3:
        (y0, x0), (z1, x1), (z2, y2) = planes
        pairs = [(z1, z2), (y0, y2), (x0, x1)]
    else:
        pairs = [(planes[0][0], plane[0]) for plane in planes]
        pairs += [(planes[0][1], plane[1]) for plane in planes]
    other = next((pair for pair in pairs if abs(pair[0] - pair[1]) > 0.01 * pair[0]), None)
    if other is not None:
        raise ShapeError(
            f"The high-res layers have pixels of {other[0]:.4g} µm and of {other[1]:.4g} µm.",
            "All slices need pixels of one size.",
            "Correct the voxel sizes, or choose other layers.",
        )
    if anisotropic and len(planes) == 3:
        return pairs[0][0], pairs[1][0], pairs[2][0]
    rows, columns = planes[0]
    return rows, rows, columns


def finest(layer: Any) -> Any:
    """Return a layer's data, the finest level of a multiscale one."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def values_of_shown(shown: NDArray[np.generic], phases: Sequence[Phase], name: str) -> Labels:
    """Return the label values of shown labels (index + 1).

    Parameters
    ----------
    name : of what they belong to, for the PhaseError where one is no phase
    """
    for label in (shown.min(), shown.max()) if shown.size else ():
        if not 1 <= label <= len(phases):
            raise PhaseError(
                f"{name} has voxels without a phase (label {label}).",
                f"Its phases are the labels 1 to {len(phases)}.",
                "Paint them with one of these labels.",
            )
    values = np.array([0, *(phase.value for phase in phases)], np.uint8)
    # int64 would be eight bytes a voxel
    return np.asarray(values[shown.astype(np.uint8, copy=False)])


def _values(layer: Any) -> NDArray[np.generic]:
    """Return a layer's label values, or raise for layers that hold none."""
    if getattr(layer, "rgb", False):
        raise NotSegmentedError(
            f"{layer.name} is a colour image of shape {tuple(layer.data.shape)}.",
            "A segmented image holds one label value a voxel.",
            "Segment it first, for example with Segment greyscale layers in the Data step.",
        )
    array, phases = np.asarray(finest(layer)), layer_phases(layer)
    return array if phases is None else values_of_shown(array, phases, str(layer.name))


def _common_phases(layers: Sequence[Any]) -> tuple[Phase, ...] | None:
    """Return the union of remembered phases, None when a layer has none."""
    found: dict[int, Phase] = {}
    for layer in layers:
        phases = layer_phases(layer)
        if phases is None:
            return None
        found |= {phase.value: phase for phase in phases}
    return tuple(found[value] for value in sorted(found))


def _check_series(layer: Any, most: int) -> None:
    """Raise for several volumes in one layer: time steps, channels."""
    shape = finest(layer).shape
    if getattr(layer, "rgb", False) or len(shape) <= most:
        return
    if len(shape) == most + 1 and shape[0] == 1:
        return
    raise ShapeError(
        f"{layer.name} has {len(shape)} axes, shape {tuple(int(n) for n in shape)}: "
        "several time steps or channels.",
        "One volume (z, y, x) or one set of slices is needed.",
        "Split it: right-click the layer, Convert to Image if it holds labels, then Split Stack; "
        "choose one of the parts.",
    )
