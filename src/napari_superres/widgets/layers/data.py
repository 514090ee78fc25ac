"""From napari layers to segmented volumes and slices, and back.

Layers made here show phase indices as index + 1 and remember their phases in
their metadata; layers of the user are read as they are. This file needs neither Qt
nor a viewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume, VoxelSize
from napari_superres.errors import NotSegmentedError, PhaseError, ShapeError
from napari_superres.scale_factor import ScaleFactor
from napari_superres.widgets.layers.geometry import first_voxel_in_low_res
from napari_superres.widgets.layers.scale import check_axes, layer_voxel_size

KEY = "napari-superres"
AXES = ("z", "y", "x")


def layer_phases(layer: Any) -> tuple[Phase, ...] | None:
    """Return the phases that a layer made here remembers."""
    note = layer.metadata.get(KEY)
    if not isinstance(note, Mapping) or "phases" not in note:
        return None
    return tuple(Phase(value, name, colour) for value, name, colour in note["phases"])


def layer_note(phases: Sequence[Phase], **more: Any) -> dict[str, Any]:
    """Return the metadata of a layer that shows phases as index + 1."""
    return {KEY: {"phases": [(p.value, p.name, p.colour) for p in phases], **more}}


def _array(layer: Any) -> NDArray[np.generic]:
    """Return a layer's label values, or raise for layers that hold none."""
    if getattr(layer, "rgb", False):
        raise NotSegmentedError(
            f"{layer.name} is a colour image of shape {tuple(layer.data.shape)}.",
            "A segmented image holds one label value a voxel.",
            "Segment it first, for example with Segment greyscale layers in the Data step.",
        )
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    array = np.asarray(data)
    phases = layer_phases(layer)
    if phases is None:
        return array
    if array.size and array.min() < 1:
        raise PhaseError(
            f"{layer.name} has voxels without a phase (label {array.min()}).",
            f"Its phases are the labels 1 to {len(phases)}.",
            "Paint them with one of these labels.",
        )
    if array.max() > len(phases):
        raise PhaseError(
            f"{layer.name} has a label {array.max()}.",
            f"Its phases are the labels 1 to {len(phases)}.",
            "Paint its voxels with one of these labels.",
        )
    values = np.array([0, *(phase.value for phase in phases)], np.uint8)
    shown = array.astype(np.uint8, copy=False)  # int64 would be eight bytes a voxel
    return np.asarray(values[shown])


def volume_from_layer(layer: Any, phases: Sequence[Phase] | None = None) -> SegmentedVolume:
    """Read a low-res layer.

    Parameters
    ----------
    layer : napari Labels or Image layer with three axes
    phases : the phases to expect; None for those the layer remembers or holds

    Raises
    ------
    NotSegmentedError, ShapeError, PhaseError
        The layer holds no segmented volume.
    """
    _check_series(layer, 3)
    check_axes(layer)
    array = _array(layer)
    if array.ndim == 4:
        array = array[0]
    sizes = layer_voxel_size(layer, 3)
    voxel_size: VoxelSize | None = None
    if sizes is not None and len(sizes) == 3:
        voxel_size = (sizes[0], sizes[1], sizes[2])
    known = layer_phases(layer) if phases is None else phases
    return SegmentedVolume.from_labels(array, voxel_size, known, layer.name)


def slices_from_layers(
    layers: Sequence[Any], anisotropic: bool = False, phases: Sequence[Phase] | None = None
) -> SegmentedSlices:
    """Read high-res layers: all one set, or three layers normal to z, y and x.

    The first axis of a stack counts its slices; its voxel size is not looked at.

    Raises
    ------
    NotSegmentedError, ShapeError, PhaseError
        The layers hold no segmented slices, their pixel sizes differ, or one is turned
        while axes differ.
    """
    for layer in layers:
        _check_series(layer, 3)
        check_axes(layer, upright=anisotropic)
    arrays = [array[0] if array.ndim == 4 else array for array in map(_array, layers)]
    name = " + ".join(str(layer.name) for layer in layers)
    known = phases if phases is not None else _common_phases(layers)
    sets = [[array] for array in arrays] if anisotropic else [arrays]
    return SegmentedSlices.from_labels(sets, slices_voxel_size(layers, anisotropic), known, name)


def slices_voxel_size(layers: Sequence[Any], anisotropic: bool = False) -> VoxelSize | None:
    """Return the high-res voxel size in µm (zyx) that the layers' in-plane sizes tell.

    Raises
    ------
    ShapeError
        When the layers contradict each other by more than 1 %.
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
    shape = (layer.data[0] if getattr(layer, "multiscale", False) else layer.data).shape
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


Vector = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Placement:
    """The transform of a three-dimensional layer.

    Attributes
    ----------
    scale, translate : world units a voxel, zyx
    units, axis_labels : as the layer has them
    rotate : (3, 3) rotation
    shear : (3,) upper triangle
    affine : (4, 4) applied after all else
    """

    scale: Vector
    translate: Vector
    units: tuple[str, ...]
    axis_labels: tuple[str, ...]
    rotate: NDArray[np.float64]
    shear: NDArray[np.float64]
    affine: NDArray[np.float64]

    @property
    def linear(self) -> NDArray[np.float64]:
        """Matrix from voxels to the world, without the shift and the affine (3, 3)."""
        shear = np.eye(3)
        shear[np.triu_indices(3, 1)] = self.shear
        return np.asarray(self.rotate @ shear @ np.diag(self.scale))

    def super_res(
        self, scale_factor: ScaleFactor, start: Sequence[int | Fraction] = (0, 0, 0)
    ) -> dict[str, Any]:
        """Return the layer arguments of a super-res volume over this low-res layer.

        Parameters
        ----------
        scale_factor : low-res over super-res voxel size
        start : where the result starts, in low-res voxels from the volume's face
        """
        first = np.array(first_voxel_in_low_res(scale_factor, start))
        factors = np.array([float(factor) for factor in scale_factor])
        return {
            "scale": np.array(self.scale) / factors,
            "translate": np.array(self.translate) + self.linear @ first,
            "units": self.units,
            "axis_labels": self.axis_labels,
            "rotate": self.rotate,
            "shear": self.shear,
            "affine": self.affine,
        }


def placement_of(layer: Any) -> Placement:
    """Return how a layer lies in the world; leading axes beyond three are dropped."""
    labels = tuple(str(label) for label in layer.axis_labels)[-3:]
    return Placement(
        scale=tuple(float(size) for size in layer.scale[-3:]),  # type: ignore[arg-type]
        translate=tuple(float(shift) for shift in layer.translate[-3:]),  # type: ignore[arg-type]
        units=tuple(str(unit) for unit in layer.units)[-3:],
        axis_labels=AXES if any("-" in label for label in labels) else labels,
        rotate=np.asarray(layer.rotate, np.float64)[-3:, -3:],
        shear=np.asarray(layer.shear, np.float64)[-3:],
        affine=np.asarray(layer.affine.affine_matrix, np.float64)[-4:, -4:],
    )


def plain_placement(voxel_size: VoxelSize | None) -> Placement:
    """Return the placement of a low-res volume that has no layer: at the origin, in µm."""
    unit = "pixel" if voxel_size is None else "um"
    return Placement(
        voxel_size or (1.0, 1.0, 1.0),
        (0.0, 0.0, 0.0),
        (unit,) * 3,
        AXES,
        np.eye(3),
        np.zeros(3),
        np.eye(4),
    )
