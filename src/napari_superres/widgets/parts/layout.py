"""What the forms of the panel are laid out with: headings, notes, forms, rows, columns, folds."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

MARGIN = 8
"""Pixels around a step."""
CLOSED, OPEN = "▸", "▾"
FOLD_STYLE = (
    "QPushButton { text-align: left; padding: 4px 6px; }"
    "QPushButton:checked:!focus:!hover { background: transparent; }"
)


def heading(text: str) -> QLabel:
    """Return a bold line above a group of controls."""
    label = QLabel(f"<b>{text}</b>")
    label.setContentsMargins(0, 6, 0, 0)
    return label


def new_form(parent: QWidget | None = None) -> QFormLayout:
    """Return an empty form of label and field, whose fields fill the width."""
    form = QFormLayout() if parent is None else QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form


def row_of(*widgets: QWidget, stretch: Sequence[int] = ()) -> QWidget:
    """Return widgets beside each other.

    Parameters
    ----------
    stretch : of each, its share in the width that is left; none for the usual widths
    """
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget, share in zip(widgets, stretch or (0,) * len(widgets), strict=True):
        layout.addWidget(widget, share)
    return row


def fill_column(widget: QWidget, *parts: QWidget | QLayout, margin: int = 0) -> QVBoxLayout:
    """Put parts below each other into a widget."""
    column = QVBoxLayout(widget)
    column.setContentsMargins(margin, margin, margin, margin)
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    return column


def fill_step(step: QWidget, *parts: QWidget | QLayout) -> None:
    """Put parts below each other into a step of the panel; what room is left stays below them."""
    fill_column(step, *parts, margin=MARGIN).addStretch(1)


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


class Fold(QWidget):
    """A button that shows or hides what is below it; the keyboard does not reach what is hidden.

    superqt's box keeps its height while its content grows, and leaves hidden fields in
    the order of the Tab key.

    Signals
    -------
    toggled : whether it is open now
    """

    toggled = Signal(bool)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.button.setStyleSheet(FOLD_STYLE)
        self.button.setAccessibleName(title)
        self.button.setToolTip(f"Show or hide: {title[:1].lower()}{title[1:]}")
        self.body = QWidget()
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(8, 4, 0, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.button)
        layout.addWidget(self.body)
        self.button.toggled.connect(self._show)
        self._show(False)

    def addWidget(self, widget: QWidget) -> None:  # noqa: N802  as layouts call it
        """Put a widget into the box, below the others."""
        self.body.layout().addWidget(widget)

    def isExpanded(self) -> bool:  # noqa: N802  as superqt calls it
        """Whether the box is open."""
        return self.button.isChecked()

    def expand(self) -> None:
        """Open the box."""
        self.button.setChecked(True)

    def collapse(self) -> None:
        """Close the box."""
        self.button.setChecked(False)

    def _show(self, on: bool) -> None:
        self.body.setVisible(on)
        self.button.setText(f"{OPEN if on else CLOSED}  {self._title}")
        self.toggled.emit(on)
