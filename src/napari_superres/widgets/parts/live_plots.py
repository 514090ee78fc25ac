"""Live plots: curves of a training against the dashed lines of the high-res slices."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape

import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_superres.widgets.layers.colours import ThemeColours, readable
from napari_superres.widgets.parts.curves import Curve
from napari_superres.widgets.parts.layout import fill_column

REDRAW_MS = 500  # however fast events come, plots are drawn at most twice a second
FEW_POINTS = 20
BAND_OPACITY = "38"  # hexadecimal: behind the curves, still seen on both themes


class LivePlot(QWidget):
    """One plot over steps, with its legend above it.

    Parameters
    ----------
    title : what is drawn
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.plot = pg.PlotWidget()
        font = self.fontMetrics()
        self.plot.setMinimumHeight(6 * font.height())
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard can do nothing there
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.getAxis("bottom").setStyle(showValues=True)
        self.plot.getAxis("left").setWidth(font.horizontalAdvance("0.0000") + 6)
        # half the height of the topmost number, which would be cut off
        self.plot.getPlotItem().setContentsMargins(0, 7, 0, 0)
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._targets: dict[str, pg.InfiniteLine] = {}
        self._bands: dict[str, pg.LinearRegionItem] = {}
        self._pens: dict[str, str] = {}
        column = fill_column(self, self.legend, self.plot)
        column.setSpacing(1)
        column.setStretch(1, 1)

    def show_curves(
        self,
        curves: Mapping[str, Curve],
        colours: Mapping[str, str],
        theme: ThemeColours,
        targets: Mapping[str, float] | None = None,
        dashed: Collection[str] = (),
        bands: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """Draw curves, updating lines in place.

        Parameters
        ----------
        curves, colours : by name
        targets : values to reach, drawn dashed
        dashed : names of curves to reach, drawn dashed and without points
        bands : intervals to come to lie in, by name, drawn behind
        """
        targets = targets or {}
        pens = {
            name: readable(colours.get(name, theme.text), theme.background)
            for name in {**curves, **targets}
        }
        bands = {name: band for name, band in (bands or {}).items() if name in pens}
        gone = set(self._bands) - set(bands)  # of a run that was shown before
        drawn = set(self._lines) == set(curves) and set(self._targets) == set(targets)
        if pens != self._pens or gone or not drawn:
            self._rebuild(list(curves), pens, targets, theme)
            for name in dashed:
                pen = pg.mkPen(pens[name], width=1.5, style=Qt.PenStyle.DashLine)
                self._lines[name].setPen(pen)
        for name, band in bands.items():
            self._show_band(name, band)
        for name, curve in curves.items():
            few = len(curve.steps) <= FEW_POINTS  # a single point draws no line
            symbol = "o" if few and name not in dashed else None
            self._lines[name].setData(curve.steps, curve.values, symbol=symbol)
        for name, value in targets.items():
            self._targets[name].setValue(value)

    def _show_band(self, name: str, band: tuple[float, float]) -> None:
        if name not in self._bands:
            colour = pg.mkBrush(self._pens[name] + BAND_OPACITY)
            region = pg.LinearRegionItem(
                orientation="horizontal", brush=colour, pen=pg.mkPen(None), movable=False
            )
            region.setZValue(-10)
            self._bands[name] = region
            # it spans the view, and would widen it at every look
            self.plot.addItem(region, ignoreBounds=True)
        self._bands[name].setRegion(band)

    def _rebuild(
        self,
        names: list[str],
        pens: dict[str, str],
        targets: Mapping[str, float],
        theme: ThemeColours,
    ) -> None:
        self.plot.clear()
        self._pens, self._lines, self._targets, self._bands = pens, {}, {}, {}
        self.plot.setBackground(theme.background)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(theme.foreground)
            axis.setTextPen(theme.text)
        for name in targets:
            pen = pg.mkPen(pens[name], width=1.5, style=Qt.PenStyle.DashLine)
            line = pg.InfiniteLine(angle=0, pen=pen)
            self._targets[name] = line
            # without it a target outside the data is out of sight
            self.plot.addItem(line)
        for name in names:
            self._lines[name] = self.plot.plot(
                pen=pg.mkPen(pens[name], width=2),
                symbolSize=5,
                symbolBrush=pens[name],
                symbolPen=None,
            )
        parts = [
            f'<span style="color:{pens[name]}">■</span>&nbsp;{escape(name).replace(" ", "&nbsp;")}'
            for name in names
        ]
        self.legend.setText("&nbsp; ".join([f"<b>{self.title}</b>", *parts]))
