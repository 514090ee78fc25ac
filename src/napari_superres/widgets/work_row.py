"""A button that starts work in a thread, its progress, Cancel, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_superres.widgets.run_state import ACTIVE, RunState
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Note


class WorkRow(QWidget):
    """What rows with such a button have in common; subclasses say what is done.

    Parameters
    ----------
    session : stops the work when the panel is closed
    text, tip : of the button
    failed : told before the error where it fails
    above : what stands above the button
    beside : what stands between the button and Cancel
    """

    def __init__(
        self,
        session: Session,
        text: str,
        tip: str,
        failed: str,
        above: QLayout | None = None,
        beside: Sequence[QWidget] = (),
    ) -> None:
        super().__init__()
        self.runner = session.new_runner()
        self._failed = failed
        self.button, self.cancel = QPushButton(text), QPushButton("Cancel")
        self.button.setToolTip(tip)
        self.cancel.setToolTip("Stop; nothing is kept of it")
        self.bar, self.status = QProgressBar(), Note()
        row = QHBoxLayout()
        row.addWidget(self.button, 1)
        for widget in (*beside, self.cancel):
            row.addWidget(widget)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        if above is not None:
            self.column.addLayout(above)
        self.column.addLayout(row)
        self.column.addWidget(self.bar)
        self.column.addWidget(self.status)
        self.bar.hide()
        self.cancel.hide()
        self.cancel.clicked.connect(self.runner.stop)
        self.runner.state_changed.connect(self._on_state)
        self.runner.event.connect(self._on_event)
        self.runner.failed.connect(self._on_failed)

    @property
    def active(self) -> bool:
        """Whether the work is under way."""
        return self.runner.state in ACTIVE

    def refresh(self) -> None:
        """Show what can be done now."""
        self.button.setEnabled(not self.active)

    def told(self, text: str) -> str:
        """Return how a stage of the work is called."""
        return text

    def finished(self, event: Any) -> None:
        """Show what came of the work: its last event."""
        raise NotImplementedError

    def _on_state(self, _state: RunState) -> None:
        self.bar.setVisible(self.active)
        self.cancel.setVisible(self.active)
        self.refresh()

    def _on_event(self, event: Any) -> None:
        if hasattr(event, "progress"):
            self.bar.setValue(round(100 * event.progress))
            self.status.setText(f"{self.told(event.text)} …")
        else:
            self.finished(event)

    def _on_failed(self, error: Exception) -> None:
        self.status.setText(f"<b>{self._failed}</b> {escape(str(error))}")
