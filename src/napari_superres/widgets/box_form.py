"""A box of voxels, typed: the first voxel along each axis, and one past the last."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QSpinBox, QWidget

from napari_superres.data.boxes import Box


class BoxForm(QWidget):
    """Two numbers an axis.

    Signals
    -------
    changed : a person typed another number

    Attributes
    ----------
    spins : (first, one past the last) of z, y and x
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spins = [[QSpinBox(), QSpinBox()] for _ in range(3)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, text in enumerate(("", "from", "up to")):
            grid.addWidget(QLabel(text), 0, column)
        for axis, name in enumerate("zyx"):
            grid.addWidget(QLabel(name), axis + 1, 0)
            for end, spin in enumerate(self.spins[axis]):
                spin.setToolTip(f"{name}: {'first voxel' if end == 0 else 'one past the last'}")
                spin.valueChanged.connect(self.changed)
                grid.addWidget(spin, axis + 1, end + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)

    @property
    def box(self) -> Box:
        """The typed box."""
        return Box.of_ranges((lo.value(), hi.value()) for lo, hi in self.spins)

    def show_box(self, box: Box) -> None:
        """Show a box, without a signal."""
        for pair, ends in zip(self.spins, box.ranges(), strict=True):
            for spin, value in zip(pair, ends, strict=True):
                with QSignalBlocker(spin):
                    spin.setValue(value)

    def limit(self, shape: Sequence[int]) -> None:
        """Allow boxes within a volume, without a signal."""
        for pair, size in zip(self.spins, shape, strict=True):
            for spin in pair:
                with QSignalBlocker(spin):
                    spin.setRange(0, size)
