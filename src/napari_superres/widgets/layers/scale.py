"""Voxel sizes and axes of napari layers, in µm; no Qt.

Units are read through pint, which napari brings along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import ShapeError

Vector = NDArray[np.float64]


def micrometres(unit: object) -> float | None:
    """Return the length of one `unit` (pint unit or name) in µm, None when it is no length."""
    import pint

    registry: Any = pint.get_application_registry()  # type: ignore[no-untyped-call]
    try:
        return float(registry.Quantity(1, str(unit)).to("micrometer").magnitude)
    except (pint.DimensionalityError, pint.UndefinedUnitError, AttributeError):
        return None


def in_units_of(layer: Any, position: ArrayLike, units: Sequence[object] | None) -> Vector:
    """Return a position in the world in a layer's own units.

    napari shows all layers in the smallest of their units, while `world_to_data` of a layer
    takes its own.

    Parameters
    ----------
    units : of the position, for its last axes; None where napari knows none of the scene
    """
    world = np.array(position, np.float64)
    count = min(len(world), len(units or ()), layer.ndim)
    for axis in range(-count, 0):
        before, after = (micrometres(known[axis]) for known in (units or (), layer.units))
        if before is not None and after is not None:
            world[axis] *= before / after
    return world


def layer_voxel_size(layer: Any, axes: int | None = None) -> tuple[float, ...] | None:
    """Return a layer's voxel size in µm along its last axes, None without units of length.

    Parameters
    ----------
    axes : how many; None for all. Axes before these may count slices or seconds
    """
    first = 0 if axes is None else max(0, layer.ndim - axes)
    linear = linear_of(layer)
    sizes = []
    for axis, unit in enumerate(layer.units):
        factor = micrometres(unit)
        if axis >= first and factor is None:
            return None
        if axis >= first and factor is not None:
            sizes.append(float(np.linalg.norm(linear[:, axis])) * factor)
    return tuple(sizes)


def linear_of(layer: Any) -> NDArray[np.float64]:
    """Return the matrix from a layer's voxels to the world, without the shift (ndim, ndim)."""
    known = getattr(layer, "linear", None)
    if known is not None:
        return np.asarray(known)
    affine = np.asarray(layer.affine.affine_matrix, np.float64)[: layer.ndim, : layer.ndim]
    return np.asarray(affine @ linear_part(layer.rotate, layer.shear, layer.scale))


def linear_part(rotate: ArrayLike, shear: ArrayLike, scale: ArrayLike) -> NDArray[np.float64]:
    """Return the matrix of a layer's own transform, to which an affine one may come (n, n).

    Parameters
    ----------
    shear : the upper triangle, or the whole matrix
    """
    sizes, sheared = np.asarray(scale, np.float64), np.asarray(shear, np.float64)
    if sheared.ndim == 1:
        upper = np.eye(len(sizes))
        upper[np.triu_indices(len(sizes), 1)] = sheared
        sheared = upper
    return np.asarray(np.asarray(rotate, np.float64) @ sheared @ np.diag(sizes))


def check_axes(layer: Any, upright: bool = False) -> None:
    """Raise ShapeError for a sheared layer; for a turned one where it must be upright."""
    linear = linear_of(layer)[-3:, -3:]
    columns = linear / np.linalg.norm(linear, axis=0)
    crossed = columns.T @ columns - np.eye(len(columns))
    if np.abs(crossed).max() > 0.01:
        raise ShapeError(
            f"{layer.name} is sheared: its voxels are no boxes.",
            "Voxels with right angles are needed.",
            "Resample it onto a straight grid, or remove the shear (layer.shear, layer.affine).",
        )
    if upright and np.abs(np.abs(columns) - np.eye(len(columns))).max() > 0.01:
        raise ShapeError(
            f"{layer.name} is rotated.",
            "Where axes differ, rows and columns of a slice must lie along the axes.",
            "Rotate the image itself, then set the layer's rotation back to 0.",
        )


def set_voxel_size(layer: Any, sizes: VoxelSize) -> None:
    """Give a layer's last axes these sizes in µm, and units of length where it has none.

    A layer with units of length stays where it lies; one without stays as many voxels
    from the origin.
    """
    count = min(layer.ndim, 3)
    scale, translate = np.array(layer.scale, float), np.array(layer.translate, float)
    units = [str(unit) for unit in layer.units]
    lengths = [micrometres(unit) for unit in units[-count:]]
    known = [length for length in lengths if length is not None]
    in_units = len(known) == count
    # an affine transform may stretch what the scale gives
    stretch = np.linalg.norm(linear_of(layer), axis=0)[-count:] / np.abs(scale[-count:])
    wanted = np.array(sizes[-count:]) / (np.array(known) if in_units else 1.0) / stretch
    if not in_units:
        translate[-count:] *= wanted / np.abs(scale[-count:])
        units[-count:] = ["um"] * count
    scale[-count:] = np.sign(scale[-count:]) * wanted
    layer.scale, layer.translate, layer.units = scale, translate, units


def slice_size(size: VoxelSize, normal: int) -> VoxelSize:
    """Return a voxel size (zyx) in the order of a slice's axes: depth, rows, columns.

    Parameters
    ----------
    normal : axis that the slice is normal to (0 z, 1 y, 2 x)
    """
    depth, (rows, columns) = size[normal], (size[axis] for axis in range(3) if axis != normal)
    return depth, rows, columns


def give_size(layer: Any, size: VoxelSize, axes: int) -> None:
    """Write a voxel size into a layer, unless it has it already, to the digits shown."""
    now = layer_voxel_size(layer, axes)
    wanted = size[-axes:]
    if now is None or [f"{one:.4g}" for one in now] != [f"{one:.4g}" for one in wanted]:
        set_voxel_size(layer, size)
