"""Step 1: which layers, what voxel sizes, which phases belong together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari.utils.notifications import show_warning
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import SuperResError
from napari_superres.scale_factor import ScaleFactor, format_scale_factor
from napari_superres.widgets.checks_view import ChecksView
from napari_superres.widgets.geometry import format_sizes, implied_sizes, parse_sizes
from napari_superres.widgets.input_reader import (
    Inputs,
    problem_of,
    read_inputs,
    scale_factor_note,
    shares_text,
    with_scale_factor,
    with_table,
)
from napari_superres.widgets.input_roles import HIGH_RES, LOW_RES, guess_roles, role_of
from napari_superres.widgets.layer_data import set_voxel_size
from napari_superres.widgets.layer_pickers import LayerChecklist, LayerCombo, candidates, same
from napari_superres.widgets.open_row import OpenRow
from napari_superres.widgets.phase_painter import paint_layer
from napari_superres.widgets.phase_rows import PhaseTable
from napari_superres.widgets.phase_table import PhaseTableView
from napari_superres.widgets.samples import LayerTuple
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
        self.problem = ""
        self._guess = QTimer(self)
        self._guess.setSingleShot(True)
        self._guess.timeout.connect(self._choose_likely)
        self._build()
        for event in ("inserted", "removed", "reordered"):
            getattr(self.viewer.layers.events, event).connect(self._on_layers)
        self._on_layers()

    def _build(self) -> None:
        self.open_row = OpenRow()
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
        self.open_row.opened.connect(self.add_layers)
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
        layout.addWidget(self.open_row)
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
        layout.addLayout(sizes)
        layout.addWidget(self.scale_note)
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
        if not self._touched:
            self._guess.start()

    def _choose_likely(self) -> None:
        """Choose inputs for a user who has not; several layers may have come at once."""
        low, high = guess_roles(list(reversed(candidates(self.viewer))))
        if not self._touched and low is not None and high:
            self.low_res.choose(low)
            self.high_res.choose(high)

    def _touch(self, _item: object = None) -> None:
        self._touched = True
        self._warn()

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
        self._set_sizes(low, high)
        self.refresh()

    def _set_sizes(self, low: VoxelSize | None, high: VoxelSize | None) -> None:
        chosen = [layer for layer in self.high_res_layers if layer is not None]
        for sizes, layers in ((low, [self.low_res.layer]), (high, chosen)):
            for layer in layers:
                if sizes is not None and layer is not None:
                    set_voxel_size(layer, sizes)

    def _on_scale_factor(self) -> None:
        inputs = self.inputs
        if inputs is None:
            return
        self._apply_scale_factor(self.scale_factor.text())
        before = (inputs.low_res.voxel_size, inputs.high_res.voxel_size)
        sizes = implied_sizes(*before, self.inputs.scale_factor)
        if sizes != before:
            # one layer without units would cost the whole scene its units
            self._set_sizes(*sizes)
            self.refresh()
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
            self._warn()

    def _warn(self) -> None:
        """Tell what is wrong with what the user just chose."""
        if self.problem:
            show_warning(self.problem)

    def _complain(self, error: SuperResError) -> None:
        self.inputs = None
        self._show(problem=error)

    def _show(self, table_too: bool = True, problem: SuperResError | None = None) -> None:
        inputs = self.inputs
        factor: ScaleFactor | None = inputs.scale_factor if inputs else None
        if inputs is not None:
            self.low_size.setText(format_sizes(inputs.low_res.voxel_size))
            self.high_size.setText(format_sizes(inputs.high_res.voxel_size))
            self.scale_factor.setText(format_scale_factor(factor) if factor else "")
        self.scale_note.setText(scale_factor_note(inputs, factor))
        if table_too:
            self.phases.show_table(inputs.table if inputs else None)
        self.shares.setText(shares_text(inputs))
        if inputs is not None:
            problem = problem_of(inputs)
        self.problem = str(problem or "")
        self.message.setText(f"<b>Not usable yet.</b> {self.problem}" if problem else "")
        self._paint()
        self.session.set_inputs(inputs)

    def _paint(self, _on: object = None) -> None:
        if self.inputs is None or not self.colour_layers.isChecked():
            return
        paint_layer(self.low_res.layer, self.inputs.low_res.phases)
        for layer in self.high_res_layers:
            paint_layer(layer, self.inputs.high_res.phases)

    def add_layers(self, layers: list[LayerTuple]) -> None:
        """Add layers with noted roles to the viewer and choose them."""
        self._touched = True
        added = [self.viewer.add_labels(data, **arguments) for data, arguments, _kind in layers]
        volumes = [layer for layer in added if role_of(layer) == LOW_RES]
        slices = [layer for layer in added if role_of(layer) == HIGH_RES]
        if volumes:
            self.low_res.choose(volumes[-1])
        if slices:
            self.high_res.choose(slices)
        self.viewer.reset_view()
        self._warn()
