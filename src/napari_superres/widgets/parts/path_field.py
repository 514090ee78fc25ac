"""A file to write: typed, or chosen in a dialog."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget

from napari_superres.widgets.parts.layout import fill_column, row_of


class PathField(QWidget):
    """A field for a path, and a button that opens a dialog.

    Parameters
    ----------
    title : of the dialog
    tip : of the field
    """

    def __init__(self, title: str, tip: str) -> None:
        super().__init__()
        self._title, self._name, self._kinds = title, "", ""
        self.path, self.browse = QLineEdit(), QPushButton("Choose …")
        self.path.setToolTip(tip)
        self.browse.setToolTip("Choose the file to write")
        self.browse.clicked.connect(self.ask)
        fill_column(self, row_of(self.path, self.browse, stretch=(1, 0)))

    def propose(self, name: str, kinds: str) -> None:
        """Set the name that the dialog proposes, and the kinds of file that it offers."""
        self._name, self._kinds = name, kinds

    def ask(self) -> None:
        """Ask for a file; cancelled, the path stays."""
        start = self.path.text() or str(Path.home() / self._name)
        path, _ = QFileDialog.getSaveFileName(self, self._title, start, self._kinds)
        if path:
            self.path.setText(path)
