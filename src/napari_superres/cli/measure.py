"""`measure`: a volume or slices, alone or against another, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_superres.cli import options
from napari_superres.cli.train import choose_phase_map, choose_scale_factor
from napari_superres.config import ImagingModel, TrainingSettings, validated
from napari_superres.data.boxes import Triple
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError, ShapeError

Segmented = SegmentedVolume | SegmentedSlices
TITLES = {
    "volume_fractions": "volume fraction",
    "interface_areas": "interface area (share of voxel faces)",
    "triple_phase_boundary": "triple phase boundary (share of voxel edges)",
}
ERRORS = {
    "volume_fraction_error": "volume-fraction error, mean over phases",
    "interface_area_error": "interface-area error, mean over pairs",
}


def measure(
    file: Annotated[Path, typer.Argument(metavar="F", help="Segmented volume, or slices.")],
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="F", help="What to compare with: a volume, or high-res slices."
        ),
    ] = None,
    slices: Annotated[
        bool,
        typer.Option(
            "--slices", help="A stack given to --against is separate slices, not a volume."
        ),
    ] = False,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            metavar="DIR",
            help="Run that the volume comes from: compares with its high-res slices and its "
            "low-res volume.",
        ),
    ] = None,
    low_res: Annotated[
        Path | None,
        typer.Option("--low-res", metavar="F", help="Low-res volume, for the low-res mismatch."),
    ] = None,
    scale_factor: options.ScaleFactorText = None,
    phase_map: options.PhaseMapText = None,
    imaging: options.Imaging = ImagingModel.BLURRED,
    one_sided: options.OneSided = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="F", help="Write all numbers to this file.")
    ] = None,
) -> None:
    """Measure volume fractions, interface areas and the low-res mismatch.

    The mismatch needs --run, or --low-res with the scale factor, phase map and
    imaging model.
    """
    from napari_superres.data.files import read_volume
    from napari_superres.measures.comparison import compare_summaries
    from napari_superres.runs.folder import RunFolder

    if run is not None and (against is not None or low_res is not None):
        raise SettingsError(
            "--run is given beside --against or --low-res.",
            "The run has its own slices and low-res volume.",
            "Leave one of them out.",
        )
    reference: Segmented | None = None
    coarse: SegmentedVolume | None = None
    settings: TrainingSettings | None = None
    if run is not None:
        folder = RunFolder.open(run)
        reference, coarse, settings = folder.high_res(), folder.low_res(), folder.config.settings
        found = read_segmented(file, phases=reference.phases)
    else:
        found = read_segmented(file)
        if against is not None:
            reference = read_segmented(against, as_slices=slices)
            found, reference = with_common_phases(found, reference)
        if low_res is not None:
            coarse = read_volume(low_res)
            settings = settings_for_mismatch(
                as_slices(found), coarse, scale_factor, phase_map, imaging, one_sided
            )
    numbers: dict[str, Any] = {"found": summary_of(found)}
    if reference is not None:
        numbers["against"] = summary_of(reference)
        numbers["differences"] = compare_summaries(numbers["found"], numbers["against"])
    if coarse is not None and settings is not None:
        numbers["low_res_mismatch"] = mismatch(file, found, coarse, settings)
    typer.echo(table(numbers))
    if json_file is not None:
        options.write_text(json_file, json.dumps(numbers, indent=2) + "\n")


def read_segmented(
    path: Path, phases: Iterable[Phase] | None = None, as_slices: bool = False
) -> Segmented:
    """Read a volume, or slices where the file holds one image or `as_slices` says so."""
    from napari_superres.data.files import read_slices, read_volume

    expected = None if phases is None else tuple(phases)
    if as_slices:
        return read_slices([path], phases=expected)
    try:
        return read_volume(path, phases=expected)
    except ShapeError:
        return read_slices([path], phases=expected)


def with_common_phases(found: Segmented, wanted: Segmented) -> tuple[Segmented, Segmented]:
    """Return both with the phases of either; the wanted one's names stand."""
    by_value = {phase.value: phase for phase in (*found.phases, *wanted.phases)}
    phases = tuple(by_value[value] for value in sorted(by_value))
    return with_phases(found, phases), with_phases(wanted, phases)


def with_phases(item: Segmented, phases: tuple[Phase, ...]) -> Segmented:
    """Return the same labels as indices into `phases`, which has all values of `item`."""
    from napari_superres.data.volumes import values_of

    if isinstance(item, SegmentedVolume):
        return SegmentedVolume.from_labels(item.values, item.voxel_size, phases, item.name)
    sets = [[values_of(image, item.phases) for image in images] for images in item.sets]
    return SegmentedSlices.from_labels(sets, item.voxel_size, phases, item.name)


def as_slices(item: Segmented) -> SegmentedSlices:
    """Return the phases and voxel size of a result as those of high-res slices."""
    if isinstance(item, SegmentedSlices):
        return item
    return SegmentedSlices(((item.labels[0],),), item.phases, item.voxel_size, item.name)


def settings_for_mismatch(
    fine: SegmentedSlices,
    coarse: SegmentedVolume,
    scale_factor: str | None,
    phase_map: str | None,
    imaging: ImagingModel,
    one_sided: list[int] | None,
) -> TrainingSettings:
    """Return what the low-res mismatch needs to know, as a training would read it."""
    return validated(
        TrainingSettings,
        {
            "scale_factor": choose_scale_factor(scale_factor, coarse, fine),
            "phase_map": choose_phase_map(phase_map, coarse, fine),
            "imaging": imaging,
            "one_sided": tuple(one_sided or ()),
        },
    )


def mismatch(
    file: Path, found: Segmented, coarse: SegmentedVolume, settings: TrainingSettings
) -> float:
    """Return the low-res mismatch; a cropped volume is placed by its file's offset."""
    from napari_superres.measures.comparison import mismatch_of

    if isinstance(found, SegmentedSlices):
        raise ShapeError(
            f"{found.name} is no volume.", "The low-res mismatch needs one.", "Leave --low-res out."
        )
    return mismatch_of(coarse, as_slices(found), found, settings, first_voxel(file, coarse))


def first_voxel(file: Path, coarse: SegmentedVolume) -> Triple:
    """Return the first low-res voxel that a super-res file covers, from the offset it carries.

    The offset is the first voxel's centre relative to the low-res volume's, so the
    difference of the half voxels is taken off.
    """
    from napari_superres.data.tiff import read_tiff_metadata

    if file.suffix.lower() not in (".tif", ".tiff") or coarse.voxel_size is None:
        return (0, 0, 0)
    fine, offset, _ = read_tiff_metadata(file)
    if fine is None or offset is None:
        return (0, 0, 0)
    z, y, x = (
        round((start - (small - large) / 2) / large)
        for start, small, large in zip(offset, fine, coarse.voxel_size, strict=True)
    )
    return z, y, x


def summary_of(item: Segmented) -> dict[str, Any]:
    """Measure a volume or slices."""
    from napari_superres.measures.summary import measure_slices, measure_volume

    return measure_volume(item) if isinstance(item, SegmentedVolume) else measure_slices(item)


def table(numbers: Mapping[str, Any]) -> str:
    """Return the numbers as lines of text."""
    found, against = numbers["found"], numbers.get("against")
    lines = [found["name"] + (f" against {against['name']}" if against else "")]
    for measure_name, title in TITLES.items():
        if not found.get(measure_name):
            continue
        lines.append(title)
        for name, value in found[measure_name].items():
            line = f"  {name:32}{value:10.4f}"
            if against and name in against.get(measure_name, {}):
                wanted = against[measure_name][name]
                line += f"{wanted:10.4f}{value - wanted:+10.4f}"
            lines.append(line)
    differences = numbers.get("differences", {})
    for key, title in ERRORS.items():
        if differences.get(key) is not None:
            lines.append(f"{title:42}{differences[key]:10.4f}")
    if "low_res_mismatch" in numbers:
        lines.append(f"{'low-res mismatch':34}{numbers['low_res_mismatch']:10.4f}")
    return "\n".join(lines)
