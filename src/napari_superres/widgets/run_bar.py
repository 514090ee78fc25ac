"""The row that drives a training, always in sight: what is going on, how long, the buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_superres.errors import InputError
from napari_superres.events import StepCompleted
from napari_superres.widgets.run_state import Happening, RunState, controls
from napari_superres.widgets.step import Note
from napari_superres.widgets.stream_runner import StreamRunner
from napari_superres.widgets.texts import continue_text, progress_percent, status_line


class Trained(Protocol):
    """What the row drives: the session of a fusion, or one that learns from images.

    `inputs_changed` and `run_changed` are signals.
    """

    training: StreamRunner
    offer: Mapping[str, int | str]
    inputs_changed: Any
    run_changed: Any

    @property
    def ready(self) -> bool:
        """Whether a training could start."""

    @property
    def can_continue(self) -> bool:
        """Whether there is something learnt that could be trained further."""


class RunBar(QWidget):
    """Status line, progress bar, and Start, Pause / Resume / Continue, Stop and keep.

    Signals
    -------
    start_asked, continue_asked : the panel gathers the settings and starts
    """

    start_asked = Signal()
    continue_asked = Signal()

    def __init__(self, session: Trained, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.status = Note()
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.start = QPushButton("Start training")
        self.middle = QPushButton("Pause")
        self.stop = QPushButton("Stop and keep")
        self.start.setToolTip("Start a new run with the inputs and settings of steps 1 and 2")
        self.stop.setToolTip("Save what was learnt and end; it can be continued later")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(self.status)
        layout.addWidget(self.bar)
        buttons = QHBoxLayout()
        for button in (self.start, self.middle, self.stop):
            buttons.addWidget(button)
        layout.addLayout(buttons)
        self.start.clicked.connect(self.start_asked)
        self.middle.clicked.connect(self._on_middle)
        self.stop.clicked.connect(session.training.stop)
        session.inputs_changed.connect(self.refresh)
        session.run_changed.connect(self.refresh)
        session.training.state_changed.connect(self._on_state)
        session.training.event.connect(self._on_event)
        session.training.failed.connect(self._on_failed)
        self.refresh()

    def refresh(self) -> None:
        """Show what the run's state offers now."""
        session = self.session
        offer = controls(session.training.state, session.ready, session.can_continue)
        self.start.setEnabled(offer.start)
        self.middle.setEnabled(offer.middle)
        self.middle.setText(offer.middle_text)
        if offer.middle and session.offer and not session.training.active:
            self.middle.setText(continue_text(session.offer))
        self.stop.setEnabled(offer.stop)
        if offer.hint:
            self.status.setText(offer.hint)
        self._middle_does = offer.middle_does

    def _on_middle(self) -> None:
        if self._middle_does is Happening.PAUSE:
            self.session.training.pause()
        elif self._middle_does is Happening.RESUME:
            self.session.training.resume()
        else:
            self.continue_asked.emit()

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.bar.setRange(0, 0)
        elif self.bar.maximum() == 0:
            self.bar.setRange(0, 100)
        self.refresh()

    def _on_event(self, event: object) -> None:
        percent = progress_percent(event)
        if percent is not None:
            self.bar.setRange(0, 100 if percent >= 0 else 0)
            self.bar.setValue(max(percent, 0))
        line = status_line(event)
        stopping = self.session.training.state is RunState.STOPPING
        if line is not None and not (stopping and isinstance(event, StepCompleted)):
            self.status.setText(line)

    def _on_failed(self, error: Exception) -> None:
        self.bar.setValue(0)
        what = "Not started." if isinstance(error, InputError) else "Training failed."
        self.status.setText(f"<b>{what}</b> {error}")
