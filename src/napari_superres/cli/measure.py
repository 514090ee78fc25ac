"""`measure`: volumes or slices, alone or against others, as a table, as JSON and as a report."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_superres.cli import common, options
from napari_superres.cli.fields import Fields, Given, with_options
from napari_superres.cli.measure_inputs import as_slices, read_measure_inputs
from napari_superres.cli.options import PAIR_OPTIONS
from napari_superres.cli.progress import Bar
from napari_superres.config import TrainingSettings
from napari_superres.data.volumes import Segmented, SegmentedSlices
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.events import Done, Progress
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.measuring import TRANSPORT
from napari_superres.measures.summary import QUICK_MEASURES, WITHOUT_TRANSPORT, Summary

FOR_MISMATCH = ("scale_factor", "phase_map", "imaging", "one_sided")
TITLES = {"high_res": "slices", "truth": "truth"}
ERRORS = {
    "volume_fraction_error": "volume-fraction error, mean over phases",
    "interface_area_error": "interface-area error, mean over pairs",
}


@with_options
def measure(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="F...", help="Segmented volume (several realisations of one), or slices."
        ),
    ],
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="F", help="A 3D truth (or one image) to compare with."),
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
    asked: Annotated[Given, Fields(TrainingSettings, FOR_MISMATCH, PAIR_OPTIONS)],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="F", help="Write all numbers to this file.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="F.html", help="Measure everything and write one page about it."
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture",
            metavar="F.png",
            help="Draw the volume in three planes, beside what it is compared with.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every measure but transport; a report has them anyway.")
    ] = False,
    transport: Annotated[
        bool, typer.Option("--transport", help="Transport efficiencies too; they take longest.")
    ] = False,
    figures: Annotated[
        bool, typer.Option("--figures", help="With the report, each chart as PNG and SVG.")
    ] = False,
) -> None:
    """Measure volume fractions, interface areas and the low-res mismatch, or everything.

    Slices (--high-res, or those of --run) and a 3D truth (--against) may both be
    given. The mismatch needs --run, or --low-res with the scale factor, phase map
    and imaging model. --json holds what the report tells, where there is one.
    """
    if run is not None:
        _check_alone({"high_res": high_res, "low_res": low_res, **asked})
    measured, inputs = read_measure_inputs(
        files, against, high_res, anisotropic, run, low_res, asked
    )
    if picture is not None:
        _write_picture(picture, measured[0], inputs)
    if report is not None:
        numbers = _write_report(report, measured, inputs, transport, figures)
    else:
        chosen = WITHOUT_TRANSPORT if everything else QUICK_MEASURES
        numbers = _measure(measured, inputs, [*chosen, *([TRANSPORT] if transport else [])])
    typer.echo(table(numbers))
    if json_file is not None:
        common.write_text(json_file, json.dumps(numbers, indent=2) + "\n")


def _check_alone(others: Mapping[str, object]) -> None:
    """Refuse what a run has of its own."""
    names = ("high_res", "low_res", "scale_factor", "phase_map", "one_sided")
    if given := [f"--{name.replace('_', '-')}" for name in names if others.get(name)]:
        raise SettingsError(
            f"--run is given together with {' and '.join(given)}.",
            "A run has its own slices, low-res volume and settings.",
            "Leave the others out.",
        )


def _write_picture(path: Path, first: Segmented, inputs: ReportInputs) -> None:
    """Draw the first volume beside what there is to compare it with, in three planes."""
    from napari_superres.measures.report.side_by_side import planes_figure

    if isinstance(first, SegmentedSlices):
        raise ShapeError(f"{first.name} is no volume.", "A picture in three planes is of one.")
    planes_figure(inputs, path)
    typer.echo(f"Picture  {path}")


def _write_report(
    path: Path,
    measured: Sequence[Segmented],
    inputs: ReportInputs,
    transport: bool,
    figures: bool,
) -> dict[str, Any]:
    """Measure everything a report shows, with a bar, and write it; return the numbers."""
    from napari_superres.measures.report.numbers import ReportOptions, measure_report
    from napari_superres.measures.report.writing import check_place, write_report

    if len(inputs.super_res) < len(measured):
        raise ShapeError("There are slices to report on.", "A report is about volumes.")
    check_place(path)
    numbers: dict[str, Any] = {}
    with Bar("report") as bar:
        for event in measure_report(inputs, ReportOptions(transport=transport)):
            if isinstance(event, Progress):
                bar.follow(event)
            elif event.result is not None:
                numbers = event.result
                written = write_report(path, inputs, numbers, figures)
    typer.echo("Report   " + ", ".join(str(file) for file in written))
    return numbers


def _measure(
    measured: Sequence[Segmented], inputs: ReportInputs, measures: Sequence[str]
) -> dict[str, Any]:
    """Return numbers as a report has them: what is measured, and how it differs."""
    from napari_superres.measures.comparison import FORMAT_VERSION, differences_of

    subjects = {"super_res": measured[0], "high_res": inputs.high_res, "truth": inputs.truth}
    known = {name: item for name, item in subjects.items() if item is not None}
    summaries = _summaries([*known.values(), *measured[1:]], measures)
    items = dict(zip(known, summaries, strict=False))
    numbers: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "items": items,
        "realisations": summaries[len(known) :],
        "differences": differences_of(items),
    }
    if (mismatch := _low_res_mismatch(measured[0], inputs)) is not None:
        numbers["low_res_mismatch"] = mismatch
    return numbers


def _summaries(items: Sequence[Segmented], measures: Sequence[str]) -> list[Summary]:
    """Measure one after the other; with a bar where it takes time."""
    from napari_superres.measures.measuring import Subject, measure_subjects

    def subject(item: Segmented) -> Subject:
        return Subject(item.name, lambda: item)

    found: list[Summary] = []
    with Bar("measure") if len(measures) > len(QUICK_MEASURES) else nullcontext() as bar:
        subjects = list(map(subject, items))
        for event in measure_subjects(subjects, None, measures, threading.Event()):
            if isinstance(event, Done):
                found = list(event.result.found) if event.result else []
            elif bar is not None:
                bar.follow(event)
    return found


def _low_res_mismatch(first: Segmented, inputs: ReportInputs) -> float | None:
    from napari_superres.measures.kinds.mismatch import mismatch_of

    low_res, settings = inputs.low_res, inputs.settings
    if low_res is None or settings is None:
        return None
    if isinstance(first, SegmentedSlices):
        raise ShapeError(
            f"{first.name} is no volume.", "The low-res mismatch needs one.", "Leave --low-res out."
        )
    return mismatch_of(low_res, as_slices(first), first, settings, inputs.offset)


def table(numbers: Mapping[str, Any]) -> str:
    """Return the numbers as lines of text: values, and each reference with the difference."""
    from napari_superres.measures.rows import gap_text, number, rows_of

    items = numbers["items"]
    found = [items["super_res"], *numbers["realisations"]]
    others = [key.removeprefix("super_res_") for key in numbers["differences"]]
    columns = [rows_of(found, items[name]) for name in others] or [rows_of(found)]
    titles = ["mean", "± s.d."] if len(found) > 1 else [found[0]["name"]]
    for name in others:
        titles += [items[name]["name"], "difference"]
    lines = [" " * 36 + "".join(f"{title[:14]:>16}" for title in titles)]
    before = ""
    for row, *rest in zip(*columns, strict=True):
        if row.title != before:
            lines.append(row.title)
            before = row.title
        cells = [number(row.mean)]
        if len(found) > 1:
            cells.append("–" if row.sd is None else f"{row.sd:.2g}")
        for one in (row, *rest) if others else ():
            cells += [number(one.reference), gap_text(one)]
        name = f"{row.entry} {row.axis}".rstrip()
        lines.append(f"  {name:34}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join([*lines, *_error_lines(numbers, others)])


def _error_lines(numbers: Mapping[str, Any], others: Sequence[str]) -> list[str]:
    lines = []
    for name in others:
        differences = numbers["differences"][f"super_res_{name}"]
        against = f", {TITLES[name]}" if len(others) > 1 else ""
        for key, title in ERRORS.items():
            if differences.get(key) is not None:
                lines.append(f"{title + against:50}{differences[key]:8.4f}")
    if numbers.get("low_res_mismatch") is not None:
        lines.append(f"{'low-res mismatch':50}{numbers['low_res_mismatch']:8.4f}")
    return lines
