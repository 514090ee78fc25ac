"""What a report of layers is made from, read and written in a thread; no Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import RunFolderError
from napari_superres.events import FinishReason
from napari_superres.scale_factor import ScaleFactor
from napari_superres.widgets.geometry import first_voxel_in_low_res
from napari_superres.widgets.layer_data import volume_from_layer
from napari_superres.widgets.measure_plan import LayerView
from napari_superres.widgets.placement import Placement


@dataclass(frozen=True, eq=False)
class ReportPlan:
    """What a report is made from; everything is read in the thread.

    Attributes
    ----------
    super_res : the realisations
    low_res, high_res : read them; None for none
    truth : None for none
    run_folder : of the training, for its settings; None for none
    offset : first low-res voxel that the realisations cover
    transport : whether to measure transport too
    figures : whether to write each chart as PNG and SVG too
    """

    super_res: tuple[LayerView, ...]
    low_res: Callable[[], SegmentedVolume] | None
    high_res: Callable[[], SegmentedSlices | None] | None
    truth: LayerView | None
    run_folder: Path | None
    offset: Triple = (0, 0, 0)
    transport: bool = False
    figures: bool = True


@dataclass(frozen=True)
class ReportWritten:
    """Last event of a report: the files, none when it was stopped."""

    reason: FinishReason
    paths: tuple[Path, ...] = ()


def report_events(plan: ReportPlan, path: Path, stop: threading.Event) -> Iterator[Any]:
    """Measure and write a report.

    Yields
    ------
    ReportProgress, then ReportWritten

    Raises
    ------
    SuperResError
        The layers cannot be used, or the file cannot be written.
    """
    from napari_superres.measures.report import check_place, write_report
    from napari_superres.measures.report_numbers import (
        ReportInputs,
        ReportMeasured,
        ReportOptions,
        measure_report,
    )

    check_place(path)
    truth = None if plan.truth is None else volume_from_layer(plan.truth)
    inputs = ReportInputs(
        tuple(volume_from_layer(view) for view in plan.super_res),
        None if plan.low_res is None else plan.low_res(),
        None if plan.high_res is None else plan.high_res(),
        truth,
        None if plan.run_folder is None else _settings_of(plan.run_folder),
        plan.offset,
    )
    for event in measure_report(inputs, ReportOptions(transport=plan.transport)):
        if stop.is_set():
            yield ReportWritten(FinishReason.STOPPED)
            return
        if isinstance(event, ReportMeasured):
            written = write_report(path, inputs, event.numbers, plan.figures)
            yield ReportWritten(FinishReason.COMPLETED, tuple(written))
        else:
            yield event


def _settings_of(folder: Path) -> TrainingSettings | None:
    from napari_superres.runs.folder import RunFolder

    try:
        return RunFolder.open(folder).config.settings
    except RunFolderError:
        return None  # a report without settings is still a report


def first_low_res_voxel(
    translate: Sequence[float], low_res: Placement, scale_factor: ScaleFactor
) -> Triple:
    """Return the first low-res voxel that a super-res layer covers, from where both lie.

    Parameters
    ----------
    translate : of the super-res layer, which is turned as the low-res one is
    low_res : where that one lies
    """
    shift = np.array(translate, np.float64) - low_res.translate
    first = np.linalg.solve(low_res.linear, shift) - first_voxel_in_low_res(scale_factor)
    z, y, x = (round(float(at)) for at in first)
    return z, y, x
