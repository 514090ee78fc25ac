"""The row that drives a training, always in sight: what is going on, how long, the buttons."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_superres.events import StepCompleted, StepProgress, TrainingStarted
from napari_superres.widgets.discarding import Discarder
from napari_superres.widgets.keys import MIDDLE, START, STOP, on_key, with_key
from napari_superres.widgets.run_state import Happening, RunState, controls, start_tip
from napari_superres.widgets.step import Note
from napari_superres.widgets.texts import (
    continue_text,
    failure_text,
    progress_percent,
    start_text,
    status_line,
)
from napari_superres.widgets.trained import Trained

MIDDLE_TIPS = {
    Happening.PAUSE: "Compute nothing after this step, until Resume",
    Happening.RESUME: "Go on where it was paused",
    Happening.START: "Train this run for as long again as step 2, Train, says",
}


class RunBar(QWidget):
    """Status line, progress bar, and Start, Pause / Resume / Continue, Stop and keep, Discard.

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
        self.start = QPushButton("Start")
        self.middle = QPushButton("Pause")
        self.stop = QPushButton("Stop and keep")
        self.discard = QPushButton("Discard …")
        self.discarder = Discarder(session, self)
        self._started = False
        tip = "Save what was learnt and end; it can be continued later"
        self.stop.setToolTip(with_key(tip, STOP))
        self.discard.setToolTip("Delete the run and all that it has learnt, after asking")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(self.status)
        layout.addWidget(self.bar)
        buttons = QHBoxLayout()
        for button in (self.start, self.middle, self.stop, self.discard):
            buttons.addWidget(button, 1)
        layout.addLayout(buttons)
        self.start.clicked.connect(self.start_asked)
        self.middle.clicked.connect(self._on_middle)
        self.stop.clicked.connect(session.training.stop)
        self.discard.clicked.connect(self.discarder.ask)
        self.discarder.said.connect(self._on_discarded)
        session.inputs_changed.connect(self.refresh)
        session.run_changed.connect(self.refresh)
        session.training.state_changed.connect(self._on_state)
        session.training.event.connect(self._on_event)
        session.training.failed.connect(self._on_failed)
        self.refresh()

    def refresh(self) -> None:
        """Show what the run's state offers now."""
        session = self.session
        offer = controls(
            session.training.state,
            session.ready,
            session.can_continue,
            session.run is not None,
            session.missing,
        )
        self.start.setEnabled(offer.start)
        self.start.setText(start_text(session.less))
        tip = start_tip(session.training.state, session.missing)
        self.start.setToolTip(with_key(tip, START) if offer.start else tip)
        self.middle.setEnabled(offer.middle)
        self.middle.setText(offer.middle_text)
        self.middle.setToolTip(with_key(MIDDLE_TIPS[offer.middle_does], MIDDLE))
        if offer.middle and session.offer and not session.training.active:
            self.middle.setText(continue_text(session.offer))
        self.stop.setEnabled(offer.stop)
        self.discard.setEnabled(offer.discard)
        if offer.hint:
            self.status.setText(offer.hint)
        self._middle_does = offer.middle_does

    def listen_to_keys(self, scope: QWidget) -> None:
        """Press the buttons by keys while the focus is in `scope`."""
        for keys, button in ((START, self.start), (MIDDLE, self.middle), (STOP, self.stop)):
            on_key(keys, scope, button.click)

    def _on_middle(self) -> None:
        if self._middle_does is Happening.PAUSE:
            self.session.training.pause()
        elif self._middle_does is Happening.RESUME:
            self.session.training.resume()
        else:
            self.continue_asked.emit()

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self._started = False
            self.bar.setRange(0, 0)
        elif self.bar.maximum() == 0:
            self.bar.setRange(0, 100)
        self.refresh()

    def _on_event(self, event: object) -> None:
        self._started = self._started or isinstance(event, TrainingStarted)
        percent = progress_percent(event)
        if percent is not None:
            self.bar.setRange(0, 100 if percent >= 0 else 0)
            self.bar.setValue(max(percent, 0))
        line = status_line(event)
        late = self.session.training.state in (RunState.STOPPING, RunState.PAUSING)
        if line is not None and not (late and isinstance(event, StepCompleted | StepProgress)):
            self.status.setText(line)

    def _on_failed(self, error: Exception) -> None:
        self.bar.setValue(0)
        self.refresh()  # settings that need less memory may be offered
        session = self.session
        self.status.setText(failure_text(error, self._started, session.offer, session.less))

    def _on_discarded(self, text: str) -> None:
        self.bar.setValue(0)
        self.status.setText(text)
