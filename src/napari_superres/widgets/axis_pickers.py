"""Anisotropic materials: a high-res layer for each axis, with a drawing of its plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_superres.widgets.layer_pickers import LayerCombo
from napari_superres.widgets.plane_diagram import AXES, PlaneDiagram, plane_text
from napari_superres.widgets.step import Note


class AxisPickers(QWidget):
    """Three layers, normal to z, y and x; one layer may serve two axes.

    Signals
    -------
    chosen : another layer is chosen
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(1, 1)
        self.combos = [LayerCombo() for _ in AXES]
        for axis, combo in enumerate(self.combos):
            layout.addWidget(PlaneDiagram(axis), 2 * axis, 0, 2, 1)
            label = QLabel(plane_text(axis))
            label.setBuddy(combo)
            layout.addWidget(label, 2 * axis, 1)
            layout.addWidget(combo, 2 * axis + 1, 1)
            combo.setToolTip(
                f"Slices normal to {AXES[axis]}. Choose one layer for two axes that look alike"
            )
            combo.setAccessibleName(plane_text(axis))
            combo.chosen.connect(self._on_chosen)
        self.note = Note()
        layout.addWidget(self.note, 6, 0, 1, 2)

    @property
    def layers(self) -> list[Any | None]:
        """The chosen layers in zyx order, None where none is chosen."""
        return [combo.layer for combo in self.combos]

    def refill(self, layers: Sequence[Any]) -> None:
        """Offer other layers, keeping the choice where it is still there."""
        for combo in self.combos:
            combo.refill(layers)
        self._tell()

    def choose(self, layers: Sequence[Any]) -> None:
        """Choose three layers, in zyx order."""
        for combo, layer in zip(self.combos, layers, strict=True):
            combo.choose(layer)

    def _on_chosen(self) -> None:
        self._tell()
        self.chosen.emit()

    def _tell(self) -> None:
        self.note.setText(missing_text(self.layers))


def missing_text(layers: Sequence[Any | None]) -> str:
    """Return which axes still lack a layer."""
    missing = [name for name, layer in zip(AXES, layers, strict=True) if layer is None]
    return f"Choose a layer for {' and '.join(missing)}." if missing else ""
