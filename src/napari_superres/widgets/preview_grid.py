"""Previews: generated slices along three axes, beside real ones and the low-res ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from napari_superres.data.phases import PALETTE, Phase
from napari_superres.events import PreviewReady
from napari_superres.widgets.colours import rgb

ROWS = ("Generated", "Real high-res", "Low-res")
COLUMNS = ("normal to z", "normal to y", "normal to x")


def coloured(image: NDArray[np.uint8], phases: Sequence[Phase]) -> NDArray[np.uint8]:
    """Return phase indices (rows, columns) as RGB (rows, columns, 3) uint8."""
    named = [p.colour or PALETTE[i % len(PALETTE)] for i, p in enumerate(phases)]
    table = [rgb(colour) for colour in named or PALETTE]
    return np.array(table, np.uint8)[np.minimum(image, len(table) - 1)]


class SliceView(QWidget):
    """One label image, as large as fits, with hard pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self.setMinimumSize(72, 84)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return a size at which voxels can be told apart."""
        return QSize(96, 96)

    def show_image(self, image: NDArray[np.uint8] | None, phases: Sequence[Phase]) -> None:
        """Show phase indices, or nothing."""
        if image is None:
            self._image = None
        else:
            pixels = np.ascontiguousarray(coloured(image, phases))
            rows, columns, _ = pixels.shape
            data = pixels.tobytes()
            made = QImage(data, columns, rows, 3 * columns, QImage.Format.Format_RGB888)
            self._image = made.copy()  # QImage does not own `data`
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Draw the image centred, its aspect kept."""
        painter = QPainter(self)
        if self._image is None:
            painter.setPen(Qt.GlobalColor.gray)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
            painter.end()
            return
        ratio = min(self.width() / self._image.width(), self.height() / self._image.height())
        width, height = ratio * self._image.width(), ratio * self._image.height()
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(left, top, width, height), self._image)
        painter.end()


class PreviewGrid(QWidget):
    """Three rows (generated, real, low-res) by three columns (axes), updated in place."""

    def __init__(self) -> None:
        super().__init__()
        self.views = [[SliceView() for _ in COLUMNS] for _ in ROWS]
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(6)
        for column, text in enumerate(COLUMNS):
            label = QLabel(text)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label, 0, column + 1)
        for row, text in enumerate(ROWS):
            label = QLabel(text.replace(" ", "\n", 1))
            label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
            layout.addWidget(label, row + 1, 0)
            for column in range(3):
                layout.addWidget(self.views[row][column], row + 1, column + 1)
        self.setMaximumHeight(420)
        for index in (1, 2, 3):
            layout.setRowStretch(index, 1)
            layout.setColumnStretch(index, 1)

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
