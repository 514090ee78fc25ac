"""One field for each threshold, for the keyboard and for exact values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QWidget

from napari_superres.data.grey_values import GreySample
from napari_superres.data.thresholds import MOST_CLASSES
from napari_superres.widgets.segment_plan import digits_for


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
