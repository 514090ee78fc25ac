"""A button that starts work in a thread, its progress, Cancel, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_superres.errors import SettingsError, SuperResError
from napari_superres.events import FinishReason
from napari_superres.widgets.jobs.run_state import ACTIVE, RunState
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from napari_superres.widgets.jobs.words import left, progress_percent
from napari_superres.widgets.parts.layout import Note


class WorkRow(QWidget):
    """What rows with such a button have in common; subclasses say what is done.

    Parameters
    ----------
    runner : does the work in a thread
    text, tip : of the button
    failed : told before the error where it fails
    above : what stands above the button
    beside : what stands between the button and Cancel
    """

    def __init__(
        self,
        runner: StreamRunner,
        text: str,
        tip: str,
        failed: str,
        above: QLayout | None = None,
        beside: Sequence[QWidget] = (),
    ) -> None:
        super().__init__()
        self.runner = runner
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


class JobRow(QWidget):
    """Runs streams of events and hands over the last one.

    Signals
    -------
    changed : a job started or ended
    """

    changed = Signal()

    def __init__(self, runner: StreamRunner) -> None:
        super().__init__()
        self.runner = runner
        self._then: Callable[[Any], None] | None = None
        self.bar, self.cancel, self.status = QProgressBar(), QPushButton("Cancel"), Note()
        self.cancel.setToolTip("Stop what is under way")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        layout.addLayout(row)
        layout.addWidget(self.status)
        self.cancel.clicked.connect(runner.stop)
        runner.state_changed.connect(self._on_state)
        runner.event.connect(self._on_event)
        runner.failed.connect(self._on_failed)
        self._on_state(runner.state)

    @property
    def active(self) -> bool:
        """Whether a job is under way."""
        return self.runner.active

    def start(
        self,
        name: str,
        job: Callable[[threading.Event], Iterator[Any]],
        then: Callable[[Any], None],
    ) -> None:
        """Start a job.

        Parameters
        ----------
        name : shown by napari when it asks whether to close
        job : called in the thread with the stop event
        then : called on the main thread with each event that ends a result

        Raises
        ------
        SettingsError
            One is under way.
        """
        if self.active:
            raise SettingsError("Something is being made already.", action="Wait, or cancel it.")
        self._then = then
        self.runner.start(name, job)

    def _on_state(self, state: RunState) -> None:
        active = state in ACTIVE
        self.bar.setVisible(active)
        self.cancel.setVisible(active)
        if not active:
            self._then = None  # the next job may be that of another dock
        if state is RunState.STARTING:
            self.bar.setRange(0, 0)
            self.status.setText("Loading the network …")
        self.changed.emit()

    def _on_event(self, event: Any) -> None:
        percent = progress_percent(event)
        if percent is not None:
            self.bar.setRange(0, 100)
            self.bar.setValue(percent)
            self.status.setText(left(getattr(event, "seconds_left", None)) or "Working …")
        reason = getattr(event, "reason", None)
        if reason is FinishReason.STOPPED:
            self.status.setText("Cancelled.")
        elif reason is not None and self._then is not None:
            self._then(event)

    def _on_failed(self, error: Exception) -> None:
        self.status.setText(f"<b>It did not work.</b> {escape(str(error))}")


def guarded(does: Callable[[], None]) -> Callable[..., None]:
    """Return a slot that tells errors of the project as a notification."""

    def slot(_checked: bool = False) -> None:
        try:
            does()
        except SuperResError as error:
            show_error(str(error))

    return slot
