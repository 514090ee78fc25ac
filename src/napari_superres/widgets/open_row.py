"""The three buttons that bring inputs into the viewer."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_superres.widgets.file_opener import FILES, slices_layers, volume_layers
from napari_superres.widgets.samples import open_example_pair
from napari_superres.widgets.threads import Outcome, in_thread


class OpenRow(QWidget):
    """Open a volume, slices, or the example; reading happens in a thread.

    Signals
    -------
    opened : list of layer tuples with noted roles
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.volume = QPushButton("Open volume …")
        self.volume.setToolTip("A segmented low-res volume from a file, with its voxel size")
        self.slices = QPushButton("Open slices …")
        self.slices.setToolTip("Segmented high-res slices from files, with their pixel size")
        self.example = QPushButton("Open example")
        self.example.setToolTip("A generated battery cathode: a low-res volume and three slices")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for button in (self.volume, self.slices, self.example):
            layout.addWidget(button)
        self.volume.clicked.connect(self._ask_volume)
        self.slices.clicked.connect(self._ask_slices)
        self.example.clicked.connect(self._open_example)

    def open_volume(self, path: Path) -> None:
        """Open a low-res volume."""
        in_thread(volume_layers, self._on_read, path)

    def open_slices(self, paths: list[Path]) -> None:
        """Open high-res slices."""
        in_thread(slices_layers, self._on_read, paths)

    def _ask_volume(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Low-res volume", "", FILES)
        if path:
            self.open_volume(Path(path))

    def _ask_slices(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "High-res slices", "", FILES)
        if paths:
            self.open_slices([Path(path) for path in paths])

    def _open_example(self) -> None:
        self.example.setEnabled(False)
        self.example.setText("Generating …")
        in_thread(open_example_pair, self._on_example)

    def _on_example(self, outcome: Outcome) -> None:
        self.example.setEnabled(True)
        self.example.setText("Open example")
        self._on_read(outcome)

    def _on_read(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
            return
        self.opened.emit(outcome.value)
