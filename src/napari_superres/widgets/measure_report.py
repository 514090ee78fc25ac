"""The report of the loaded layers: one button, its progress, and where it was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QCheckBox, QFileDialog

from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.input_roles import LOW_RES, SUPER_RES, TRUTH, role_of
from napari_superres.widgets.layer_data import KEY, slices_from_layers, volume_from_layer
from napari_superres.widgets.layer_pickers import candidates, same
from napari_superres.widgets.measure_pickers import slice_layers
from napari_superres.widgets.measure_plan import view_of
from napari_superres.widgets.measure_report_plan import (
    ReportPlan,
    ReportWritten,
    first_low_res_voxel,
    report_events,
)
from napari_superres.widgets.results import Run
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.session import Session
from napari_superres.widgets.work_row import WorkRow

ReadInputs = tuple[
    Callable[[], SegmentedVolume] | None, Callable[[], SegmentedSlices | None] | None
]


def report_plan(
    viewer: Any, session: Session, realisations: Sequence[Any], transport: bool
) -> ReportPlan:
    """Gather what a report is made from: the inputs, the generated layers and the truth.

    Parameters
    ----------
    realisations : layers to report on; none for all generated ones

    Raises
    ------
    SettingsError
        There is no generated layer.
    """
    layers = candidates(viewer)
    chosen = [layer for layer in realisations if layer.ndim == 3]
    chosen = chosen or [layer for layer in reversed(layers) if role_of(layer) == SUPER_RES]
    if not chosen:
        raise SettingsError(
            "There is no volume to report on.", "A report needs at least one.", "Tick one above."
        )
    run, first = session.run, chosen[0]
    made_by = str((first.metadata.get(KEY) or {}).get("provenance", {}).get("run", ""))
    kept = _kept_inputs(run) if run is not None and made_by == str(run.folder) else None
    low_res, high_res = kept or _inputs(viewer, session)
    truth = next((layer for layer in layers if role_of(layer) == TRUTH), None)
    folder, offset = None, (0, 0, 0)
    other = run is not None and bool(made_by) and Path(made_by).name != run.folder.name
    if run is not None and not other and low_res is not None and KEY in first.metadata:
        folder = run.folder
        offset = first_low_res_voxel(first.translate, run.placement, run.scale_factor)
    return ReportPlan(
        tuple(view_of(layer) for layer in chosen),
        low_res,
        high_res,
        None if truth is None or any(same(truth, one) for one in chosen) else view_of(truth),
        folder,
        offset,
        transport,
    )


def _kept_inputs(run: Run) -> ReadInputs | None:
    """Return what reads the inputs that a run was trained with; others may be chosen by now."""
    from napari_superres.runs.folder import RunFolder

    folder = run.folder
    if not (folder / "config.json").is_file():
        return None

    def slices() -> SegmentedSlices | None:
        kept = RunFolder.open(folder)
        return kept.high_res() if kept.has_slices else None

    return lambda: RunFolder.open(folder).low_res(), slices


def _inputs(viewer: Any, session: Session) -> ReadInputs:
    """Return what reads the low-res volume and the high-res slices, in the report's thread."""
    inputs = session.inputs
    if inputs is not None:
        return lambda: inputs.low_res, lambda: inputs.high_res
    low = next((layer for layer in candidates(viewer) if role_of(layer) == LOW_RES), None)
    low_view = None if low is None else view_of(low)
    high_views = [view_of(layer) for layer in slice_layers(viewer)]
    return (
        None if low_view is None else lambda: volume_from_layer(low_view),
        (lambda: slices_from_layers(high_views)) if high_views else None,
    )


class ReportRow(WorkRow):
    """Report …, its progress, and the files it became."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        self.transport = QCheckBox("with transport")
        self.transport.setToolTip("Takes longest")
        super().__init__(
            session,
            "Report …",
            "One HTML file: slices, tables, violins, curves; its numbers as JSON and its "
            "charts as PNG and SVG beside it",
            "Not written.",
            beside=(self.transport,),
        )
        self.viewer, self.session, self.realisations = viewer, session, realisations
        self.button.clicked.connect(self._ask)

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
        self.runner.start("Writing a report", lambda stop: report_events(plan, path, stop))

    def _ask(self) -> None:
        start = str(Path.home() / "super-res-report.html")
        path, _ = QFileDialog.getSaveFileName(self, "Write report", start, "HTML (*.html)")
        if path:
            self.start(Path(path))

    def _on_state(self, state: RunState) -> None:
        super()._on_state(state)
        if state is RunState.STARTING:
            self.bar.setValue(0)
            self.status.setText("Reading the layers …")

    def told(self, text: str) -> str:
        """Return a stage as the beginning of a line."""
        return text[:1].upper() + text[1:]

    def finished(self, event: ReportWritten) -> None:
        """Say where it was written."""
        if event.paths:
            self.status.setText("Written: " + ", ".join(path.name for path in event.paths))
            show_info(f"The report is {event.paths[0]}. Open it in a browser.")
        else:
            self.status.setText("The report was cancelled.")
