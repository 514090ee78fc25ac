"""The dials and buttons of the gallery."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_superres.data.phases import Phase
from napari_superres.widgets.layers.shown import GREYS
from napari_superres.widgets.parts.layout import Note, fill_column, heading, new_form, row_of
from napari_superres.widgets.parts.path_field import PathField
from napari_superres.widgets.parts.paths import FILTERS
from napari_superres.widgets.parts.preview_grid import picture
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.step import CheckpointCombo

TRUNCATION_TIP = (
    "Draws styles towards their mean: 1 not at all, 0 wholly. Less is more like the average "
    "image, and less varied."
)


class GalleryForm(QWidget):
    """What the gallery shows; the step connects it.

    Attributes
    ----------
    made_with_a_run : buttons that need a trained run
    made_with_samples : buttons that need samples on show
    """

    def __init__(self) -> None:
        super().__init__()
        self._make_dials()
        self._make_buttons()
        self.picked = Note()
        top, many, self.classes_row = new_form(), new_form(), QWidget()
        top.addRow("Checkpoint", self.checkpoint)
        top.addRow("Samples", _first_wide(self.count, self.new))
        top.addRow("Truncation", self.truncation)
        many.addRow("First seed, count", _first_wide(self.seed, self.many))
        many.addRow("Write to", _first_wide(self.file, self.export))
        new_form(self.classes_row).addRow("Phases, by thresholds", self.classes)
        column = fill_column(
            self,
            top,
            self.thumbnails,
            self.picked,
            self._picked_buttons(),
            heading("Many samples"),
            many,
            self.classes_row,
            _first_wide(self.slices, self.option),
            heading("Real against synthetic"),
            self.report,
        )
        column.setStretch(1, 1)

    def _make_dials(self) -> None:
        self.thumbnails = Thumbnails()
        self.checkpoint = CheckpointCombo()
        self.count, self.seed = _spin(1, 400, 16), _spin(0, 2**31 - 1, 0)
        self.many = _spin(1, 100_000, 64)
        self.frames, self.classes = _spin(2, 1000, 16), _spin(2, 6, 2)
        self.count.setToolTip("Samples shown at a time")
        self.seed.setToolTip("Of the first sample; the others follow")
        self.many.setToolTip("Samples to write, or to use as slices")
        self.frames.setToolTip("Images from one picked sample to the other, both included")
        self.classes.setToolTip("Grey samples are split into so many phases, dark ones first")
        self.truncation = QDoubleSpinBox()
        self.truncation.setRange(0, 2)
        self.truncation.setSingleStep(0.1)
        self.truncation.setValue(1)
        self.truncation.setToolTip(TRUNCATION_TIP)
        self.file = PathField("Export samples", "A .tif file takes a stack, a folder PNG files")
        self.file.propose("samples.tif", FILTERS[".tif"])
        self.file.browse.setToolTip("A TIFF file; type a folder's name for PNG files")
        self.path = self.file.path
        self.path.setPlaceholderText("samples.tif, or a folder for PNG files")

    def _make_buttons(self) -> None:
        def button(text: str, tip: str) -> QPushButton:
            made = QPushButton(text)
            made.setToolTip(tip)
            return made

        self.new = button("New samples", "New styles and new noise")
        self.noise = button("Same style, new noise", "Of the one picked sample")
        self.style_button = button("Same noise, new styles", "Of the one picked sample")
        self.between = button(
            "Interpolate", "An image stack between two picked samples; napari's ▶ plays it"
        )
        self.nearest = button(
            "Nearest real",
            "The window of the real images most like each picked sample, of all places, "
            "rotations and mirrors: was it learnt by heart?",
        )
        self.show_picked = button("To viewer", "The picked samples as a layer; all if none is")
        self.export = button("Export", "Write so many samples")
        self.slices = button(
            "Use as high-res slices for fusion",
            "A Labels layer of so many samples, to be ticked beside the high-res slices in the "
            "fusion panel's step 1, Data",
        )
        self.option = button(
            "Copy as option",
            "As many samples for a terminal, their seeds from that of the training: "
            "napari-superres train … --augment-with",
        )
        self.report = button("Report …", "Figure 3 of the paper for this run, as one HTML page")
        self.made_with_a_run = (self.new, self.export, self.slices, self.option, self.report)
        self.made_with_samples = (
            self.noise,
            self.style_button,
            self.between,
            self.nearest,
            self.show_picked,
        )

    def _picked_buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(4)
        grid.addWidget(self.noise, 0, 0, 1, 2)
        grid.addWidget(self.style_button, 0, 2, 1, 2)
        grid.addWidget(self.between, 1, 0)
        grid.addWidget(self.frames, 1, 1)
        grid.addWidget(self.nearest, 1, 2)
        grid.addWidget(self.show_picked, 1, 3)
        return grid


def _spin(lowest: int, highest: int, value: int) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(lowest, highest)
    spin.setValue(value)
    return spin


def _first_wide(first: QWidget, *others: QWidget) -> QWidget:
    return row_of(first, *others, stretch=(1, *(0 for _ in others)))


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
        self._later = single_shot(self, self._make_next)
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
    made = picture(image, phases or GREYS)
    smooth = max(image.shape) > SIDE
    how = (
        Qt.TransformationMode.SmoothTransformation
        if smooth
        else Qt.TransformationMode.FastTransformation
    )
    return QPixmap.fromImage(made).scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, how)
