"""The controls of the Segment panel: its form, histogram and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_superres.data.grey import MOST_CLASSES, GreySample, Smoothing
from napari_superres.data.phases import Phase
from napari_superres.widgets.jobs.job_row import JobRow
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from napari_superres.widgets.layers.colours import ThemeColours, readable, rgb
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES
from napari_superres.widgets.parts.layer_pickers import LayerCombo
from napari_superres.widgets.parts.layout import Note, fill_column, new_form, row_of
from napari_superres.widgets.segment.plan import digits_for

HISTOGRAM_LINES = 8
"""Height, in lines of text."""
ROLES = (("low-res volume", LOW_RES), ("high-res slices", HIGH_RES))


class SegmentForm(QWidget):
    """Which layer, how many phases, where their grey values end."""

    def __init__(self, runner: StreamRunner) -> None:
        super().__init__()
        self._build(runner)
        self._lay_out()

    def _build(self, runner: StreamRunner) -> None:
        self.layer = LayerCombo()
        self.layer.setToolTip("A greyscale image, volume or stack of slices")
        self.classes = QSpinBox()
        self.classes.setRange(2, MOST_CLASSES)
        self.classes.setToolTip("How many phases the image has")
        self.otsu = QPushButton("Multi-Otsu")
        self.otsu.setToolTip("Set the thresholds so that grey varies least within each phase")
        self.histogram = GreyHistogram()
        self.row = ThresholdRow()
        self.smooth = QDoubleSpinBox()
        self.smooth.setRange(0, 5)
        self.smooth.setSingleStep(0.25)
        self.smooth.setSpecialValueText("off")
        self.smooth.setSuffix(" voxels")
        self.smooth.setToolTip(
            "Standard deviation of a Gaussian over the grey values before the thresholds: "
            "against noise, at the cost of fine detail"
        )
        self.alone = QCheckBox("Each slice by itself")
        self.alone.setToolTip("The first axis counts separate slices: smooth only within them")
        self.role = QComboBox()
        for text, role in ROLES:
            self.role.addItem(text, role)
        self.role.setToolTip("What the segmented layer is used as in the Data step")
        self.show_preview = QCheckBox("Show on the slice in view")
        self.show_preview.setToolTip("Lays the phases over the slice that the viewer shows")
        self.show_preview.setChecked(True)
        self.apply = QPushButton("Segment")
        self.apply.setToolTip("Segment the whole image into a new Labels layer")
        self.job = JobRow(
            runner,
            (self.apply,),
            begins="Segmenting …",
            failed="Not segmented.",
            cancelled="Segmenting was cancelled.",
            cancel_tip="Stop segmenting; no layer is added",
        )
        self.shares, self.note = Note(), self.job.status

    def _lay_out(self) -> None:
        what, how = new_form(), new_form()
        what.addRow("Greyscale layer", self.layer)
        what.addRow("Phases", row_of(self.classes, self.otsu, stretch=(1, 1)))
        how.addRow("Smooth", row_of(self.smooth, self.alone, stretch=(1, 1)))
        how.addRow("Use as", self.role)
        fill_column(
            self,
            what,
            self.histogram,
            self.row,
            self.shares,
            how,
            self.show_preview,
            self.job,
        )

    @property
    def smoothing(self) -> Smoothing:
        """The smoothing that is chosen."""
        return Smoothing(self.smooth.value(), self.alone.isChecked())

    def offer(self, shape: Sequence[int] | None, known: bool, active: bool) -> None:
        """Enable the controls that have an effect on an image of this shape, None for no image.

        `known` is whether it has thresholds, `active` whether it is being segmented.
        """
        for widget in (self.classes, self.otsu, self.smooth, self.role):
            widget.setEnabled(shape is not None and not active)
        deep = shape is not None and len(shape) == 3
        self.alone.setEnabled(deep and self.smooth.value() > 0 and not active)
        self.apply.setEnabled(known and not active)


class GreyHistogram(pg.PlotWidget):
    """A histogram over the classes' colours.

    Signals
    -------
    dragged : (index of a threshold, its value)
    """

    dragged = Signal(int, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HISTOGRAM_LINES * self.fontMetrics().height())
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
            with QSignalBlocker(line):
                line.setValue(value)
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


class ThresholdRow(QWidget):
    """Thresholds, dark to bright.

    Signals
    -------
    moved : (index of a threshold, its value)
    """

    moved = Signal(int, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.label = QLabel("Thresholds")
        layout.addWidget(self.label)
        self.fields = [QDoubleSpinBox() for _ in range(MOST_CLASSES - 1)]
        for index, field in enumerate(self.fields):
            field.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
            field.setKeyboardTracking(False)  # half a number is no threshold
            field.setMinimumWidth(field.fontMetrics().horizontalAdvance("0000.0") + 12)
            field.setAccessibleName(f"Threshold {index + 1}")
            field.setToolTip("Grey values above it belong to the next brighter phase")
            field.valueChanged.connect(partial(self.moved.emit, index))
            field.hide()
            layout.addWidget(field, 1)

    def show_range(self, sample: GreySample) -> None:
        """Let the fields take the grey values of a sample."""
        low, high = sample.limits
        digits, step = digits_for(low, high, sample.whole_numbers)
        for field in self.fields:
            with QSignalBlocker(field):
                field.setDecimals(digits)
                field.setRange(low, high)
                field.setSingleStep(step)

    def show_thresholds(self, thresholds: Sequence[float]) -> None:
        """Show a field for each threshold."""
        self.setVisible(bool(thresholds))
        for index, field in enumerate(self.fields):
            field.setVisible(index < len(thresholds))
            if index < len(thresholds):
                with QSignalBlocker(field):
                    field.setValue(thresholds[index])
