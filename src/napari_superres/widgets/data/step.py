"""Step 1: which layers are the inputs, their voxel sizes, which phases belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakMethod

from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QPushButton, QWidget

from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import NotSegmentedError, SuperResError
from napari_superres.scale_factor import ScaleFactor, format_scale_factor
from napari_superres.widgets.data.checks import ChecksView
from napari_superres.widgets.data.examples import open_example_pair
from napari_superres.widgets.data.opening import FILES, slices_layers, volume_layers
from napari_superres.widgets.data.phase_table import PhaseTableView
from napari_superres.widgets.data.pickers import InputPickers
from napari_superres.widgets.inputs.inputs import (
    Inputs,
    choose_inputs,
    problem_of,
    read_choice,
    scale_factor_note,
    shares_text,
    with_scale_factor,
    with_table,
)
from napari_superres.widgets.inputs.phases import PhaseTable
from napari_superres.widgets.jobs.threads import Latest, Outcome, in_thread
from napari_superres.widgets.layers.colours import paint_layer, paint_results
from napari_superres.widgets.layers.geometry import format_sizes, implied_sizes, parse_sizes
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES, role_of
from napari_superres.widgets.layers.scale import give_size, slice_size
from napari_superres.widgets.layers.shown import LayerTuple, add_layer
from napari_superres.widgets.parts.layer_pickers import candidates
from napari_superres.widgets.parts.layout import (
    Note,
    fill_column,
    fill_step,
    heading,
    new_form,
    row_of,
)
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.segment.panel import SegmentFold

READING = "Reading the layers …"


class DataStep(Step):
    """Choose the two inputs and say how they belong together."""

    title = "Data"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self.inputs: Inputs | None = None
        self.problem = ""
        self._then: Callable[[], None] | None = None
        self._awaited = False
        self._insisted = False  # on a scale factor other than that of the voxel sizes
        self._reading = Latest(self)
        self._build()
        self._connect()
        self.pickers.refill()

    def _build(self) -> None:
        self.open_row = OpenRow()
        self.segment_fold = SegmentFold(self.viewer, self.session)
        self.segment = self.segment_fold.panel
        self.pickers = InputPickers(self.viewer)
        self.low_res, self.high_res = self.pickers.low_res, self.pickers.high_res
        self.anisotropic, self.axes = self.pickers.anisotropic, self.pickers.axes
        self.sizes = SizesForm()
        self.low_size, self.high_size = self.sizes.low, self.sizes.high
        self.scale_factor = self.sizes.scale_factor
        self.message, self.shares = Note(), Note()
        self.segment_it = QPushButton("Segment it …")
        self.segment_it.setToolTip("Open the thresholds above for the greyscale layer")
        self.segment_it.hide()
        self.phases = PhaseTableView()
        self.checks = ChecksView(self.session, self.viewer)
        self.colour_layers = QCheckBox("Show the layers in these colours")
        self.colour_layers.setToolTip("Low-res, high-res and super-res layers share the colours")
        self.colour_layers.setChecked(True)
        fill_step(
            self,
            self.open_row,
            self.segment_fold,
            self.pickers,
            self.message,
            self.segment_it,
            heading("Voxel sizes"),
            self.sizes,
            heading("Phases of the high-res slices"),
            self.phases,
            self.shares,
            self.colour_layers,
            heading("Checks"),
            self.checks,
        )

    def _connect(self) -> None:
        self.open_row.opened.connect(self.add_layers)
        self.segment.segmented.connect(self._on_segmented)
        self.segment_it.clicked.connect(self._segment_it)
        self.pickers.chosen.connect(self._on_chosen)
        self.pickers.touched.connect(self._warn)
        self.sizes.sizes_typed.connect(self._on_sizes)
        self.sizes.scale_factor_typed.connect(self._on_scale_factor)
        self.phases.edited.connect(self._on_table)
        self.colour_layers.toggled.connect(self._paint)
        self._reading.done.connect(self._on_read)

    @property
    def high_res_layers(self) -> list[Any]:
        """The chosen high-res layers; three, in zyx order, for an anisotropic material."""
        return self.pickers.high_res_layers

    def refresh(self, then: Callable[[], None] | None = None) -> Inputs | None:
        """Read the layers as they are now and share the inputs.

        Large and lazy layers are read in a thread: None is returned, as where the layers
        cannot be used, and `then` is called once there are inputs.
        """
        self._reading.forget()
        self._then = then
        self.session.fusion.reader = WeakMethod(self.refresh)
        try:
            layers = self.high_res_layers
            choice = choose_inputs(self.low_res.layer, layers, self.anisotropic.isChecked())
            before = self.inputs.table if self.inputs is not None else None
            if choice is not None and not choice.small:
                self._set_awaited(True)
                self.session.fusion.set_inputs(None, READING)
                self._show_message(READING)
                self._reading.ask(read_choice, choice, before)
                return None
            read = None if choice is None else read_choice(choice, before)
        except SuperResError as error:
            self._on_read(Outcome(error=error))
        else:
            self._on_read(Outcome(read))
        return self.inputs

    def _on_chosen(self) -> None:
        self._insisted = False
        self.refresh()

    def _set_awaited(self, reading: bool) -> None:
        self._awaited = reading
        self.phases.setEnabled(not reading)  # what is edited meanwhile would be lost

    def _on_read(self, outcome: Outcome) -> None:
        self._set_awaited(False)
        self.inputs = outcome.value
        inputs, typed = self.inputs, self.scale_factor.text()
        if inputs is not None and typed and (inputs.scale_factor is None or self._insisted):
            self._apply_scale_factor(typed)
        self._show(problem=outcome.error)
        then, self._then = self._then, None
        if self.inputs is not None and then is not None:
            then()

    def _on_sizes(self) -> None:
        try:
            self._set_sizes(*self.sizes.sizes)
        except SuperResError as error:
            show_warning(str(error))
            return
        self._insisted = False
        self.refresh()

    def _set_sizes(self, low: VoxelSize | None, high: VoxelSize | None) -> None:
        if low is not None and self.low_res.layer is not None:
            give_size(self.low_res.layer, low, 3)
        for axis, layer in enumerate(self.high_res_layers):
            if high is not None and layer is not None:
                normal = axis if self.anisotropic.isChecked() else 0
                give_size(layer, slice_size(high, normal), 2)

    def _on_scale_factor(self) -> None:
        if self.inputs is None or self._awaited:
            return
        text = self.scale_factor.text().strip()
        before = (self.inputs.pair.low_res.voxel_size, self.inputs.pair.high_res.voxel_size)
        if not text:  # that of the voxel sizes again
            self._insisted = False
            self.refresh()
            return
        self._apply_scale_factor(text)
        self._insisted = None not in before and self.inputs.scale_factor is not None
        sizes = implied_sizes(*before, self.inputs.scale_factor)
        if sizes != before:
            # one layer without units would cost the whole scene its units
            self._set_sizes(*sizes)
            self.refresh()
        else:
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
        """Show what is wrong with what the user just chose."""
        if self.problem:
            show_warning(self.problem)

    def _show_message(self, text: str, problem: SuperResError | None = None) -> None:
        self.problem = str(problem or "")
        self.message.setText(text)
        self.segment_it.setVisible(isinstance(problem, NotSegmentedError))

    def _show(self, table_too: bool = True, problem: SuperResError | None = None) -> None:
        inputs = self.inputs
        if inputs is not None:
            sizes = inputs.pair.low_res.voxel_size, inputs.pair.high_res.voxel_size
            self.sizes.show_sizes(*sizes, inputs.scale_factor)
            problem = problem_of(inputs)
        self.sizes.note.setText(
            scale_factor_note(inputs, inputs.scale_factor if inputs is not None else None)
        )
        if table_too:
            self.phases.show_table(inputs.table if inputs else None)
        self.shares.setText(shares_text(inputs))
        self._show_message(f"<b>Not usable yet.</b> {problem}" if problem else "", problem)
        self._paint()
        self.session.fusion.set_inputs(inputs, str(problem or ""))

    def _paint(self, _on: object = None) -> None:
        if self.inputs is None or not self.colour_layers.isChecked():
            return
        paint_layer(self.low_res.layer, self.inputs.pair.low_res.phases)
        for layer in self.high_res_layers:
            paint_layer(layer, self.inputs.pair.high_res.phases)
        paint_results(candidates(self.viewer), self.inputs.pair.high_res.phases)

    def _segment_it(self) -> None:
        self.segment_fold.open_for(self.pickers.layers)

    def _on_segmented(self, layer: Any) -> None:
        """Use a layer that was just segmented, instead of the one it was made of."""
        if role_of(layer) == LOW_RES:
            self.pickers.choose(layer, [])
        else:
            self.pickers.replace(self.segment.source, layer)

    def add_layers(self, layers: list[LayerTuple]) -> None:
        """Add layers that have roles to the viewer and choose them."""
        added = [add_layer(self.viewer, layer) for layer in layers]
        volumes = [layer for layer in added if role_of(layer) == LOW_RES]
        slices = [layer for layer in added if role_of(layer) == HIGH_RES]
        self.pickers.choose(volumes[-1] if volumes else None, slices)
        self.viewer.reset_view()
        self._warn()


class OpenRow(QWidget):
    """Buttons to open a volume, slices, or the example; files are read in a thread.

    Signals
    -------
    opened : list of layer tuples that have roles
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.volume = QPushButton("Open volume …")
        self.volume.setToolTip("A segmented low-res volume from a file, with its voxel size")
        self.slices = QPushButton("Open slices …")
        self.slices.setToolTip("Segmented high-res slices from files, with their pixel size")
        self.example = QPushButton("Open example")
        self.example.setToolTip("A generated battery cathode: a low-res volume and three slices")
        buttons = row_of(self.volume, self.slices, self.example)
        fill_column(self, buttons)
        self.volume.clicked.connect(self._ask_volume)
        self.slices.clicked.connect(self._ask_slices)
        self.example.clicked.connect(self._open_example)

    def open_volume(self, path: Path) -> None:
        """Open a low-res volume."""
        in_thread(volume_layers, self._on_read, path)

    def open_slices(self, paths: list[Path]) -> None:
        """Open high-res slices."""
        in_thread(slices_layers, self._on_read, paths)

    def _ask_volume(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Low-res volume", "", FILES)
        if path:
            self.open_volume(Path(path))

    def _ask_slices(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "High-res slices", "", FILES)
        if paths:
            self.open_slices([Path(path) for path in paths])

    def _open_example(self) -> None:
        self.example.setEnabled(False)
        self.example.setText("Generating …")
        in_thread(open_example_pair, self._on_example)

    def _on_example(self, outcome: Outcome) -> None:
        self.example.setEnabled(True)
        self.example.setText("Open example")
        self._on_read(outcome)

    def _on_read(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
            return
        self.opened.emit(outcome.value)


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
        form = new_form()
        form.addRow("Low-res (µm)", self.low)
        form.addRow("High-res (µm)", self.high)
        form.addRow("Scale factor", self.scale_factor)
        fill_column(self, form, self.note)
        self._shown = ("", "")

    @property
    def sizes(self) -> tuple[VoxelSize | None, VoxelSize | None]:
        """The typed sizes of low-res and high-res in µm; SettingsError for other text."""
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
