"""Thumbnails that are picked by clicking, several at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QListView, QListWidget, QListWidgetItem

from napari_superres.data.phases import Phase
from napari_superres.widgets.gallery_results import GREYS
from napari_superres.widgets.preview_grid import coloured

SIDE = 92
FIRST, NEXT = 32, 8
"""Thumbnails that are made at once, and at a time after that: a hundred take too long."""
PICKED = "#d2691e"
STYLE = (
    "QListWidget::item { border: 3px solid transparent; padding: 1px; }"
    f"QListWidget::item:selected {{ border: 3px solid {PICKED}; background: transparent; }}"
)


class Thumbnails(QListWidget):
    """Images in rows; a click picks one or lets it go."""

    def __init__(self) -> None:
        super().__init__()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QListWidget.SelectionMode.MultiSelection)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setUniformItemSizes(True)
        self.setSpacing(1)
        self.setMinimumHeight(4 * (SIDE + 12))
        self.setStyleSheet(STYLE)
        self._order: list[int] = []
        self._phases: Sequence[Phase] = ()
        self._waiting: list[tuple[NDArray[np.uint8], str]] = []
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._make_next)
        self.itemSelectionChanged.connect(self._on_selection)

    @property
    def picked(self) -> list[int]:
        """Places of the picked samples, in the order in which they were clicked."""
        return list(self._order)

    def pick(self, places: Sequence[int]) -> None:
        """Pick these samples and no others."""
        self.clearSelection()
        for place in places:
            item = self.item(place)
            if item is not None:
                item.setSelected(True)

    def show_images(
        self, images: NDArray[np.uint8], names: Sequence[str], phases: Sequence[Phase]
    ) -> None:
        """Show samples, (K, Y, X) grey values or phase indices, and pick none."""
        self.clear()
        self._phases = phases
        self._waiting = list(zip(images, names, strict=True))
        self._make(FIRST)

    def clear(self) -> None:
        """Show none, nor those that were still to be made."""
        super().clear()
        self._order, self._waiting = [], []

    def _make_next(self) -> None:
        self._make(NEXT)

    def _make(self, count: int) -> None:
        now, self._waiting = self._waiting[:count], self._waiting[count:]
        for image, name in now:
            pixels, icon = _pixmap(image, self._phases), QIcon()
            for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # Qt would tint the latter
                icon.addPixmap(pixels, mode)
            item = QListWidgetItem(icon, "")
            item.setToolTip(name)
            item.setSizeHint(QSize(SIDE + 8, SIDE + 8))
            self.addItem(item)
        if self._waiting:
            self._later.start()

    def _on_selection(self) -> None:
        chosen = [self.row(item) for item in self.selectedItems()]
        kept = [place for place in self._order if place in chosen]
        self._order = kept + [place for place in chosen if place not in kept]


def _pixmap(image: NDArray[np.uint8], phases: Sequence[Phase]) -> QPixmap:
    pixels = np.ascontiguousarray(coloured(image, phases or GREYS))
    rows, columns, _ = pixels.shape
    data = pixels.tobytes()
    made = QImage(data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
    smooth = max(rows, columns) > SIDE
    how = (
        Qt.TransformationMode.SmoothTransformation
        if smooth
        else Qt.TransformationMode.FastTransformation
    )
    # fromImage copies: QImage does not own `data`
    return QPixmap.fromImage(made).scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, how)
