"""The grey values of an image, with thresholds that can be dragged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QWidget

from napari_superres.data.grey_values import GreySample
from napari_superres.data.phases import Phase
from napari_superres.widgets.colours import readable, rgb
from napari_superres.widgets.theme import ThemeColours

LINES = 8
"""Height, in lines of text."""


class GreyHistogram(pg.PlotWidget):
    """A histogram over the classes' colours.

    Signals
    -------
    dragged : (index of a threshold, its value)
    """

    dragged = Signal(int, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(LINES * self.fontMetrics().height())
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.hideAxis("left")
        self.getPlotItem().setContentsMargins(0, 4, 0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the fields below take the keyboard
        self.setToolTip("Grey values of the image (logarithmic); drag a line to move a threshold")
        self._curve: pg.PlotDataItem | None = None
        self._lines: list[pg.InfiniteLine] = []
        self._bands: list[pg.LinearRegionItem] = []
        self._theme: ThemeColours | None = None

    def show_sample(self, sample: GreySample | None, theme: ThemeColours) -> None:
        """Draw the histogram of a sample; None for no image."""
        self.clear()
        self._lines, self._bands, self._theme = [], [], theme
        self.setBackground(theme.background)
        axis = self.getAxis("bottom")
        axis.setPen(theme.foreground)
        axis.setTextPen(theme.text)
        if sample is None:
            return
        counts, edges = sample.histogram()
        self._curve = self.plot(
            edges,
            np.log10(counts + 1.0),
            stepMode="center",
            fillLevel=0,
            pen=None,
            brush=pg.mkBrush(*rgb(theme.text), 150),
        )
        self._curve.setZValue(2)
        self.setXRange(edges[0], edges[-1], padding=0.02)
        self.setYRange(0, max(float(np.log10(counts.max() + 1)), 1), padding=0)

    def show_thresholds(self, thresholds: Sequence[float], phases: Sequence[Phase]) -> None:
        """Draw lines and the bands between them, moving those that are there."""
        if self._theme is None:
            return
        if len(thresholds) != len(self._lines):
            self._rebuild(phases)
        for line, value in zip(self._lines, thresholds, strict=True):
            line.blockSignals(True)
            line.setValue(value)
            line.blockSignals(False)
        low, high = self.viewRange()[0]
        ends = [min(low, *thresholds), *thresholds, max(high, *thresholds)]
        for band, first, last in zip(self._bands, ends[:-1], ends[1:], strict=True):
            band.setRegion((first, last))

    def _rebuild(self, phases: Sequence[Phase]) -> None:
        assert self._theme is not None
        for item in (*self._lines, *self._bands):
            self.removeItem(item)
        self._bands = []
        for phase in phases:
            shown = readable(phase.colour, self._theme.background, 1.6)
            band = pg.LinearRegionItem(movable=False, brush=pg.mkBrush(*rgb(shown), 110))
            for edge in band.lines:
                edge.setPen(pg.mkPen(None))
            band.setZValue(1)
            self._bands.append(band)
            self.addItem(band)
        hovered = readable("#f2c14e", self._theme.background)
        pen, hover = pg.mkPen(self._theme.text, width=2), pg.mkPen(hovered, width=3)
        self._lines = []
        for index in range(len(phases) - 1):
            line = pg.InfiniteLine(angle=90, movable=True, pen=pen, hoverPen=hover)
            line.setZValue(3)
            line.sigPositionChanged.connect(partial(self._on_dragged, index))
            self._lines.append(line)
            self.addItem(line)

    def _on_dragged(self, index: int, line: pg.InfiniteLine) -> None:
        self.dragged.emit(index, float(line.value()))
