"""Volumes and slices alike: what `measure` reads and compares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_superres.data.boxes import Triple
from napari_superres.data.common_phases import Segmented
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume, VoxelSize
from napari_superres.errors import ShapeError


def read_segmented(path: Path, phases: Iterable[Phase] | None = None) -> Segmented:
    """Read a volume, or a slice where the file holds one image."""
    from napari_superres.data.files.segmented import read_slices, read_volume

    expected = None if phases is None else tuple(phases)
    try:
        return read_volume(path, phases=expected)
    except ShapeError:
        return read_slices([path], phases=expected)


def as_slices(item: Segmented) -> SegmentedSlices:
    """Return the phases and voxel size of a result as those of high-res slices."""
    if isinstance(item, SegmentedSlices):
        return item
    return SegmentedSlices(((item.labels[0],),), item.phases, item.voxel_size, item.name)


def first_voxel(file: Path, coarse: SegmentedVolume, covered: Triple, whole: bool) -> Triple:
    """Return the first low-res voxel that a super-res file covers, from the offset it carries.

    The offset is the first voxel's centre relative to the low-res volume's, so the
    difference of the half voxels is taken off.

    Parameters
    ----------
    file : the super-res volume
    coarse : the low-res volume
    covered : low-res voxels that the file covers, zyx
    whole : whether the file has the shape of the whole super-res volume, of which the last
        low-res voxels may lack a part

    Raises
    ------
    ShapeError
        The file covers a part of the volume and does not tell which.
    """
    fine, offset = place_of(file)
    start = (0, 0, 0)
    if fine is not None and offset is not None and coarse.voxel_size is not None:
        z, y, x = (
            round((begin - (small - large) / 2) / large)
            for begin, small, large in zip(offset, fine, coarse.voxel_size, strict=True)
        )
        start = (z, y, x)
    elif not whole:
        raise ShapeError(
            f"{file.name} covers {covered} voxels of {coarse.name}, which has {coarse.shape}, "
            "and does not tell where.",
            "Files with a voxel size tell it.",
            "Measure the whole volume, or train with --voxel-size.",
        )
    ends = (begin + size for begin, size in zip(start, covered, strict=True))
    if min(start) < 0 or any(end > size for end, size in zip(ends, coarse.shape, strict=True)):
        raise ShapeError(
            f"{file.name} begins at voxel {start} of {coarse.name} and covers {covered}; "
            f"that has {coarse.shape}.",
            "The one must lie in the other.",
            "Check that they belong together, and the scale factor.",
        )
    return start


def place_of(file: Path) -> tuple[VoxelSize | None, VoxelSize | None]:
    """Return the voxel size and the offset that a file carries, in µm."""
    from napari_superres.data.files.ome_zarr import open_pyramid
    from napari_superres.data.files.tiff import read_tiff_metadata

    if file.suffix.lower() in (".tif", ".tiff"):
        metadata = read_tiff_metadata(file)
        return metadata.voxel_size, metadata.offset
    if file.suffix.lower() == ".zarr":
        pyramid = open_pyramid(file)
        return pyramid.voxel_size, pyramid.offset
    return None, None
