"""Voxel size and place of an OME-Zarr volume, from the transformations that its metadata tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import VoxelSize, is_length

MICROMETRES = {
    "micrometer": 1.0, "nanometer": 1e-3, "millimeter": 1e3, "angstrom": 1e-4, "meter": 1e6,
}  # fmt: skip


def lengths(multiscale: Mapping[str, Any]) -> tuple[VoxelSize | None, VoxelSize | None]:
    """Return voxel size and offset of the finest level in µm, zyx.

    Parameters
    ----------
    multiscale : an entry of NGFF's ``multiscales``, of three axes

    Returns
    -------
    voxel_size, offset
        None, both, where an axis has no unit of length, or a voxel no size.

    Raises
    ------
    KeyError, ValueError, TypeError, AttributeError
        The entry is not as NGFF has it.
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
