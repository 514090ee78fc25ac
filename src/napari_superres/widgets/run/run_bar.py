"""The row that drives a training, always in sight: what is going on, how long, the buttons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QMessageBox, QProgressBar, QPushButton, QWidget

from napari_superres.events import StepCompleted, StepProgress, TrainingFinished, TrainingStarted
from napari_superres.runs.discard import Holdings, discard, holdings
from napari_superres.widgets.jobs.run_state import (
    GENERATE,
    RunEvent,
    RunState,
    controls,
    start_tip,
)
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.jobs.words import continue_text, failure_text, start_text
from napari_superres.widgets.parts.keys import MIDDLE, START, STOP, on_key, with_key
from napari_superres.widgets.parts.layout import Note, fill_column, row_of
from napari_superres.widgets.run.training import Training
from napari_superres.words import line_of, share_of

MIDDLE_TIPS = {
    RunEvent.PAUSE: "Compute nothing after this step, until Resume",
    RunEvent.RESUME: "Go on where it was paused",
    RunEvent.START: "Train this run for as long again as step 2, Train, says",
}


class RunBar(QWidget):
    """Status line, progress bar, and Start, Pause / Resume / Continue, Stop and keep, Discard.

    Parameters
    ----------
    next_step : where results are made from the run

    Signals
    -------
    start_asked, continue_asked : the panel gathers the settings and starts
    """

    start_asked = Signal()
    continue_asked = Signal()

    def __init__(self, training: Training[Any, Any], next_step: str = GENERATE) -> None:
        super().__init__()
        self.training, self.next_step = training, next_step
        self.status = Note()
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.start = QPushButton("Start")
        self.middle = QPushButton("Pause")
        self.stop = QPushButton("Stop and keep")
        self.discard = QPushButton("Discard …")
        self.discarder = Discarder(training, self)
        self._started = False
        tip = "Save the weights and end; it can be continued later"
        self.stop.setToolTip(with_key(tip, STOP))
        self.discard.setToolTip("Delete the run and its weights, after asking")
        buttons = row_of(self.start, self.middle, self.stop, self.discard, stretch=(1,) * 4)
        fill_column(self, self.status, self.bar, buttons).setContentsMargins(8, 4, 8, 8)
        self.start.clicked.connect(self.start_asked)
        self.middle.clicked.connect(self._on_middle)
        self.stop.clicked.connect(training.runner.stop)
        self.discard.clicked.connect(self.discarder.ask)
        self.discarder.message.connect(self._on_discarded)
        training.inputs_changed.connect(self.refresh)
        training.run_changed.connect(self.refresh)
        training.runner.state_changed.connect(self._on_state)
        training.runner.event.connect(self._on_event)
        training.runner.failed.connect(self._on_failed)
        self.refresh()

    def refresh(self) -> None:
        """Show what the run's state offers now."""
        training, state, missing = self.training, self.training.runner.state, self.training.missing
        offer = controls(
            state,
            not missing,
            training.can_continue,
            training.run is not None,
            missing,
            training.engine.missing(None, ""),
            self.next_step,
        )
        self.start.setEnabled(offer.start)
        self.start.setText(start_text(training.less))
        tip = start_tip(state, missing)
        self.start.setToolTip(with_key(tip, START) if offer.start else tip)
        self.middle.setEnabled(offer.middle)
        self.middle.setText(offer.middle_text)
        self.middle.setToolTip(with_key(MIDDLE_TIPS[offer.middle_does], MIDDLE))
        if offer.middle and training.offer and not training.runner.active:
            self.middle.setText(continue_text(training.offer))
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
        if self._middle_does is RunEvent.PAUSE:
            self.training.runner.pause()
        elif self._middle_does is RunEvent.RESUME:
            self.training.runner.resume()
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
        share, line = share_of(event), line_of(event)
        if share is not None:
            self.bar.setRange(0, 100 if share >= 0 else 0)
            self.bar.setValue(max(round(100 * share), 0))
        if isinstance(event, TrainingFinished):
            line = f"{line} Next: {self.next_step}."
        late = self.training.runner.state in (RunState.STOPPING, RunState.PAUSING)
        if line is not None and not (late and isinstance(event, StepCompleted | StepProgress)):
            self.status.setText(line)

    def _on_failed(self, error: Exception) -> None:
        self.bar.setValue(0)
        self.refresh()  # settings that need less memory may be offered
        training = self.training
        self.status.setText(failure_text(error, self._started, training.offer, training.less))

    def _on_discarded(self, text: str) -> None:
        self.bar.setValue(0)
        self.status.setText(text)


def discard_question(folder: Path, found: Holdings, training: bool) -> str:
    """Return what is asked before a run is deleted, with what was found, in training or not."""
    stops = "The training ends, and its weights are lost. " if training else ""
    count = "1 checkpoint" if found.checkpoints == 1 else f"{found.checkpoints} checkpoints"
    text = f"{stops}Delete {found.size} with {count} in {folder}? This cannot be undone."
    if found.others:
        text += f" What the run did not make stays: {_listed(found.others)}."
    return text


def discarded_text(folder: Path, left: Sequence[str]) -> str:
    """Return what is said once a run is deleted."""
    return f"Discarded {folder}." + (f" Still there: {_listed(left)}." if left else "")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


class Discarder(QObject):
    """Deletes the run on hand after asking.

    Signals
    -------
    message : a sentence for the status line
    """

    message = Signal(str)

    def __init__(self, training: Training[Any, Any], parent: QWidget) -> None:
        super().__init__(parent)
        self.training = training
        self._window = parent
        self._asked: Path | None = None
        self._doomed: Path | None = None
        training.runner.state_changed.connect(self._on_state)

    def ask(self) -> None:
        """Look through the run in a thread, then ask; without a clear yes nothing happens."""
        run = self.training.run
        if run is None or self._asked is not None or self._doomed is not None:
            return
        if not self._in_use():
            self._asked = run.folder
            in_thread(holdings, self._on_found, run.folder)

    def _in_use(self) -> bool:
        if self.training.work.active:
            show_error("Something is being made from this run. Cancel it, or let it end.")
        return self.training.work.active

    def _on_found(self, outcome: Outcome) -> None:
        folder, runner = self._asked, self.training.runner
        try:
            if folder is None or not self._is_shown(folder):
                return  # another run was opened meanwhile
            if outcome.error is not None:
                show_error(str(outcome.error))
                return
            question = discard_question(folder, outcome.value, runner.active)
            if not self.confirmed(question) or not self._is_shown(folder) or self._in_use():
                return
        finally:
            self._asked = None
        self._doomed = folder
        runner.stop()
        self._on_state()

    def _is_shown(self, folder: Path) -> bool:
        run = self.training.run
        return run is not None and run.folder == folder

    def confirmed(self, question: str) -> bool:
        """Return what the person answers; Cancel is the default."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Discard this run?")
        box.setText(question)
        yes = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is yes

    def _on_state(self, _state: object = None) -> None:
        if self._doomed is not None and not self.training.runner.active:
            self.message.emit(f"Deleting {self._doomed} …")
            in_thread(discard, self._on_deleted, self._doomed)

    def _on_deleted(self, outcome: Outcome) -> None:
        folder, self._doomed = self._doomed, None
        if outcome.error is not None or folder is None:
            self.message.emit(f"<b>Not discarded.</b> {outcome.error}")
            return
        if self._is_shown(folder):
            self.training.show_run(None)
        text = discarded_text(folder, outcome.value)
        self.message.emit(text)
        show_info(text)
