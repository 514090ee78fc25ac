"""What `measure` reads: volumes or slices, and what they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_superres.cli.pair import choose_phase_map, choose_scale_factor
from napari_superres.config import TrainingSettings, validated
from napari_superres.data.boxes import Triple
from napari_superres.data.pair import Pair
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import (
    Segmented,
    SegmentedSlices,
    SegmentedVolume,
    VoxelSize,
    common_phases,
)
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.summary import sized_as
from napari_superres.scale_factor import super_res_shape


def read_measure_inputs(
    files: list[Path],
    against: Path | None,
    high_res: list[Path] | None,
    anisotropic: bool,
    run: Path | None,
    low_res: Path | None,
    asked: Mapping[str, Any],
) -> tuple[tuple[Segmented, ...], ReportInputs]:
    """Read everything, over the phases that any of it has.

    Parameters
    ----------
    asked : settings for the low-res mismatch, where no run has them; scale factor and phase
        map as text, if they are given

    Returns
    -------
    measured : one volume or set of slices, or several realisations
    inputs : the volumes among them, and what there is to compare them with
    """
    from napari_superres.data.files.segmented import read_slices, read_volume
    from napari_superres.runs.config import FUSION, HIGH_RES
    from napari_superres.runs.run import Run

    folder = None if run is None else Run.open(run, FUSION)
    slices = folder.high_res() if folder is not None and folder.has_slices else None
    if high_res:
        slices = read_slices(high_res, anisotropic=anisotropic)
    known = None if folder is None else folder.kept(HIGH_RES).phases
    found = [_read_segmented(file, phases=known) for file in files]
    other = None if against is None else _read_segmented(against)
    if isinstance(other, SegmentedSlices) and slices is not None:
        raise SettingsError(
            f"{other.name} is an image, and there are high-res slices to compare with already.",
            "With slices, --against takes a 3D truth.",
            "Leave one of the two out.",
        )
    truth = other if isinstance(other, SegmentedVolume) else None
    slices = other if isinstance(other, SegmentedSlices) else slices
    phases = common_phases([*found, *(item for item in (truth, slices) if item is not None)])
    measured = tuple(item.with_phases(phases) for item in found)
    first = measured[0]
    truth = truth and truth.with_phases(phases)
    if isinstance(first, SegmentedVolume):  # on whose grid the others lie
        measured = tuple(sized_as(item, first) for item in measured)
        truth = truth and sized_as(truth, first)
    coarse = None if folder is None else folder.low_res()
    inputs = ReportInputs(
        tuple(item for item in measured if isinstance(item, SegmentedVolume)),
        coarse if low_res is None else read_volume(low_res),
        slices and slices.with_phases(phases),
        truth,
        None if folder is None else folder.settings,
    )
    if inputs.low_res is not None and inputs.settings is None:
        pair = Pair(inputs.low_res, as_slices(first))
        inputs = replace(inputs, settings=_mismatch_settings(pair, asked))
    return measured, replace(inputs, offset=_first_low_res_voxel(files[0], first, inputs))


def _read_segmented(path: Path, phases: Iterable[Phase] | None = None) -> Segmented:
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


def _mismatch_settings(pair: Pair, asked: Mapping[str, Any]) -> TrainingSettings:
    chosen = {
        "scale_factor": choose_scale_factor(asked.get("scale_factor"), pair),
        "phase_map": choose_phase_map(asked.get("phase_map"), pair),
    }
    return validated(TrainingSettings, {**asked, **chosen})


def _first_low_res_voxel(file: Path, found: Segmented, inputs: ReportInputs) -> Triple:
    """Return the first low-res voxel that the file covers; the first of all where none is known.

    It follows from the offset that the file carries: its first voxel's centre relative
    to that of the low-res volume, half a voxel of each apart.
    """
    from napari_superres.data.examples.simulate import low_res_shape

    coarse, settings = inputs.low_res, inputs.settings
    if isinstance(found, SegmentedSlices) or coarse is None or settings is None:
        return (0, 0, 0)
    covered = low_res_shape(found.shape, settings.scale_factor)
    fine, offset = _place_of(file)
    start = (0, 0, 0)
    if fine is not None and offset is not None and coarse.voxel_size is not None:
        z, y, x = (
            round((begin - (small - large) / 2) / large)
            for begin, small, large in zip(offset, fine, coarse.voxel_size, strict=True)
        )
        start = (z, y, x)
    # the last low-res voxels may lack a part in the whole volume
    elif found.shape != super_res_shape(coarse.shape, settings.scale_factor):
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


def _place_of(file: Path) -> tuple[VoxelSize | None, VoxelSize | None]:
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
