"""Voxel sizes and the scale factor, as they are in the layers or as typed."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from napari_superres.data.volumes import VoxelSize
from napari_superres.scale_factor import ScaleFactor, format_scale_factor
from napari_superres.widgets.geometry import format_sizes, parse_sizes
from napari_superres.widgets.step import Note, new_form


class SizesForm(QWidget):
    """Three fields and a line on where the scale factor comes from.

    Signals
    -------
    sizes_typed, scale_factor_typed : a person changed a field
    """

    sizes_typed = Signal()
    scale_factor_typed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low, self.high, self.scale_factor = QLineEdit(), QLineEdit(), QLineEdit()
        for edit, what in ((self.low, "low-res"), (self.high, "high-res")):
            edit.setPlaceholderText("unknown")
            edit.setToolTip(
                f"Voxel size of the {what} layer in µm: one number, or three (z, y, x). "
                "It is written into the layer"
            )
            edit.editingFinished.connect(self._on_sizes)
        self.scale_factor.setPlaceholderText("4, 8/5 or 4,2,2")
        self.scale_factor.setToolTip(
            "Low-res voxel size divided by high-res voxel size, 1 to 16; three (z, y, x) "
            "where the axes differ"
        )
        self.scale_factor.editingFinished.connect(self.scale_factor_typed)
        self.note = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        form = new_form()
        form.addRow("Low-res (µm)", self.low)
        form.addRow("High-res (µm)", self.high)
        form.addRow("Scale factor", self.scale_factor)
        layout.addLayout(form)
        layout.addWidget(self.note)
        self._shown = ("", "")

    @property
    def sizes(self) -> tuple[VoxelSize | None, VoxelSize | None]:
        """The typed sizes of low-res and high-res in µm.

        Raises
        ------
        SettingsError
            A text that is no size.
        """
        return parse_sizes(self.low.text()), parse_sizes(self.high.text())

    def show_sizes(
        self, low: VoxelSize | None, high: VoxelSize | None, factor: ScaleFactor | None
    ) -> None:
        """Fill the fields."""
        self.low.setText(format_sizes(low))
        self.high.setText(format_sizes(high))
        self.scale_factor.setText(format_scale_factor(factor) if factor else "")
        self._shown = (self.low.text(), self.high.text())

    def _on_sizes(self) -> None:
        # leaving a field is no edit: sizes are shown with four digits
        if (self.low.text(), self.high.text()) != self._shown:
            self.sizes_typed.emit()
