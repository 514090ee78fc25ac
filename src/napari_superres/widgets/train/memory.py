"""What a training will need of its device's memory, as the dials have it now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QWidget

from napari_superres.errors import SuperResError
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.jobs.words import NONE, Changes, changes_text
from napari_superres.widgets.parts.layout import Note, fill_column
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.engine import Engine
from napari_superres.widgets.run.preflight import preflight_text

PATIENCE_MS = 400


class MemoryRow(QWidget):
    """The estimate as a sentence; below it, where there is no room, smaller settings to take.

    Parameters
    ----------
    settings : returns those of the dials, or raises what is wrong with them
    engine : estimates what they need, in a thread

    Signals
    -------
    less_asked : the settings, by name
    """

    less_asked = Signal(object)

    def __init__(self, settings: Callable[[], Any], engine: Engine) -> None:
        super().__init__()
        self._settings, self._engine = settings, engine
        self._on = False  # before the devices are known, an estimate would import torch for nothing
        self._timer = single_shot(self, self.look, PATIENCE_MS)
        self._work = Latest(self)
        self._work.done.connect(self._show)
        self._changes: Changes = NONE
        self.note, self.less = Note(), QPushButton()
        self.note.setToolTip("Estimated from the sizes of networks, crop and batch")
        self.less.setToolTip("Sets the advanced settings to what there is room for")
        fill_column(self, self.note, self.less)
        self.less.clicked.connect(self._on_less)
        self._offer(NONE)

    def begin(self) -> None:
        """Estimate from now on: the devices are known."""
        self._on = True
        self.look_soon()

    def look_soon(self, _what: object = None) -> None:
        """Estimate once the dials are still."""
        if self._on:
            self._timer.start()

    def look(self) -> None:
        """Estimate what the settings need."""
        try:
            settings = self._settings()
        except SuperResError:
            self._work.forget()
            self.note.setText("")
            self._offer(NONE)  # Start shows what is wrong
            return
        assert self._engine.preflight is not None
        self._work.ask(self._engine.preflight, settings)

    def _show(self, outcome: Outcome) -> None:
        self.note.setText(str(outcome.error or preflight_text(outcome.value)))
        self._offer(NONE if outcome.error is not None else outcome.value.changes)

    def _offer(self, changes: Changes) -> None:
        self._changes = changes
        self.less.setText(f"Use {changes_text(changes)}")
        self.less.setVisible(bool(changes))

    def _on_less(self) -> None:
        changes = self._changes
        self._offer(NONE)
        self.less_asked.emit(changes)
