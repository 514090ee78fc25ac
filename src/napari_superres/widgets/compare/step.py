"""Step 5: compare realisations, low-res and truth: side by side, in one place, by measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QPushButton, QSlider

from napari_superres.errors import SuperResError
from napari_superres.widgets.compare.plan import side_by_side, two_to_blink
from napari_superres.widgets.compare.rows import MapsRow, SpreadTable
from napari_superres.widgets.compare.swipe_array import places_in, prepare_swipe
from napari_superres.widgets.compare.views import Blinker, GridView, Swiper
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.layers.notes import HIGH_RES, SUPER_RES, role_of, same_layer
from napari_superres.widgets.layers.scale import layer_voxel_size
from napari_superres.widgets.layers.view import view_of
from napari_superres.widgets.measure.pickers import refill_ticked
from napari_superres.widgets.measure.plan import can_be_measured
from napari_superres.widgets.parts.layer_pickers import (
    LayerChecklist,
    LayerCombo,
    candidates,
    on_layers,
)
from napari_superres.widgets.parts.layout import Note, fill_step, heading, new_form, row_of
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step

SWIPE_STEPS = 1000


class CompareStep(Step):
    """A grid, blink and swipe, maps of agreement, and measures with their spread."""

    title = "Compare"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self.grid_view = GridView(self.viewer)
        self.blinker = Blinker(self.viewer, self)
        self.swiper = Swiper(self.viewer, self)
        self._swiped: tuple[Any, Any] | None = None
        self._preparing = Latest(self)
        self._preparing.done.connect(self._on_prepared)
        self._pair_by_hand = False
        self._build()
        on_layers(self.viewer, self._on_layers)
        self.viewer.dims.events.order.connect(self._on_slider)
        self._on_layers()

    def _build(self) -> None:
        self.layers = LayerChecklist()
        self.layers.setToolTip("Low-res, realisations and truth: shown beside each other")
        self.grid = _switch("Show as a grid", "Beside each other, with one camera and one slider")
        self.first, self.second = LayerCombo(), LayerCombo()
        self.first.setToolTip("Shown first, and left of the cut")
        self.second.setToolTip("Shown second, and right of the cut")
        self.blink = _switch("Blink", "Shows the two in turn")
        self.pace = QDoubleSpinBox()
        self.pace.setRange(0.1, 5)
        self.pace.setSingleStep(0.1)
        self.pace.setValue(0.6)
        self.pace.setSuffix(" s each")
        self.pace.setToolTip("How long each of the two is shown")
        self.swipe = _switch("Swipe", "The one left of the cut, the other right of it")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SWIPE_STEPS)
        self.slider.setValue(SWIPE_STEPS // 2)
        self.slider.setToolTip("Where the cut is")
        self.slider.setEnabled(False)
        self.status = Note()
        self.maps = MapsRow(self.viewer, self.session, self.realisations)
        self.spread = SpreadTable(self.viewer, self.session, self.realisations)
        pair = new_form()
        pair.addRow("First", self.first)
        pair.addRow("Second", self.second)
        fill_step(
            self,
            heading("Volumes"),
            self.layers,
            self.grid,
            heading("Two in one place"),
            pair,
            row_of(self.blink, self.pace, stretch=(1, 2)),
            row_of(self.swipe, self.slider, stretch=(1, 2)),
            self.status,
            heading("What realisations agree on"),
            self.maps,
            heading("Measures and their spread"),
            self.spread,
        )
        self.grid.toggled.connect(self._on_grid)
        self.blink.toggled.connect(self._on_blink)
        self.swipe.toggled.connect(self._on_swipe)
        self.pace.valueChanged.connect(self.blinker.set_pace)
        self.slider.valueChanged.connect(self._on_slider)
        self.layers.chosen.connect(self._on_ticks)
        for combo in (self.first, self.second):
            combo.chosen.connect(self._on_pair)
            combo.activated.connect(self._on_pair_by_hand)

    def realisations(self) -> Sequence[Any]:
        """Return the ticked realisations; ticked volumes of other origin where there are none."""
        ticked = self.layers.layers
        made = [layer for layer in ticked if role_of(layer) == SUPER_RES]
        return made or ticked

    def leave(self) -> None:
        """Show the layers as they were before a grid, blinking or a swipe."""
        for switch in (self.grid, self.blink, self.swipe):
            switch.setChecked(False)

    def _on_layers(self, _event: object = None) -> None:
        if self.swiper.array is not None and (self.swiper.gone or not self._pair_present()):
            self.swipe.setChecked(False)
        volumes = [one for one in reversed(candidates(self.viewer)) if _comparable(one)]
        refill_ticked(self.layers, volumes, side_by_side)
        pair = two_to_blink(volumes)
        for combo, usual in zip((self.first, self.second), pair, strict=True):
            combo.refill(volumes)
            if combo.layer is None or not self._pair_by_hand:
                combo.choose(usual)
        self._refresh()

    def _pair_present(self) -> bool:
        present = list(self.viewer.layers)
        pair = self._swiped or ()
        return all(any(same_layer(one, other) for other in present) for one in pair)

    def _refresh(self) -> None:
        pair = self.first.layer is not None and self.second.layer is not None
        pair = pair and not same_layer(self.first.layer, self.second.layer)
        self.grid.setEnabled(self.grid.isChecked() or len(self.layers.layers) > 1)
        self.blink.setEnabled(self.blink.isChecked() or pair)
        self.swipe.setEnabled(self.swipe.isChecked() or pair)
        self.maps.refresh()
        self.spread.refresh()

    def _on_ticks(self) -> None:
        if self.grid.isChecked():
            self.grid_view.show(self.layers.layers)
        self._refresh()

    def _on_pair_by_hand(self, _index: int) -> None:
        self._pair_by_hand = True

    def _on_pair(self) -> None:
        self.blink.setChecked(False)
        self.swipe.setChecked(False)
        self._refresh()

    def _only(self, switch: QPushButton) -> None:
        """End the other views: each hides layers in its own way."""
        for other in (self.grid, self.blink, self.swipe):
            if other is not switch:
                other.setChecked(False)

    def _on_grid(self, on: bool) -> None:
        if on:
            self._only(self.grid)
            self.grid_view.show(self.layers.layers)
        else:
            self.grid_view.end()
        self._refresh()

    def _on_blink(self, on: bool) -> None:
        if on:
            self._only(self.blink)
            self.blinker.start(self.first.layer, self.second.layer, self.pace.value())
        else:
            self.blinker.stop()
        self._refresh()

    def _on_swipe(self, on: bool) -> None:
        if not on:
            self._preparing.forget()
            self.swiper.stop()
            self.slider.setEnabled(False)
            self.status.setText("")
            self._swiped = None
            self._refresh()
            return
        self._only(self.swipe)
        pair = [self.first.layer, self.second.layer]
        try:
            places = [places_in(_finer(pair), layer) for layer in pair]
        except SuperResError as error:
            self._give_up(error)
            return
        self._swiped = (pair[0], pair[1])
        self.status.setText("Reading the two layers …")
        self._preparing.ask(prepare_swipe, [view_of(layer) for layer in pair], places)

    def _on_prepared(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._give_up(outcome.error)
            return
        if self._swiped is None:
            return
        array, phases = outcome.value
        names = " | ".join(str(layer.name) for layer in self._swiped)
        self.swiper.start(_finer(self._swiped), array, phases, f"swipe: {names}")
        self.slider.setEnabled(True)
        self.status.setText("")
        self._on_slider()

    def _give_up(self, error: SuperResError) -> None:
        self.swipe.setChecked(False)
        show_error(str(error))

    def _on_slider(self, _value: object = None) -> None:
        self.swiper.move(self.slider.value() / SWIPE_STEPS)


def _comparable(layer: Any) -> bool:
    """Whether a layer is a volume, and not one that this step made."""
    return layer.ndim == 3 and role_of(layer) != HIGH_RES and can_be_measured(layer)


def _finer(pair: Sequence[Any]) -> Any:
    """Return the layer of the finer grid, which is the swipe's own."""
    return min(pair, key=lambda layer: min(layer_voxel_size(layer) or abs(layer.scale)))


def _switch(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setToolTip(tip)
    return button
