"""The row of a job that is not the training: its buttons, Cancel, one progress bar, one line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLayout, QProgressBar, QPushButton, QWidget

from napari_superres.errors import SettingsError, SuperResError
from napari_superres.events import (
    Done,
    FinishReason,
    GenerationStarted,
    PartAssembled,
    Progress,
    TileCompleted,
)
from napari_superres.widgets.jobs.run_state import ACTIVE, RunState
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from napari_superres.widgets.parts.layout import Note, fill_column, row_of
from napari_superres.words import left, line_of, share_of

Job = Callable[[threading.Event], Iterator[Any]]


def job_line(event: object) -> str | None:
    """Return the line for an event: the stage of a job, or the time left."""
    if isinstance(event, GenerationStarted | TileCompleted | PartAssembled):
        return left(getattr(event, "seconds_left", None)) or "Working …"
    return line_of(event) if isinstance(event, Progress) else None


class JobRow(QWidget):
    """One job at a time, in a thread.

    Parameters
    ----------
    runner : of the thread; several rows may show one
    buttons : before Cancel, the first one widest
    above : what stands above the buttons
    begins : the line until the job reports
    failed : the line's beginning when the job fails
    cancelled : the line of a job that was stopped
    cancel_tip : what hovering Cancel shows
    line : the line for an event of the job, None to leave it

    Attributes
    ----------
    column : layout, for what stands below

    Signals
    -------
    changed : a job started or ended
    """

    changed = Signal()

    def __init__(
        self,
        runner: StreamRunner,
        buttons: Sequence[QWidget] = (),
        *,
        above: QLayout | None = None,
        begins: str = "Preparing …",
        failed: str = "It did not work.",
        cancelled: str = "Cancelled.",
        cancel_tip: str = "Stop; nothing is kept of it",
        line: Callable[[object], str | None] = job_line,
    ) -> None:
        super().__init__()
        self.runner, self._line = runner, line
        self._begins, self._failed, self._cancelled = begins, failed, cancelled
        self._then: Callable[[Any], None] | None = None
        self.bar, self.cancel, self.status = QProgressBar(), QPushButton("Cancel"), Note()
        self.cancel.setToolTip(cancel_tip)
        first, *others = buttons or (self.bar,)
        row = row_of(first, *others, self.cancel, stretch=(1, *(0 for _ in others), 0))
        parts = (*((above,) if above is not None else ()), row, *((self.bar,) if buttons else ()))
        self.column = fill_column(self, *parts, self.status)
        self.cancel.clicked.connect(runner.stop)
        runner.state_changed.connect(self._on_state)
        runner.event.connect(self._on_event)
        runner.failed.connect(self.show_failure)
        self._on_state(runner.state)

    @property
    def active(self) -> bool:
        """Whether a job is under way."""
        return self.runner.active

    def begin(self, name: str, job: Job, then: Callable[[Any], None]) -> None:
        """Start a job.

        Parameters
        ----------
        name : shown by napari when it asks whether to close
        job : called in the thread with the stop event
        then : called on the main thread with the result, or with the last event of a
            generation; not where the job was stopped

        Raises
        ------
        SettingsError
            One is under way.
        """
        if self.active:
            raise SettingsError("Something is being made already.", action="Wait, or cancel it.")
        self._then = then
        self.runner.start(name, job)

    def show_failure(self, error: Exception) -> None:
        """Show why there is no result."""
        self.status.setText(f"<b>{self._failed}</b> {escape(str(error))}")

    def _on_state(self, state: RunState) -> None:
        active = state in ACTIVE
        self.bar.setVisible(active)
        self.cancel.setVisible(active)
        self.cancel.setEnabled(state is not RunState.STOPPING)
        if state is RunState.STARTING:
            self.bar.setRange(0, 0)
            self.status.setText(self._begins)
        elif state is RunState.STOPPING:
            self.status.setText("Stopping …")
        elif not active:
            self._then = None  # the next job may be that of another dock
        self.changed.emit()

    def _on_event(self, event: Any) -> None:
        share, line = share_of(event), self._line(event)
        if share is not None:
            self.bar.setRange(0, 100)
            self.bar.setValue(round(100 * share))
        reason = getattr(event, "reason", None)
        if reason is FinishReason.STOPPED:
            self.status.setText(line or self._cancelled)
            return
        if line is not None and self.runner.state is not RunState.STOPPING:
            self.status.setText(line)
        if reason is not None and self._then is not None:
            self._then(event.result if isinstance(event, Done) else event)


def guarded(does: Callable[[], None]) -> Callable[..., None]:
    """Return a slot that shows errors of the project as a notification."""

    def slot(_checked: bool = False) -> None:
        try:
            does()
        except SuperResError as error:
            show_error(str(error))

    return slot
