"""Step 1: which layers, what voxel sizes, which phases belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakMethod

from napari.utils.notifications import show_warning

from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import NotSegmentedError, SuperResError
from napari_superres.widgets.data_form import DataForm
from napari_superres.widgets.geometry import implied_sizes
from napari_superres.widgets.input_reader import (
    Inputs,
    choose_inputs,
    problem_of,
    read_choice,
    scale_factor_note,
    shares_text,
    with_scale_factor,
    with_table,
)
from napari_superres.widgets.input_roles import HIGH_RES, LOW_RES, role_of
from napari_superres.widgets.latest import Latest
from napari_superres.widgets.layer_pickers import candidates
from napari_superres.widgets.layer_scale import give_size, slice_size
from napari_superres.widgets.phase_painter import paint_layer, paint_results
from napari_superres.widgets.phase_rows import PhaseTable
from napari_superres.widgets.samples import LayerTuple
from napari_superres.widgets.session import Session
from napari_superres.widgets.threads import Outcome

READING = "Reading the layers …"


class DataStep(DataForm):
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
        self._connect()
        self.pickers.refill()

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

    def refresh(self, then: Callable[[], None] | None = None) -> Inputs | None:
        """Read the layers again, as they are now, and share the inputs.

        Parameters
        ----------
        then : called once inputs are read; large and lazy layers are read in a thread

        Returns
        -------
        Inputs or None
            None when they cannot be used, or are still being read.
        """
        self._reading.forget()
        self._then = then
        self.session.reader = WeakMethod(self.refresh)
        try:
            layers = self.high_res_layers
            choice = choose_inputs(self.low_res.layer, layers, self.anisotropic.isChecked())
            before = self.inputs.table if self.inputs is not None else None
            if choice is not None and not choice.small:
                self._await(True)
                self.session.set_inputs(None, READING)
                self._say(READING)
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

    def _await(self, reading: bool) -> None:
        self._awaited = reading
        self.phases.setEnabled(not reading)  # what is edited meanwhile would be lost

    def _on_read(self, outcome: Outcome) -> None:
        self._await(False)
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
        before = (self.inputs.low_res.voxel_size, self.inputs.high_res.voxel_size)
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
        """Tell what is wrong with what the user just chose."""
        if self.problem:
            show_warning(self.problem)

    def _say(self, text: str, problem: SuperResError | None = None) -> None:
        self.problem = str(problem or "")
        self.message.setText(text)
        self.segment_it.setVisible(isinstance(problem, NotSegmentedError))

    def _show(self, table_too: bool = True, problem: SuperResError | None = None) -> None:
        inputs = self.inputs
        if inputs is not None:
            sizes = inputs.low_res.voxel_size, inputs.high_res.voxel_size
            self.sizes.show_sizes(*sizes, inputs.scale_factor)
            problem = problem_of(inputs)
        self.sizes.note.setText(
            scale_factor_note(inputs, inputs.scale_factor if inputs is not None else None)
        )
        if table_too:
            self.phases.show_table(inputs.table if inputs else None)
        self.shares.setText(shares_text(inputs))
        self._say(f"<b>Not usable yet.</b> {problem}" if problem else "", problem)
        self._paint()
        self.session.set_inputs(inputs, str(problem or ""))

    def _paint(self, _on: object = None) -> None:
        if self.inputs is None or not self.colour_layers.isChecked():
            return
        paint_layer(self.low_res.layer, self.inputs.low_res.phases)
        for layer in self.high_res_layers:
            paint_layer(layer, self.inputs.high_res.phases)
        paint_results(candidates(self.viewer), self.inputs.high_res.phases)

    def _segment_it(self) -> None:
        self.segment_fold.open_for(self.pickers.layers)

    def _on_segmented(self, layer: Any) -> None:
        """Use a layer that was just segmented, instead of the one it was made of."""
        if role_of(layer) == LOW_RES:
            self.pickers.choose(layer, [])
        else:
            self.pickers.replace(self.segment.source, layer)

    def add_layers(self, layers: list[LayerTuple]) -> None:
        """Add layers with noted roles to the viewer and choose them."""
        added = [self.viewer.add_labels(data, **arguments) for data, arguments, _kind in layers]
        volumes = [layer for layer in added if role_of(layer) == LOW_RES]
        slices = [layer for layer in added if role_of(layer) == HIGH_RES]
        self.pickers.choose(volumes[-1] if volumes else None, slices)
        self.viewer.reset_view()
        self._warn()
