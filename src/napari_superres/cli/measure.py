"""`measure`: volumes or slices, alone or against others, as a table, as JSON and as a report."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_superres.cli import options, results
from napari_superres.cli.measure_table import table
from napari_superres.cli.progress import Bar
from napari_superres.cli.question import Question, ask, place, settings_for_mismatch
from napari_superres.cli.report import write_picture_of, write_report_of
from napari_superres.cli.segmented import as_slices
from napari_superres.config import ImagingModel
from napari_superres.data.boxes import Triple
from napari_superres.data.common_phases import Segmented
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.summary import QUICK_MEASURES, WITHOUT_TRANSPORT, Summary
from napari_superres.measures.taking import TRANSPORT


def measure(
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
    _check_alone(
        run is not None,
        {"--high-res": high_res, "--low-res": low_res, "--scale-factor": scale_factor}
        | {"--phase-map": phase_map, "--one-sided": one_sided},
    )
    question = ask(files, against, high_res, anisotropic, run, low_res)
    if question.low_res is not None and question.settings is None:
        settings = settings_for_mismatch(question, scale_factor, phase_map, imaging, one_sided)
        question = replace(question, settings=settings)
    start = place(files[0], question)
    if picture is not None:
        write_picture_of(picture, question, start)
    if report is not None:
        numbers = write_report_of(report, question, start, transport, figures)
    else:
        chosen = [
            *(WITHOUT_TRANSPORT if everything else QUICK_MEASURES),
            *([TRANSPORT] if transport else []),
        ]
        numbers = answer(question, start, chosen)
    typer.echo(table(numbers))
    if json_file is not None:
        results.write_text(json_file, json.dumps(numbers, indent=2) + "\n")


def _check_alone(with_run: bool, others: Mapping[str, object]) -> None:
    given = [name for name, value in others.items() if value]
    if with_run and given:
        raise SettingsError(
            f"--run is given together with {' and '.join(given)}.",
            "A run has its own slices, low-res volume and settings.",
            "Leave the others out.",
        )


def answer(question: Question, start: Triple, measures: Sequence[str]) -> dict[str, Any]:
    """Measure, and compare where there is something to compare with; JSON-able.

    The same numbers at the same places as those of a report, see `measure_report`.
    """
    from napari_superres.measures.comparison import FORMAT_VERSION, compare_summaries

    subjects = {"super_res": question.found[0], **question.references}
    summaries = summaries_of([*subjects.values(), *question.found[1:]], measures)
    items = dict(zip(subjects, summaries, strict=False))
    numbers: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "items": items,
        "realisations": summaries[len(subjects) :],
        "differences": {
            f"super_res_{name}": compare_summaries(items["super_res"], items[name])
            for name in question.references
        },
    }
    if question.low_res is not None and question.settings is not None:
        numbers["low_res_mismatch"] = mismatch(question, start)
    return numbers


def summaries_of(items: Sequence[Segmented], measures: Sequence[str]) -> list[Summary]:
    """Measure one after the other; with a bar where it takes time."""
    from napari_superres.measures.taking import MeasuringFinished, Subject, measure_subjects

    subjects = [Subject(item.name, partial(_itself, item)) for item in items]
    events = measure_subjects(subjects, None, measures, threading.Event())
    found: list[Summary] = []
    with Bar("measure") if len(measures) > len(QUICK_MEASURES) else nullcontext() as bar:
        for event in events:
            if isinstance(event, MeasuringFinished):
                found = list(event.found)
            elif bar is not None:
                bar.show(event.progress, event.text)
    return found


def _itself(item: Segmented) -> Segmented:
    return item


def mismatch(question: Question, start: Triple) -> float:
    """Return the low-res mismatch of the first volume, which starts at a low-res voxel."""
    from napari_superres.measures.mismatch import mismatch_of

    found, coarse, settings = question.found[0], question.low_res, question.settings
    assert coarse is not None
    assert settings is not None
    if isinstance(found, SegmentedSlices):
        raise ShapeError(
            f"{found.name} is no volume.", "The low-res mismatch needs one.", "Leave --low-res out."
        )
    return mismatch_of(coarse, as_slices(found), found, settings, start)
