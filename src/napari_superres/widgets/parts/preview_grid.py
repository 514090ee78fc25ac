"""Previews: generated slices along three axes, beside real ones and the low-res ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from napari_superres.data.phases import PALETTE, Phase, phase_colours
from napari_superres.events import PreviewReady
from napari_superres.widgets.layers.colours import rgb

ROWS = ("Generated", "Real", "Low-res")
ROW_TIPS = (
    "What the generator makes of the low-res voxels below, in the same place every time",
    "Slices of the same size from the high-res images; another place, for comparison",
    "The low-res volume in the place of the generated slices",
)
STRETCH = (7, 7, 4)
"""Low-res slices have fewer voxels, and may be smaller."""
COLUMNS = ("normal to z", "normal to y", "normal to x")


def coloured(image: NDArray[np.uint8], phases: Sequence[Phase]) -> NDArray[np.uint8]:
    """Return phase indices (rows, columns) as RGB (rows, columns, 3) uint8."""
    table = [rgb(colour) for colour in phase_colours(phases) or PALETTE]
    return np.array(table, np.uint8)[np.minimum(image, len(table) - 1)]


def picture(image: NDArray[np.uint8], phases: Sequence[Phase]) -> QImage:
    """Return phase indices (rows, columns) as a picture with a pixel for each."""
    pixels = coloured(image, phases)
    rows, columns, _ = pixels.shape
    data = pixels.tobytes()
    made = QImage(data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
    return made.copy()  # QImage does not own `data`


class SliceView(QWidget):
    """One label image, as large as fits, with hard pixels."""

    def __init__(self, smallest: int = 64) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._shown: NDArray[np.uint8] | None = None
        self.setMinimumSize(smallest, smallest)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return a size at which voxels can be told apart."""
        return QSize(136, 136)

    def show_image(self, image: NDArray[np.uint8] | None, phases: Sequence[Phase]) -> None:
        """Show phase indices, or nothing."""
        if image is self._shown and image is not None:
            return  # real slices are the same in every preview
        self._shown = image
        self._image = None if image is None else picture(image, phases)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Draw the image centred, its aspect kept."""
        painter = QPainter(self)
        if self._image is None:
            side = min(self.width(), self.height()) - 1
            painter.setPen(Qt.GlobalColor.gray)
            painter.drawRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)
            painter.end()
            return
        ratio = min(self.width() / self._image.width(), self.height() / self._image.height())
        width, height = ratio * self._image.width(), ratio * self._image.height()
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(left, top, width, height), self._image)
        painter.end()


class UprightLabel(QLabel):
    """A text that is read from below, so that it takes little width."""

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return the text's size, turned."""
        return super().sizeHint().transposed()

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return the text's size, turned."""
        return QSize(super().minimumSizeHint().height(), 0)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Draw the text, turned by a quarter."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.translate(0, self.height())
        painter.rotate(-90)
        painter.drawText(
            0, 0, self.height(), self.width(), int(Qt.AlignmentFlag.AlignCenter), self.text()
        )
        painter.end()


class PreviewGrid(QWidget):
    """Three rows (generated, real, low-res) by three columns (axes), updated in place."""

    def __init__(self) -> None:
        super().__init__()
        small = (64, 64, 40)
        self.views = [[SliceView(smallest) for _ in COLUMNS] for smallest in small]
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(4)
        for column, text in enumerate(COLUMNS):
            label = QLabel(text)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label, 0, column + 1)
            layout.setColumnStretch(column + 1, 1)
        for row, text in enumerate(ROWS):
            upright = UprightLabel(text)
            upright.setToolTip(ROW_TIPS[row])
            layout.addWidget(upright, row + 1, 0)
            layout.setRowStretch(row + 1, STRETCH[row])
            for column in range(3):
                self.views[row][column].setToolTip(f"{ROWS[row]}, {COLUMNS[column]}")
                layout.addWidget(self.views[row][column], row + 1, column + 1)

    def show_preview(
        self, event: PreviewReady | None, phases: Sequence[Phase], low_res_phases: Sequence[Phase]
    ) -> None:
        """Show a preview; None empties the grid."""
        for column in range(3):
            images: tuple[NDArray[np.uint8] | None, ...] = (None, None, None)
            if event is not None:
                images = (event.generated[column], event.real[column], event.low_res[column])
            for row, image in enumerate(images):
                shown = low_res_phases if row == 2 else phases
                self.views[row][column].show_image(image, shown)
