"""Step 1: which layers, what voxel sizes, which phases belong together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from napari.qt.threading import create_worker
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_superres.errors import SuperResError
from napari_superres.scale_factor import ScaleFactor, format_scale_factor
from napari_superres.widgets.checks_view import ChecksView
from napari_superres.widgets.geometry import format_sizes, parse_sizes
from napari_superres.widgets.input_reader import (
    Inputs,
    problem_of,
    read_inputs,
    scale_factor_note,
    with_scale_factor,
    with_table,
)
from napari_superres.widgets.input_roles import guess_roles
from napari_superres.widgets.layer_pickers import LayerChecklist, LayerCombo, candidates, same
from napari_superres.widgets.phase_painter import paint_layer
from napari_superres.widgets.phase_rows import PhaseTable
from napari_superres.widgets.phase_table import PhaseTableView
from napari_superres.widgets.samples import LayerTuple, open_example_pair
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Note, Step, heading, new_form

PLANES = ("Normal to z (y–x plane)", "Normal to y (z–x plane)", "Normal to x (z–y plane)")


class DataStep(Step):
    """Choose the two inputs and say how they belong together."""

    title = "Data"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self.inputs: Inputs | None = None
        self._touched = False
        self._build()
        for event in ("inserted", "removed", "reordered"):
            getattr(self.viewer.layers.events, event).connect(self._on_layers)
        self._on_layers()

    def _build(self) -> None:
        self.example = QPushButton("Open the example pair")
        self.example.setToolTip("A generated battery cathode: a low-res volume and three slices")
        self.low_res = LayerCombo()
        self.low_res.setToolTip("Segmented volume to sharpen: a Labels or Image layer, axes z y x")
        self.high_res = LayerChecklist()
        self.high_res.setToolTip("Segmented slices of the same material; a stack counts as many")
        self.anisotropic = QCheckBox("The material differs between axes (anisotropic)")
        self.axes = [LayerCombo() for _ in PLANES]
        self.low_size, self.high_size = QLineEdit(), QLineEdit()
        for edit, what in ((self.low_size, "low-res"), (self.high_size, "high-res")):
            edit.setPlaceholderText("unknown")
            edit.setToolTip(f"Voxel size of the {what} layer in µm: one number, or three (zyx)")
        self.scale_factor = QLineEdit()
        self.scale_factor.setPlaceholderText("4, 8/5 or 4,2,2")
        self.scale_factor.setToolTip("Low-res voxel size divided by high-res voxel size, 1 to 16")
        self.scale_note, self.message, self.shares = Note(), Note(), Note()
        self.phases, self.checks = PhaseTableView(), ChecksView(self.session)
        self.colour_layers = QCheckBox("Show the layers in these colours")
        self.colour_layers.setChecked(True)
        self._lay_out()
        self.example.clicked.connect(self._open_example)
        self.low_res.chosen.connect(self._on_low_res)
        self.high_res.chosen.connect(self._on_choice)
        self.low_res.activated.connect(self._touch)
        self.high_res.itemClicked.connect(self._touch)
        self.anisotropic.toggled.connect(self._on_anisotropic)
        for combo in self.axes:
            combo.chosen.connect(self._on_choice)
        self.low_size.editingFinished.connect(self._on_sizes)
        self.high_size.editingFinished.connect(self._on_sizes)
        self.scale_factor.editingFinished.connect(self._on_scale_factor)
        self.phases.edited.connect(self._on_table)
        self.colour_layers.toggled.connect(self._paint)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.example)
        form = new_form()
        form.addRow("Low-res volume", self.low_res)
        form.addRow("High-res slices", self.high_res)
        layout.addLayout(form)
        layout.addWidget(self.anisotropic)
        self.axes_box = QWidget()
        axes_form = new_form(self.axes_box)
        for plane, combo in zip(PLANES, self.axes, strict=True):
            axes_form.addRow(plane, combo)
        self.axes_box.hide()
        layout.addWidget(self.axes_box)
        layout.addWidget(heading("Voxel sizes"))
        sizes = new_form()
        sizes.addRow("Low-res (µm)", self.low_size)
        sizes.addRow("High-res (µm)", self.high_size)
        sizes.addRow("Scale factor", self.scale_factor)
        sizes.addRow("", self.scale_note)
        layout.addLayout(sizes)
        layout.addWidget(heading("Phases of the high-res slices"))
        layout.addWidget(self.phases)
        layout.addWidget(self.shares)
        layout.addWidget(self.colour_layers)
        layout.addWidget(self.message)
        layout.addWidget(heading("Checks"))
        layout.addWidget(self.checks)
        layout.addStretch(1)

    @property
    def high_res_layers(self) -> list[Any]:
        """The chosen high-res layers; three, in zyx order, for an anisotropic material."""
        if self.anisotropic.isChecked():
            return [combo.layer for combo in self.axes]
        return self.high_res.layers

    def refresh(self) -> Inputs | None:
        """Read the layers again, as they are now, and share the inputs."""
        before = self.inputs.table if self.inputs is not None else None
        typed = self.scale_factor.text()
        try:
            self.inputs = read_inputs(
                self.low_res.layer, self.high_res_layers, self.anisotropic.isChecked(), before
            )
        except SuperResError as error:
            self._complain(error)
            return None
        if self.inputs is not None and self.inputs.scale_factor is None and typed:
            self._apply_scale_factor(typed)
        self._show()
        return self.inputs

    def _on_layers(self, _event: object = None) -> None:
        layers = candidates(self.viewer)
        for layer in layers:
            layer.events.name.disconnect(self._on_layers)
            layer.events.name.connect(self._on_layers)
        for picker in (self.low_res, *self.axes):
            picker.refill(layers)
        self._refill_high_res()
        if not self._touched and (self.low_res.layer is None or not self.high_res.layers):
            low, high = guess_roles(list(reversed(layers)))
            if low is not None and high:
                self.low_res.choose(low)
                self.high_res.choose(high)

    def _touch(self, _item: object = None) -> None:
        self._touched = True
        if self.inputs is None and self.message.text():
            show_warning(self.message.text())

    def _refill_high_res(self) -> None:
        chosen = self.low_res.layer
        self.high_res.refill([one for one in candidates(self.viewer) if not same(one, chosen)])

    def _on_choice(self) -> None:
        self.refresh()

    def _on_low_res(self) -> None:
        self._refill_high_res()
        self.refresh()

    def _on_anisotropic(self, on: bool) -> None:
        self.axes_box.setVisible(on)
        self.high_res.setEnabled(not on)
        self.refresh()

    def _on_sizes(self) -> None:
        try:
            low = parse_sizes(self.low_size.text())
            high = parse_sizes(self.high_size.text())
        except SuperResError as error:
            show_warning(str(error))
            return
        chosen = [layer for layer in self.high_res_layers if layer is not None]
        for sizes, layers in ((low, [self.low_res.layer]), (high, chosen)):
            for layer in layers:
                if sizes is not None and layer is not None:
                    _set_voxel_size(layer, sizes)
        self.refresh()

    def _on_scale_factor(self) -> None:
        if self.inputs is not None:
            self._apply_scale_factor(self.scale_factor.text())
            self._show()

    def _apply_scale_factor(self, text: str) -> None:
        assert self.inputs is not None
        try:
            self.inputs = with_scale_factor(self.inputs, text)
        except SuperResError as error:
            self.inputs = replace(self.inputs, scale_factor=None)
            show_warning(str(error))

    def _on_table(self, table: PhaseTable) -> None:
        if self.inputs is not None:
            self.inputs = with_table(self.inputs, table)
            self._show(table_too=False)

    def _complain(self, error: SuperResError) -> None:
        self.inputs = None
        self._show()
        self.message.setText(f"<b>Not usable yet.</b> {error}")

    def _show(self, table_too: bool = True) -> None:
        inputs = self.inputs
        factor: ScaleFactor | None = inputs.scale_factor if inputs else None
        if inputs is not None:
            self.low_size.setText(format_sizes(inputs.low_res.voxel_size))
            self.high_size.setText(format_sizes(inputs.high_res.voxel_size))
            self.scale_factor.setText(format_scale_factor(factor) if factor else "")
        self.scale_note.setText(scale_factor_note(inputs, factor))
        if table_too:
            self.phases.show_table(inputs.table if inputs else None)
        self.shares.setText(_shares_text(inputs))
        problem = problem_of(inputs) if inputs else None
        self.message.setText(f"<b>Not usable yet.</b> {problem}" if problem else "")
        self._paint()
        self.session.set_inputs(inputs)

    def _paint(self, _on: object = None) -> None:
        if self.inputs is None or not self.colour_layers.isChecked():
            return
        paint_layer(self.low_res.layer, self.inputs.low_res.phases)
        for layer in self.high_res_layers:
            paint_layer(layer, self.inputs.high_res.phases)

    def _open_example(self) -> None:
        # it takes seconds: not on the main thread
        self.example.setEnabled(False)
        self.example.setText("Generating the example pair …")
        worker = create_worker(open_example_pair, _start_thread=False)
        worker.returned.connect(self.add_layers)
        worker.finished.connect(self._example_done)
        worker.start()

    def _example_done(self) -> None:
        self.example.setEnabled(True)
        self.example.setText("Open the example pair")

    def add_layers(self, layers: list[LayerTuple]) -> None:
        """Add layers of an example to the viewer and choose them."""
        added = [self.viewer.add_labels(data, **arguments) for data, arguments, _kind in layers]
        low, high = guess_roles(added)
        self._touched = True
        self.low_res.choose(low)
        self.high_res.choose(high)
        self.viewer.reset_view()


def _set_voxel_size(layer: Any, sizes: tuple[float, float, float]) -> None:
    scale = np.array(layer.scale, float)
    count = min(layer.ndim, 3)
    scale[-count:] = sizes[-count:]
    layer.scale = scale
    layer.units = ("um",) * layer.ndim


def _shares_text(inputs: Inputs | None) -> str:
    if inputs is None:
        return ""
    lines = []
    names = {phase.value: phase.name for phase in inputs.low_res.phases}
    for value, low, high in inputs.table.fractions_side_by_side():
        lines.append(f"low-res {value} ({names[value]}): {low:.3f} there, {high:.3f} in the slices")
    return "<br>".join(lines)
