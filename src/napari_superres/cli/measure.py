"""`measure`: a volume or slices, alone or against another, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_superres.cli import options
from napari_superres.cli.report import write_report_of
from napari_superres.cli.segmented import (
    Segmented,
    as_slices,
    first_voxel,
    read_reference,
    read_segmented,
    summary_of,
    with_common_phases,
)
from napari_superres.cli.train import choose_phase_map, choose_scale_factor
from napari_superres.config import ImagingModel, TrainingSettings, validated
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError, ShapeError

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
        typer.Option("--against", metavar="F", help="A volume (or one image) to compare with."),
    ] = None,
    high_res: Annotated[
        list[Path] | None,
        typer.Option(
            "--high-res",
            metavar="F...",
            help="High-res slices to compare with: a stack counts as many slices.",
        ),
    ] = None,
    anisotropic: options.Anisotropic = False,
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
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="F.html", help="Measure everything and write one page about it."
        ),
    ] = None,
    transport: Annotated[
        bool, typer.Option("--transport", help="In the report, transport too; it takes longest.")
    ] = False,
) -> None:
    """Measure volume fractions, interface areas and the low-res mismatch.

    The mismatch needs --run, or --low-res with the scale factor, phase map and
    imaging model.
    """
    references = sum(map(bool, (against, high_res, run)))
    if references > 1 or (run is not None and low_res is not None):
        raise SettingsError(
            "More than one of --against, --high-res and --run is given, or --run and --low-res.",
            "One reference is needed; a run has its own slices and low-res volume.",
            "Leave the others out.",
        )
    if run is not None:
        question = question_about_run(file, run)
    else:
        reference = read_reference(against, high_res, anisotropic)
        question = question_about_files(file, reference, low_res)
    if question.low_res is not None and question.settings is None:
        settings = settings_for_mismatch(question, scale_factor, phase_map, imaging, one_sided)
        question = replace(question, settings=settings)
    numbers = answer(file, question)
    typer.echo(table(numbers))
    if json_file is not None:
        options.write_text(json_file, json.dumps(numbers, indent=2) + "\n")
    if report is not None:
        start = place(file, question)
        write_report_of(
            report,
            question.found,
            question.reference,
            question.low_res,
            question.settings,
            start,
            transport,
        )


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be measured, and against what."""

    found: Segmented
    reference: Segmented | None = None
    low_res: SegmentedVolume | None = None
    settings: TrainingSettings | None = None


def question_about_run(file: Path, run: Path) -> Question:
    """Ask how far a generated file is from its run's inputs."""
    from napari_superres.runs.folder import RunFolder

    folder = RunFolder.open(run)
    reference = folder.high_res()
    found = read_segmented(file, phases=reference.phases)
    return Question(found, reference, folder.low_res(), folder.config.settings)


def question_about_files(file: Path, reference: Segmented | None, low_res: Path | None) -> Question:
    """Ask how far a file is from others."""
    from napari_superres.data.files import read_volume

    found = read_segmented(file)
    if reference is not None:
        found, reference = with_common_phases(found, reference)
    return Question(found, reference, None if low_res is None else read_volume(low_res))


def answer(file: Path, question: Question) -> dict[str, Any]:
    """Measure, and compare where there is something to compare with; JSON-able."""
    from napari_superres.measures.comparison import compare_summaries

    numbers: dict[str, Any] = {"found": summary_of(question.found)}
    if question.reference is not None:
        numbers["against"] = summary_of(question.reference)
        numbers["differences"] = compare_summaries(numbers["found"], numbers["against"])
    if question.low_res is not None and question.settings is not None:
        numbers["low_res_mismatch"] = mismatch(file, question)
    return numbers


def settings_for_mismatch(
    question: Question,
    scale_factor: str | None,
    phase_map: str | None,
    imaging: ImagingModel,
    one_sided: list[int] | None,
) -> TrainingSettings:
    """Return what the low-res mismatch needs to know, as a training would read it."""
    assert question.low_res is not None
    fine = as_slices(question.found)
    return validated(
        TrainingSettings,
        {
            "scale_factor": choose_scale_factor(scale_factor, question.low_res, fine),
            "phase_map": choose_phase_map(phase_map, question.low_res, fine),
            "imaging": imaging,
            "one_sided": tuple(one_sided or ()),
        },
    )


def mismatch(file: Path, question: Question) -> float:
    """Return the low-res mismatch; a cropped volume is placed by its file's offset."""
    from napari_superres.measures.comparison import mismatch_of

    found, coarse, settings = question.found, question.low_res, question.settings
    assert coarse is not None
    assert settings is not None
    if isinstance(found, SegmentedSlices):
        raise ShapeError(
            f"{found.name} is no volume.", "The low-res mismatch needs one.", "Leave --low-res out."
        )
    return mismatch_of(coarse, as_slices(found), found, settings, place(file, question))


def place(file: Path, question: Question) -> Triple:
    """Return the first low-res voxel that the file covers; the first of all where none is known."""
    from napari_superres.data.simulate import low_res_shape

    found, coarse, settings = question.found, question.low_res, question.settings
    if isinstance(found, SegmentedSlices) or coarse is None or settings is None:
        return (0, 0, 0)
    return first_voxel(file, coarse, low_res_shape(found.shape, settings.scale_factor))


def table(numbers: Mapping[str, Any]) -> str:
    """Return the numbers as lines of text."""
    found, against = numbers["found"], numbers.get("against")
    titles = [found["name"], *([against["name"], "difference"] if against else [])]
    lines = [" " * 34 + "".join(f"{title[:14]:>16}" for title in titles)]
    for measure_name, title in TITLES.items():
        if not found.get(measure_name):
            continue
        lines.append(title)
        for name, value in found[measure_name].items():
            line = f"  {name:32}{value:16.4f}"
            if against and name in against.get(measure_name, {}):
                wanted = against[measure_name][name]
                line += f"{wanted:16.4f}{value - wanted:+16.4f}"
            lines.append(line)
    differences = numbers.get("differences", {})
    for key, title in ERRORS.items():
        if differences.get(key) is not None:
            lines.append(f"{title:42}{differences[key]:8.4f}")
    if "low_res_mismatch" in numbers:
        lines.append(f"{'low-res mismatch':42}{numbers['low_res_mismatch']:8.4f}")
    return "\n".join(lines)
