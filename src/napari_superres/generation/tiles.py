"""Where a result lies and how it is cut: geometry only, no network, no voxels.

Boxes are on the high-res grid of the whole low-res volume, whose first voxel is 0.
Any cut gives the same labels, so sizes are chosen for speed and memory alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise, product

from napari_superres.data.boxes import Box, Triple
from napari_superres.errors import SettingsError
from napari_superres.scale_factor import ScaleFactor

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def result_box(
    low_res_shape: Sequence[int],
    scale_factor: ScaleFactor,
    region: Region | None = None,
    *,
    crop_border: bool = False,
) -> Box:
    """Return the high-res voxels of a result.

    Parameters
    ----------
    low_res_shape : of the whole low-res volume, zyx
    scale_factor : per axis, zyx
    region, crop_border : as for `low_res_box`

    Returns
    -------
    Box of the voxels that lie wholly inside

    Raises
    ------
    SettingsError
        When the region leaves the volume, or nothing remains.
    """
    low_res = low_res_box(low_res_shape, region, crop_border=crop_border)
    pairs = []
    for axis, ((lo, hi), factor) in enumerate(zip(low_res.ranges(), scale_factor, strict=True)):
        first, last = math.ceil(lo * factor), math.floor(hi * factor)
        if last <= first:
            raise SettingsError(
                f"No high-res voxel lies wholly inside {lo}:{hi} along {'zyx'[axis]}, which is "
                f"{lo * factor} to {hi * factor} of them.",
                "At least one is needed.",
                "Choose a larger region.",
            )
        pairs.append((first, last))
    return Box.of_ranges(pairs)


def low_res_box(
    low_res_shape: Sequence[int], region: Region | None = None, *, crop_border: bool = False
) -> Box:
    """Return the low-res voxels that are generated from.

    Parameters
    ----------
    low_res_shape : of the whole low-res volume, zyx
    region : low-res voxels wanted, half open; None for all
    crop_border : leave out one low-res voxel at each face of the volume (Dahari et
        al. 2022: there the context is unknown); a region inside keeps its faces

    Raises
    ------
    SettingsError
        When the region leaves the volume, or nothing remains.
    """
    margin = int(crop_border)
    pairs = []
    for axis, size in enumerate(low_res_shape):
        lo, hi = region[axis] if region is not None else (0, size)
        if not 0 <= lo < hi <= size:
            raise SettingsError(
                f"The region {lo}:{hi} along {'zyx'[axis]} does not lie in the low-res volume, "
                f"0:{size}.",
                "Three ranges of low-res voxels, half open, are needed.",
                "Write for example 0:32,0:32,0:32.",
            )
        lo, hi = max(lo, margin), min(hi, size - margin)
        if hi <= lo:
            raise SettingsError(
                f"Nothing remains along {'zyx'[axis]} once the border is dropped.",
                "At least one low-res voxel inside the border is needed.",
                "Keep the border, or choose a larger region.",
            )
        pairs.append((lo, hi))
    return Box.of_ranges(pairs)


def low_res_to_high_res(side: int, scale_factor: ScaleFactor) -> Triple:
    """Return the high-res shape of a tile of `side` low-res voxels, at least 1."""
    z, y, x = (max(math.floor(side * factor), 1) for factor in scale_factor)
    return z, y, x


def cut(box: Box, shape: Sequence[int]) -> list[Box]:
    """Cut a box into boxes of `shape` from its start; the last ones may be smaller.

    They come in zyx order and cover each voxel once.
    """
    axes = [
        [(at, min(at + size, hi)) for at in range(lo, hi, size)]
        for (lo, hi), size in zip(box.ranges(), shape, strict=True)
    ]
    return list(_boxes(axes))


def cut_evenly(box: Box, largest: Sequence[int]) -> list[Box]:
    """Cut a box into boxes of nearly equal shape, none larger than `largest`."""
    axes = []
    for (lo, hi), size in zip(box.ranges(), largest, strict=True):
        parts = math.ceil((hi - lo) / size)
        edges = [lo + (hi - lo) * part // parts for part in range(parts + 1)]
        axes.append(list(pairwise(edges)))
    return list(_boxes(axes))


def halves(box: Box) -> list[Box]:
    """Cut a box in two along its longest axis."""
    longest = max(range(3), key=lambda axis: box.shape[axis])
    shape = [
        math.ceil(size / 2) if axis == longest else size for axis, size in enumerate(box.shape)
    ]
    return cut(box, shape)


def _boxes(axes: Sequence[Sequence[tuple[int, int]]]) -> Iterator[Box]:
    for z, y, x in product(*axes):
        yield Box((z[0], y[0], x[0]), (z[1], y[1], x[1]))
