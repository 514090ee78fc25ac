"""Where a result lies, in µm."""

from __future__ import annotations

from dataclasses import dataclass

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedVolume, VoxelSize
from napari_superres.generation.tiles import result_box
from napari_superres.scale_factor import ScaleFactor


@dataclass(frozen=True)
class ResultGeometry:
    """Where a result lies.

    Attributes
    ----------
    shape : voxels, zyx
    voxel_size : µm, zyx; None when the low-res voxel size is unknown
    offset : µm from the centre of the low-res volume's first voxel to the centre of
        the result's first voxel, zyx; None with `voxel_size`
    """

    shape: Triple
    voxel_size: VoxelSize | None
    offset: VoxelSize | None


def geometry(
    low_res: SegmentedVolume, scale_factor: ScaleFactor, settings: GenerationSettings
) -> ResultGeometry:
    """Return where a result lies; both grids share the corner of their first voxels.

    Raises
    ------
    SettingsError
        When the region leaves the volume.
    """
    box = result_box(low_res.shape, scale_factor, settings.region, crop_border=settings.crop_border)
    if low_res.voxel_size is None:
        return ResultGeometry(box.shape, None, None)
    sizes = [size / float(sf) for size, sf in zip(low_res.voxel_size, scale_factor, strict=True)]
    starts = [
        (first + 0.5) * fine - 0.5 * coarse
        for first, fine, coarse in zip(box.start, sizes, low_res.voxel_size, strict=True)
    ]
    return ResultGeometry(
        box.shape, (sizes[0], sizes[1], sizes[2]), (starts[0], starts[1], starts[2])
    )
