"""The report of the loaded layers: its button, what it is made from, and its writing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QCheckBox, QFileDialog, QPushButton

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import RunFolderError, SettingsError, SuperResError
from napari_superres.events import Done, FinishReason, Progress
from napari_superres.widgets.jobs.job_row import JobRow, job_line
from napari_superres.widgets.layers.data import slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.notes import (
    KEY,
    LOW_RES,
    SUPER_RES,
    TRUTH,
    note_of,
    role_of,
    same_layer,
)
from napari_superres.widgets.layers.view import LayerView, view_of
from napari_superres.widgets.measure.pickers import slice_layers
from napari_superres.widgets.parts.layer_pickers import candidates
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.session import Session

ReadInputs = tuple[
    Callable[[], SegmentedVolume] | None, Callable[[], SegmentedSlices | None] | None
]


class ReportRow(JobRow):
    """The button of the report, its progress, and the files that were written."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        self.transport = QCheckBox("with transport")
        self.transport.setToolTip("Takes longest")
        self.button = QPushButton("Report …")
        self.button.setToolTip(
            "One HTML file: slices, tables, violins, curves; its numbers as JSON and its "
            "charts as PNG and SVG beside it"
        )
        super().__init__(
            session.new_runner(),
            (self.button, self.transport),
            begins="Reading the layers …",
            failed="Not written.",
            cancelled="The report was cancelled.",
            line=_stage_line,
        )
        self.viewer, self.session, self.realisations = viewer, session, realisations
        self.button.clicked.connect(self._ask)
        self.changed.connect(lambda: self.button.setEnabled(not self.active))

    def start(self, path: Path) -> None:
        """Write a report of the layers."""
        try:
            plan = report_plan(
                self.viewer, self.session, self.realisations(), self.transport.isChecked()
            )
        except SuperResError as error:
            show_error(str(error))
            return
        if path.suffix.lower() not in (".html", ".htm"):
            path = path.with_name(path.name + ".html")
        self.begin("Writing a report", lambda stop: report_events(plan, path, stop), self._show)

    def _ask(self) -> None:
        start = str(Path.home() / "super-res-report.html")
        path, _ = QFileDialog.getSaveFileName(self, "Write report", start, "HTML (*.html)")
        if path:
            self.start(Path(path))

    def _show(self, written: list[Path]) -> None:
        self.status.setText("Written: " + ", ".join(path.name for path in written))
        show_info(f"The report is {written[0]}. Open it in a browser.")


def _stage_line(event: object) -> str | None:
    """Return a stage of a report as a line; its text begins with a small letter."""
    line = job_line(event)
    return None if line is None else line[:1].upper() + line[1:]


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


def report_plan(
    viewer: Any, session: Session, realisations: Sequence[Any], transport: bool
) -> ReportPlan:
    """Gather the inputs, the realisations (by default all generated layers) and the truth."""
    layers = candidates(viewer)
    chosen = [layer for layer in realisations if layer.ndim == 3]
    chosen = chosen or [layer for layer in reversed(layers) if role_of(layer) == SUPER_RES]
    if not chosen:
        raise SettingsError(
            "There is no volume to report on.", "A report needs at least one.", "Tick one above."
        )
    run, first = session.fusion.run, chosen[0]
    made_by = str(note_of(first.metadata).get("provenance", {}).get("run", ""))
    kept = _kept_inputs(run) if run is not None and made_by == str(run.folder) else None
    low_res, high_res = kept or _inputs(viewer, session)
    truth = next((layer for layer in layers if role_of(layer) == TRUTH), None)
    folder, offset = None, (0, 0, 0)
    other = run is not None and bool(made_by) and Path(made_by).name != run.folder.name
    if run is not None and not other and low_res is not None and KEY in first.metadata:
        folder = run.folder
        offset = run.placement.start_of(first.translate, run.scale_factor)
    return ReportPlan(
        tuple(view_of(layer) for layer in chosen),
        low_res,
        high_res,
        None if truth is None or any(same_layer(truth, one) for one in chosen) else view_of(truth),
        folder,
        offset,
        transport,
    )


def _kept_inputs(run: FusionRun) -> ReadInputs | None:
    """Return what reads the inputs that a run was trained with; others may be chosen by now."""
    from napari_superres.runs import run as runs
    from napari_superres.runs.config import FUSION

    folder = run.folder
    if not (folder / "config.json").is_file():
        return None

    def slices() -> SegmentedSlices | None:
        kept = runs.Run.open(folder, FUSION)
        return kept.high_res() if kept.has_slices else None

    return lambda: runs.Run.open(folder, FUSION).low_res(), slices


def _inputs(viewer: Any, session: Session) -> ReadInputs:
    """Return what reads the low-res volume and the high-res slices, in the report's thread."""
    inputs = session.fusion.inputs
    if inputs is not None:
        return lambda: inputs.pair.low_res, lambda: inputs.pair.high_res
    low = next((layer for layer in candidates(viewer) if role_of(layer) == LOW_RES), None)
    low_view = None if low is None else view_of(low)
    high_views = [view_of(layer) for layer in slice_layers(viewer)]
    return (
        None if low_view is None else lambda: volume_from_layer(low_view),
        (lambda: slices_from_layers(high_views)) if high_views else None,
    )


def report_events(
    plan: ReportPlan, path: Path, stop: threading.Event
) -> Iterator[Progress | Done[list[Path]]]:
    """Measure and write a report, yielding Progress, then Done with the files."""
    from napari_superres.measures.inputs import ReportInputs
    from napari_superres.measures.report.numbers import ReportOptions, measure_report
    from napari_superres.measures.report.writing import check_place, write_report

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
            yield Done(reason=FinishReason.STOPPED)
            return
        if isinstance(event, Progress):
            yield event
        elif event.result is not None:
            yield Done(write_report(path, inputs, event.result, plan.figures))


def _settings_of(folder: Path) -> TrainingSettings | None:
    from napari_superres.runs.config import FUSION
    from napari_superres.runs.run import Run

    try:
        return Run.open(folder, FUSION).settings
    except RunFolderError:
        return None  # a report without settings is still a report
