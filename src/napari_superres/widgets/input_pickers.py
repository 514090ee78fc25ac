"""Which layers are the inputs: guessed, or chosen by a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_superres.widgets.axis_pickers import AxisPickers
from napari_superres.widgets.input_roles import guess_roles
from napari_superres.widgets.layer_pickers import LayerChecklist, LayerCombo, candidates, same
from napari_superres.widgets.step import new_form


class InputPickers(QWidget):
    """A low-res layer and high-res layers, kept in step with the viewer.

    Signals
    -------
    chosen : another choice, by whoever
    touched : a person chose something
    """

    chosen = Signal()
    touched = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.by_person = False
        self._guess = QTimer(self)
        self._guess.setSingleShot(True)
        self._guess.timeout.connect(self._choose_likely)
        self.low_res = LayerCombo()
        self.low_res.setToolTip("Segmented volume to sharpen: a Labels or Image layer, axes z y x")
        self.high_res = LayerChecklist()
        self.high_res.setToolTip("Segmented slices of the same material; a stack counts as many")
        self.anisotropic = QCheckBox("The material differs between axes (anisotropic)")
        self.anisotropic.setToolTip("Needs slices normal to each of the three axes")
        self.axes = AxisPickers()
        self.axes.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        form = new_form()
        form.addRow("Low-res volume", self.low_res)
        self._high_res_label = QLabel("High-res slices")
        form.addRow(self._high_res_label, self.high_res)
        layout.addLayout(form)
        layout.addWidget(self.anisotropic)
        layout.addWidget(self.axes)
        for event in ("inserted", "removed", "reordered"):
            getattr(viewer.layers.events, event).connect(self.refill)
        self.low_res.chosen.connect(self._on_low_res)
        self.high_res.chosen.connect(self.chosen)
        self.low_res.activated.connect(self._touch)
        self.high_res.picked.connect(self._touch)
        self.anisotropic.toggled.connect(self._on_anisotropic)
        self.axes.chosen.connect(self.chosen)

    @property
    def low_res_layer(self) -> Any | None:
        """The chosen volume."""
        return self.low_res.layer

    @property
    def high_res_layers(self) -> list[Any]:
        """The chosen high-res layers; three, in zyx order, for an anisotropic material."""
        return self.axes.layers if self.anisotropic.isChecked() else self.high_res.layers

    @property
    def layers(self) -> list[Any]:
        """All chosen layers."""
        return [one for one in (self.low_res_layer, *self.high_res_layers) if one is not None]

    def choose(self, low_res: Any | None, high_res: Sequence[Any]) -> None:
        """Choose layers for a person; None and nothing keep what is chosen."""
        self.by_person = True
        if low_res is not None:
            self.low_res.choose(low_res)
        if high_res:
            self.high_res.choose(high_res)

    def replace(self, old: Any, new: Any) -> None:
        """Tick one slice layer instead of another, besides those that are ticked."""
        kept = [one for one in self.high_res.layers if not same(one, old)]
        self.choose(None, [*kept, new])

    def refill(self, _event: object = None) -> None:
        """Offer the viewer's layers, keeping the choice where it is still there."""
        layers = candidates(self.viewer)
        for layer in layers:
            layer.events.name.disconnect(self.refill)
            layer.events.name.connect(self.refill)
        self.low_res.refill(layers)
        self.axes.refill(layers)
        self._refill_high_res()
        if not self.by_person:
            self._guess.start()

    def _choose_likely(self) -> None:
        """Choose inputs for a person who has not; several layers may have come at once."""
        low, high = guess_roles(list(reversed(candidates(self.viewer))))
        if not self.by_person and low is not None and high:
            self.low_res.choose(low)
            self.high_res.choose(high)

    def _touch(self, _item: object = None) -> None:
        self.by_person = True
        self.touched.emit()

    def _refill_high_res(self) -> None:
        chosen = self.low_res.layer
        self.high_res.refill([one for one in candidates(self.viewer) if not same(one, chosen)])

    def _on_low_res(self) -> None:
        self._refill_high_res()
        self.chosen.emit()

    def _on_anisotropic(self, on: bool) -> None:
        self.axes.setVisible(on)
        for part in (self.high_res, self._high_res_label):  # each axis has its own instead
            part.setVisible(not on)
        self.chosen.emit()
