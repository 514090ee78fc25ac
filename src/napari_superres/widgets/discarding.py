"""Discard a run: ask, stop it if it trains, delete what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_superres.runs.discard import Holdings, discard, holdings
from napari_superres.widgets.history import History
from napari_superres.widgets.preview_book import PreviewBook
from napari_superres.widgets.threads import Outcome, in_thread
from napari_superres.widgets.trained import Trained


def discard_question(folder: Path, found: Holdings, training: bool) -> str:
    """Return what is asked before a run is deleted.

    Parameters
    ----------
    found : what lies in the folder
    training : whether the run is being trained
    """
    stops = "The training ends, and what it has learnt is lost. " if training else ""
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
    """Deletes the session's run after asking.

    Signals
    -------
    said : a sentence for the status line
    """

    said = Signal(str)

    def __init__(self, session: Trained, parent: QWidget) -> None:
        super().__init__(parent)
        self.session = session
        self._window = parent
        self._asked: Path | None = None
        self._doomed: Path | None = None
        session.training.state_changed.connect(self._on_state)

    def ask(self) -> None:
        """Look through the run in a thread, then ask; without a clear yes nothing happens."""
        run = self.session.run
        if run is None or self._asked is not None or self._doomed is not None:
            return
        if not self._in_use():
            self._asked = run.folder
            in_thread(holdings, self._on_found, run.folder)

    def _in_use(self) -> bool:
        if self.session.generation.active:
            show_error("Something is being made from this run. Cancel it, or let it end.")
        return bool(self.session.generation.active)

    def _on_found(self, outcome: Outcome) -> None:
        folder, session = self._asked, self.session
        try:
            if folder is None or not self._is_shown(folder):
                return  # another run was opened meanwhile
            if outcome.error is not None:
                show_error(str(outcome.error))
                return
            question = discard_question(folder, outcome.value, session.training.active)
            if not self.confirmed(question) or not self._is_shown(folder) or self._in_use():
                return
        finally:
            self._asked = None
        self._doomed = folder
        session.training.stop()
        self._on_state()

    def _is_shown(self, folder: Path) -> bool:
        return self.session.run is not None and self.session.run.folder == folder

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
        if self._doomed is not None and not self.session.training.active:
            self.said.emit(f"Deleting {self._doomed} …")
            in_thread(discard, self._on_deleted, self._doomed)

    def _on_deleted(self, outcome: Outcome) -> None:
        folder, self._doomed = self._doomed, None
        if outcome.error is not None or folder is None:
            self.said.emit(f"<b>Not discarded.</b> {outcome.error}")
            return
        if self._is_shown(folder):
            self.session.show_run(None, History(), PreviewBook())
        text = discarded_text(folder, outcome.value)
        self.said.emit(text)
        show_info(text)
