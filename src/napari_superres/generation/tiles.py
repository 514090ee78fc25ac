"""Place and size of a result and its tiles: geometry only, no network, no voxels.

Boxes are on the high-res grid of the whole low-res volume, whose first voxel is 0.
Any cut gives the same labels, so sizes are chosen for speed and memory alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box, Triple
from napari_superres.data.volumes import SegmentedVolume, VoxelSize
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
    region : low-res voxels wanted, half open; None for all
    crop_border : leave out one low-res voxel at each face of the volume (Dahari et
        al. 2022: there the context is unknown); a region inside keeps its faces

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
    """Return the low-res voxels that a result is generated from; see `result_box`."""
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


def result_place(
    low_res: SegmentedVolume, scale_factor: ScaleFactor, settings: GenerationSettings
) -> tuple[VoxelSize, VoxelSize] | tuple[None, None]:
    """Return voxel size and offset of a result, µm zyx; None where the low-res size is unknown.

    The offset is from the centre of the low-res volume's first voxel to the centre of the
    result's; both grids share the corner of their first voxels.
    """
    if low_res.voxel_size is None:
        return None, None
    box = result_box(low_res.shape, scale_factor, settings.region, crop_border=settings.crop_border)
    sizes = [size / float(sf) for size, sf in zip(low_res.voxel_size, scale_factor, strict=True)]
    starts = [
        (first + 0.5) * fine - 0.5 * coarse
        for first, fine, coarse in zip(box.start, sizes, low_res.voxel_size, strict=True)
    ]
    return (sizes[0], sizes[1], sizes[2]), (starts[0], starts[1], starts[2])
