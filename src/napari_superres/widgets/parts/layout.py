"""What every form of the panel is laid out with: headings, notes, forms, folds."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_superres.widgets.parts.fold import Fold


def heading(text: str) -> QLabel:
    """Return a bold line above a group of controls."""
    label = QLabel(f"<b>{text}</b>")
    label.setContentsMargins(0, 6, 0, 0)
    return label


class Note(QLabel):
    """A wrapped text that may be selected, and takes no room while it is empty."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setHidden(not text)

    def setText(self, text: str) -> None:  # noqa: N802  Qt's name
        """Show a text; an empty one hides the label."""
        super().setText(text)
        self.setHidden(not text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Keep all lines in sight at the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # a scroll area squeezes wrapped labels rather than scroll
        self.setMinimumHeight(self.heightForWidth(self.width()) if self.text() else 0)


def new_form(parent: QWidget | None = None) -> QFormLayout:
    """Return an empty form of label and field, whose fields fill the width."""
    form = QFormLayout() if parent is None else QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form


def new_fold(title: str) -> Fold:
    """Return a folded box for what few people need, flush with its surroundings."""
    return Fold(title)
