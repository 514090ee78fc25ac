"""Measures of the ticked realisations, their mean and spread beside a reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_superres.errors import SuperResError
from napari_superres.measures.rows import rows_of
from napari_superres.measures.summary import QUICK_MEASURES
from napari_superres.measures.taking import MeasuringFinished, MeasuringProgress, measure_subjects
from napari_superres.widgets.layer_pickers import candidates
from napari_superres.widgets.measure_pickers import ReferenceCombo, has_slices, reference_subject
from napari_superres.widgets.measure_plan import can_be_measured, subject_of, view_of
from napari_superres.widgets.measure_table import MeasureTable
from napari_superres.widgets.measure_text import finished_line
from napari_superres.widgets.run_state import ACTIVE, RunState
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Note, new_form
from napari_superres.widgets.theme import theme_colours


class SpreadTable(QWidget):
    """The quick measures of several volumes; all others are in the Measure step."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        super().__init__()
        self.viewer, self.session, self.realisations = viewer, session, realisations
        self.runner = session.new_runner()
        self.reference = ReferenceCombo()
        self.measure, self.cancel = QPushButton("Measure"), QPushButton("Cancel")
        self.measure.setToolTip("Fractions, interfaces and triple phase boundary of each")
        self.bar, self.status, self.table = QProgressBar(), Note(), MeasureTable()
        form = new_form()
        form.addRow("Compare with", self.reference)
        row = QHBoxLayout()
        row.addWidget(self.measure, 1)
        row.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        layout.addWidget(self.table)
        self.bar.hide()
        self.cancel.hide()
        self.cancel.setToolTip("Stop; nothing is kept of it")
        self.measure.clicked.connect(self.start)
        self.cancel.clicked.connect(self.runner.stop)
        self.runner.state_changed.connect(self._on_state)
        self.runner.event.connect(self._on_event)
        self.runner.failed.connect(self._on_failed)
        self.viewer.events.theme.connect(self._on_theme)
        session.inputs_changed.connect(self.refresh)
        session.run_changed.connect(self.refresh)

    def start(self) -> None:
        """Measure in a thread."""
        subjects = [subject_of(view_of(layer)) for layer in self.realisations()]
        if not subjects:
            show_error("No volume is ticked. Tick at least one.")
            return
        reference = reference_subject(self.reference, self.viewer, self.session)
        self.runner.start(
            "Measuring", lambda stop: measure_subjects(subjects, reference, QUICK_MEASURES, stop)
        )

    def refresh(self) -> None:
        """Show what can be done now."""
        active = self.runner.state in ACTIVE
        volumes = [one for one in candidates(self.viewer) if one.ndim == 3 and can_be_measured(one)]
        self.reference.refill(volumes, has_slices(self.viewer, self.session))
        self.measure.setEnabled(bool(self.realisations()) and not active)
        self.cancel.setVisible(active)

    def _on_theme(self, _event: object = None) -> None:
        self.table.recolour(theme_colours(self.viewer).background)

    def _on_state(self, state: RunState) -> None:
        self.bar.setVisible(state in ACTIVE)
        self.refresh()

    def _on_event(self, event: Any) -> None:
        if isinstance(event, MeasuringProgress):
            self.bar.setValue(round(100 * event.progress))
            self.status.setText(f"{event.text} …")
        elif isinstance(event, MeasuringFinished):
            self._show(event)

    def _show(self, finished: MeasuringFinished) -> None:
        try:
            rows = rows_of(finished.found, finished.reference) if finished.found else []
        except SuperResError as error:  # no label value in common
            self._on_failed(error)
            return
        self.status.setText(finished_line(finished, rows))
        if rows:
            self.table.show_result(finished, rows, theme_colours(self.viewer).background)

    def _on_failed(self, error: Exception) -> None:
        self.status.setText(f"<b>Not measured.</b> {error}")
