"""The report and the picture that `measure` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from napari_superres.cli.progress import Bar
from napari_superres.cli.question import Question
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import ShapeError


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
    from napari_superres.measures.report import check_place, write_report
    from napari_superres.measures.report_numbers import (
        ReportInputs,
        ReportMeasured,
        ReportOptions,
        measure_report,
    )

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
    from napari_superres.measures.planes import planes_figure

    found = question.found[0]
    if not isinstance(found, SegmentedVolume):
        raise ShapeError(f"{found.name} is no volume.", "A picture in three planes is of one.")
    inputs = (question.low_res, question.high_res, question.truth, question.settings)
    planes_figure(found, path, *inputs, offset=offset)
    typer.echo(f"Picture  {path}")
