"""The controls of the Segment panel, without what they do."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_superres.data.grey_values import Smoothing
from napari_superres.data.thresholds import MOST_CLASSES
from napari_superres.widgets.input_roles import HIGH_RES, LOW_RES
from napari_superres.widgets.layer_pickers import LayerCombo
from napari_superres.widgets.segment_histogram import GreyHistogram
from napari_superres.widgets.step import Note, new_form
from napari_superres.widgets.threshold_row import ThresholdRow

ROLES = (("low-res volume", LOW_RES), ("high-res slices", HIGH_RES))


class SegmentForm(QWidget):
    """Which layer, how many phases, where their grey values end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build()
        self._lay_out()

    @property
    def smoothing(self) -> Smoothing:
        """What the dials say."""
        return Smoothing(self.smooth.value(), self.alone.isChecked())

    def offer(self, shape: Sequence[int] | None, known: bool, active: bool) -> None:
        """Enable the controls that have an effect now.

        Parameters
        ----------
        shape : of the image; None for none
        known : whether it has thresholds
        active : whether an image is being segmented
        """
        for widget in (self.classes, self.otsu, self.smooth, self.role):
            widget.setEnabled(shape is not None and not active)
        deep = shape is not None and len(shape) == 3
        self.alone.setEnabled(deep and self.smooth.value() > 0 and not active)
        self.apply.setEnabled(known and not active)

    def _build(self) -> None:
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
        self.apply, self.cancel = QPushButton("Segment"), QPushButton("Cancel")
        self.apply.setToolTip("Segment the whole image into a new Labels layer")
        self.cancel.setToolTip("Stop segmenting; no layer is added")
        self.bar = QProgressBar()
        self.shares, self.note = Note(), Note()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        form = new_form()
        form.addRow("Greyscale layer", self.layer)
        form.addRow("Phases", _in_a_row(self.classes, self.otsu))
        layout.addLayout(form)
        layout.addWidget(self.histogram)
        layout.addWidget(self.row)
        layout.addWidget(self.shares)
        more = new_form()
        more.addRow("Smooth", _in_a_row(self.smooth, self.alone))
        more.addRow("Use as", self.role)
        layout.addLayout(more)
        layout.addWidget(self.show_preview)
        layout.addWidget(_in_a_row(self.apply, self.cancel))
        layout.addWidget(self.bar)
        layout.addWidget(self.note)
        self.bar.hide()
        self.cancel.hide()


def _in_a_row(*widgets: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget, 1)
    return box
