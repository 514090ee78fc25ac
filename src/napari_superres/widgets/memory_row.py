"""What a training needs of the device's memory, and a button that takes what there is room for."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_superres.widgets.preflight import preflight_text
from napari_superres.widgets.step import Note
from napari_superres.widgets.texts import NONE, Changes, changes_text
from napari_superres.widgets.threads import Outcome


class MemoryRow(QWidget):
    """The estimate as a sentence; below it, where there is no room, smaller settings to take.

    Signals
    -------
    less_asked : the settings, by name
    """

    less_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note, self.less = Note(), QPushButton()
        self.note.setToolTip("Estimated from the sizes of networks, crop and batch")
        self.less.setToolTip("Sets the advanced settings to what there is room for")
        self._changes: Changes = NONE
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.note)
        layout.addWidget(self.less)
        self.less.clicked.connect(self._on_less)
        self.empty()

    def empty(self) -> None:
        """Show nothing."""
        self.note.setText("")
        self._offer(NONE)

    def show_outcome(self, outcome: Outcome) -> None:
        """Show an estimate (a Preflight), or why there is none."""
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
