"""`measure`: volumes or slices, alone or against others, as a table, as JSON and as a report."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from napari_superres.cli import common, options
from napari_superres.cli.pair import choose_phase_map, choose_scale_factor
from napari_superres.cli.progress import Bar
from napari_superres.cli.segmented import as_slices, first_voxel, read_segmented
from napari_superres.config import ImagingModel, TrainingSettings, validated
from napari_superres.data.boxes import Triple
from napari_superres.data.common_phases import (
    Segmented,
    common_phases,
    slices_with_phases,
    volume_with_phases,
    with_phases,
)
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.summary import QUICK_MEASURES, WITHOUT_TRANSPORT, Summary
from napari_superres.measures.taking import TRANSPORT
from napari_superres.scale_factor import super_res_shape


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
        common.write_text(json_file, json.dumps(numbers, indent=2) + "\n")


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
    from napari_superres.measures.kinds.mismatch import mismatch_of

    found, coarse, settings = question.found[0], question.low_res, question.settings
    assert coarse is not None
    assert settings is not None
    if isinstance(found, SegmentedSlices):
        raise ShapeError(
            f"{found.name} is no volume.", "The low-res mismatch needs one.", "Leave --low-res out."
        )
    return mismatch_of(coarse, as_slices(found), found, settings, start)


TITLES = {"high_res": "slices", "truth": "truth"}
ERRORS = {
    "volume_fraction_error": "volume-fraction error, mean over phases",
    "interface_area_error": "interface-area error, mean over pairs",
}


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


_Item = TypeVar("_Item", bound=Segmented)


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be measured, and against what, all over the same phases.

    Attributes
    ----------
    found : one volume or set of slices; or several realisations
    high_res, truth : to compare with; None for none
    low_res, settings : for the low-res mismatch; None for none
    """

    found: tuple[Segmented, ...]
    high_res: SegmentedSlices | None = None
    truth: SegmentedVolume | None = None
    low_res: SegmentedVolume | None = None
    settings: TrainingSettings | None = None

    @property
    def references(self) -> dict[str, Segmented]:
        """What there is to compare with, by item name."""
        both = {"high_res": self.high_res, "truth": self.truth}
        return {name: item for name, item in both.items() if item is not None}


def ask(
    files: list[Path],
    against: Path | None,
    high_res: list[Path] | None,
    anisotropic: bool,
    run: Path | None,
    low_res: Path | None,
) -> Question:
    """Read everything, over the phases that any of it has.

    Raises
    ------
    SettingsError
        Two references of the same kind.
    """
    from napari_superres.data.files.segmented import read_slices, read_volume
    from napari_superres.runs.config import FUSION, HIGH_RES
    from napari_superres.runs.run import Run

    folder = None if run is None else Run.open(run, FUSION)
    slices = folder.high_res() if folder is not None and folder.has_slices else None
    if high_res:
        slices = read_slices(high_res, anisotropic=anisotropic)
    known = None if folder is None else folder.kept(HIGH_RES).phases
    found = tuple(read_segmented(file, phases=known) for file in files)
    other = None if against is None else read_segmented(against)
    if isinstance(other, SegmentedSlices) and slices is not None:
        raise SettingsError(
            f"{other.name} is an image, and there are high-res slices to compare with already.",
            "With slices, --against takes a 3D truth.",
            "Leave one of the two out.",
        )
    truth = other if isinstance(other, SegmentedVolume) else None
    slices = other if isinstance(other, SegmentedSlices) else slices
    phases = common_phases([*found, *(item for item in (truth, slices) if item is not None)])
    coarse = None if folder is None else folder.low_res()
    measured = tuple(with_phases(item, phases) for item in found)
    return Question(
        tuple(_sized(item, measured[0]) for item in measured),
        None if slices is None else slices_with_phases(slices, phases),
        None if truth is None else _sized(volume_with_phases(truth, phases), measured[0]),
        coarse if low_res is None else read_volume(low_res),
        None if folder is None else folder.settings,
    )


def _sized(item: _Item, first: Segmented) -> _Item:
    """Return a volume of unknown voxel size with that of the first, on whose grid it lies."""
    if isinstance(item, SegmentedVolume) and isinstance(first, SegmentedVolume):
        return replace(item, voxel_size=item.voxel_size or first.voxel_size)
    return item


def settings_for_mismatch(
    question: Question,
    scale_factor: str | None,
    phase_map: str | None,
    imaging: ImagingModel,
    one_sided: list[int] | None,
) -> TrainingSettings:
    """Return what the low-res mismatch needs to know, as a training would read it."""
    assert question.low_res is not None
    pair = Pair(question.low_res, as_slices(question.found[0]))
    return validated(
        TrainingSettings,
        {
            "scale_factor": choose_scale_factor(scale_factor, pair),
            "phase_map": choose_phase_map(phase_map, pair),
            "imaging": imaging,
            "one_sided": tuple(one_sided or ()),
        },
    )


def place(file: Path, question: Question) -> Triple:
    """Return the first low-res voxel that the file covers; the first of all where none is known."""
    from napari_superres.data.examples.simulate import low_res_shape

    found, coarse, settings = question.found[0], question.low_res, question.settings
    if isinstance(found, SegmentedSlices) or coarse is None or settings is None:
        return (0, 0, 0)
    factor = settings.scale_factor
    whole = found.shape == super_res_shape(coarse.shape, factor)
    return first_voxel(file, coarse, low_res_shape(found.shape, factor), whole)


def write_report_of(
    path: Path, question: Question, offset: Triple, transport: bool, figures: bool
) -> dict[str, Any]:
    """Measure everything a report shows, with a bar, and write it.

    Parameters
    ----------
    path : of the HTML file
    question : one super-res volume or several realisations, and what there is beside
    offset : first low-res voxel that the volumes cover
    transport : whether to measure transport efficiencies too
    figures : whether to write each chart as PNG and SVG too

    Returns
    -------
    dict
        The numbers that the report tells.

    Raises
    ------
    ShapeError
        When what was found is no volume.
    OutputError
        When the report cannot be written.
    """
    from napari_superres.measures.report.numbers import (
        ReportInputs,
        ReportMeasured,
        ReportOptions,
        measure_report,
    )
    from napari_superres.measures.report.writing import check_place, write_report

    volumes = [item for item in question.found if isinstance(item, SegmentedVolume)]
    if len(volumes) < len(question.found):
        raise ShapeError("There are slices to report on.", "A report is about volumes.")
    check_place(path)
    inputs = ReportInputs(
        tuple(volumes),
        question.low_res,
        question.high_res,
        question.truth,
        question.settings,
        offset,
    )
    numbers: dict[str, Any] = {}
    with Bar("report") as bar:
        for event in measure_report(inputs, ReportOptions(transport=transport)):
            if isinstance(event, ReportMeasured):
                numbers = event.numbers
                written = write_report(path, inputs, numbers, figures)
            else:
                bar.show(event.progress, event.text)
    typer.echo("Report   " + ", ".join(str(file) for file in written))
    return numbers


def write_picture_of(path: Path, question: Question, offset: Triple) -> None:
    """Draw the first volume beside what there is to compare it with, in three planes.

    Parameters
    ----------
    path : of the picture
    question : a volume, and what there is beside
    offset : first low-res voxel that the volume covers

    Raises
    ------
    ShapeError
        When what was found is no volume.
    OutputError
        When the picture cannot be written.
    """
    from napari_superres.measures.report.planes import planes_figure

    found = question.found[0]
    if not isinstance(found, SegmentedVolume):
        raise ShapeError(f"{found.name} is no volume.", "A picture in three planes is of one.")
    inputs = (question.low_res, question.high_res, question.truth, question.settings)
    planes_figure(found, path, *inputs, offset=offset)
    typer.echo(f"Picture  {path}")
