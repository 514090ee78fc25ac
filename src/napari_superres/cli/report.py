"""The report that `measure --report` writes."""

from __future__ import annotations

from pathlib import Path

import typer

from napari_superres.cli.progress import Bar
from napari_superres.cli.segmented import Segmented
from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.output import check_writable
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import ShapeError


def write_report_of(
    path: Path,
    found: Segmented,
    reference: Segmented | None,
    low_res: SegmentedVolume | None,
    settings: TrainingSettings | None,
    offset: Triple,
    transport: bool,
) -> None:
    """Measure everything a report shows, with a bar, and write it.

    Parameters
    ----------
    path : of the HTML file
    found : the super-res volume
    reference : high-res slices, or the 3D truth
    low_res, settings, offset : for the low-res mismatch, see `ReportInputs`
    transport : whether to measure transport efficiencies too

    Raises
    ------
    ShapeError
        When `found` is no volume.
    OutputError
        When the report cannot be written.
    """
    from napari_superres.measures.report import write_report
    from napari_superres.measures.report_numbers import (
        ReportInputs,
        ReportMeasured,
        ReportOptions,
        measure_report,
    )

    if isinstance(found, SegmentedSlices):
        raise ShapeError(f"{found.name} is no volume.", "A report is about a volume.")
    check_writable(path)
    inputs = ReportInputs(
        (found,),
        low_res,
        high_res=reference if isinstance(reference, SegmentedSlices) else None,
        truth=reference if isinstance(reference, SegmentedVolume) else None,
        settings=settings,
        offset=offset,
    )
    with Bar("report") as bar:
        for event in measure_report(inputs, ReportOptions(transport=transport)):
            if isinstance(event, ReportMeasured):
                written = write_report(path, inputs, event.numbers)
            else:
                bar.show(event.progress, event.text)
    typer.echo("Report   " + ", ".join(str(file) for file in written))
