"""A box that folds away what few people need."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

CLOSED, OPEN = "▸", "▾"
STYLE = (
    "QPushButton { text-align: left; padding: 4px 6px; }"
    "QPushButton:checked:!focus:!hover { background: transparent; }"
)


class Fold(QWidget):
    """A line that unfolds what is below it; folded, the keyboard does not reach into it.

    superqt's box keeps its height while what is in it grows, and leaves hidden
    fields in the order of the Tab key.

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
        self.button.setStyleSheet(STYLE)
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
