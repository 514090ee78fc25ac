"""Voxel sizes, regions and boxes: as typed, drawn and shown; plain numbers, no layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_superres.data.boxes import Box
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import SettingsError
from napari_superres.scale_factor import ScaleFactor

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def implied_sizes(
    low_res: VoxelSize | None, high_res: VoxelSize | None, scale_factor: ScaleFactor | None
) -> tuple[VoxelSize | None, VoxelSize | None]:
    """Return both voxel sizes where one of them and the scale factor are known."""
    if scale_factor is None or (low_res is None) == (high_res is None):
        return low_res, high_res
    z, y, x = (float(factor) for factor in scale_factor)
    if low_res is not None:
        return low_res, (low_res[0] / z, low_res[1] / y, low_res[2] / x)
    assert high_res is not None
    return (high_res[0] * z, high_res[1] * y, high_res[2] * x), high_res


def parse_sizes(text: str) -> VoxelSize | None:
    """Read "0.4" or "0.4, 0.2, 0.2" (µm, zyx); empty text is None."""
    parts = [part for part in text.replace("µm", "").replace("×", ",").split(",") if part.strip()]
    if not parts:
        return None
    try:
        sizes = [float(part) for part in parts]
    except ValueError:
        sizes = []
    if len(sizes) == 1:
        sizes *= 3
    if len(sizes) != 3 or not all(math.isfinite(size) and size > 0 for size in sizes):
        raise SettingsError(
            f"{text!r} is no voxel size.", "One or three positive numbers in µm are needed."
        )
    return sizes[0], sizes[1], sizes[2]


def format_sizes(sizes: VoxelSize | None) -> str:
    """Return the text that `parse_sizes` reads back, to 4 digits."""
    if sizes is None:
        return ""
    texts = [f"{size:.4g}" for size in sizes]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


def parse_region(text: str, shape: Sequence[int]) -> Region | None:
    """Read "z0:z1,y0:y1,x0:x1" (half open, ends may be left out); empty text is None.

    A region that is empty or leaves `shape` raises SettingsError.
    """
    if not text.strip():
        return None
    try:
        pairs = [part.split(":") for part in text.split(",")]
        (z, y, x) = (
            (int(first) if first.strip() else 0, int(last) if last.strip() else size)
            for (first, last), size in zip(pairs, shape, strict=True)
        )
    except ValueError as error:
        raise SettingsError(
            f"{text!r} is no region.",
            "Three ranges are needed.",
            "Write for example 0:32,0:64,8:40.",
        ) from error
    for (first, last), size in zip((z, y, x), shape, strict=True):
        if not 0 <= first < last <= size:
            raise SettingsError(
                f"The region {text} does not fit into {tuple(shape)} low-res voxels.",
                "Each range starts at 0 or later, ends after its start and within the volume.",
            )
    return z, y, x


def format_region(box: Box) -> str:
    """Return the text that `parse_region` reads back."""
    return ",".join(f"{first}:{last}" for first, last in box.ranges())


def border_box(shape: Sequence[int], scale_factor: ScaleFactor) -> Box:
    """Return the box without one low-res voxel (sf super-res voxels) at each face.

    Fractional scale factors are rounded up; a volume too thin for it keeps that axis.
    """
    cuts = [math.ceil(factor) for factor in scale_factor]
    pairs = [
        (cut, size - cut) if size > 2 * cut else (0, size)
        for cut, size in zip(cuts, shape, strict=True)
    ]
    return Box.of_ranges(pairs)


def export_box(box: Box, shape: Sequence[int], border: Box | None) -> Box:
    """Return the box to export: inside the volume, and inside `border` when given."""
    inside = box.within(Box.whole(shape))
    if border is not None:
        inside = inside.within(border)
    if inside.size == 0:
        raise SettingsError(
            "The crop box holds no voxel.",
            "It needs at least one inside the volume.",
            "Draw or type a larger box, or keep the border.",
        )
    return inside


def box_of_vertices(vertices: ArrayLike, box: Box, displayed: Sequence[int]) -> Box:
    """Return `box` with the displayed axes taken from a rectangle.

    Parameters
    ----------
    vertices : (k, 3) corners in voxel coordinates of the volume, zyx; a voxel
        reaches from −1/2 to +1/2 around its index
    box : gives the axes that are not displayed
    displayed : the axes in which the rectangle was drawn
    """
    corners: NDArray[np.float64] = np.asarray(vertices, np.float64)
    start, stop = list(box.start), list(box.stop)
    for axis in displayed:
        start[axis] = math.floor(corners[:, axis].min() + 0.5)
        stop[axis] = max(start[axis] + 1, math.floor(corners[:, axis].max() + 0.5) + 1)
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
