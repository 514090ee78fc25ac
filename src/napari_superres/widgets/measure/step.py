"""Step 6: measure layers, beside the high-res slices or the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QCheckBox, QComboBox, QPushButton

from napari_superres.data.boxes import Box
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.measures.measuring import Measured, measure_subjects
from napari_superres.measures.rows import rows_of
from napari_superres.widgets.jobs.job_row import JobRow, guarded
from napari_superres.widgets.layers.box_drawing import drawn_layer, shown_axes, vertices_on
from napari_superres.widgets.layers.colours import theme_colours
from napari_superres.widgets.layers.view import view_of
from napari_superres.widgets.measure.pickers import (
    ReferenceCombo,
    has_slices,
    reference_subject,
    refill_ticked,
)
from napari_superres.widgets.measure.plan import (
    GROUPS,
    box_in_layer,
    can_be_measured,
    chosen_measures,
    subject_of,
)
from napari_superres.widgets.measure.plots import MeasurePlots
from napari_superres.widgets.measure.report import ReportRow
from napari_superres.widgets.measure.table import MeasureTable
from napari_superres.widgets.measure.words import finished_line
from napari_superres.widgets.parts.layer_pickers import LayerChecklist, candidates, on_layers
from napari_superres.widgets.parts.layout import fill_step, heading, new_form
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step

WHOLE, RECTANGLE = "whole", "rectangle"


class MeasureStep(Step):
    """Which layers, which part, which measures; a table, plots and a report."""

    title = "Measure"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._build()
        on_layers(self.viewer, self._on_layers)
        self.viewer.events.theme.connect(self._on_theme)
        self.session.fusion.inputs_changed.connect(self._on_layers)
        self.session.fusion.run_changed.connect(self._on_layers)
        self.job.changed.connect(self.refresh)
        self._on_layers()

    def _build(self) -> None:
        self.layers = LayerChecklist()
        self.layers.setToolTip("Several realisations are shown as mean ± standard deviation")
        self.part = QComboBox()
        self.part.addItem("whole layers", WHOLE)
        self.part.addItem("inside the last rectangle", RECTANGLE)
        self.part.setToolTip("A rectangle of a Shapes layer; the whole depth below it is measured")
        self.reference = ReferenceCombo()
        self.ticks = [QCheckBox(group.text) for group in GROUPS]
        self.measure = QPushButton("Measure")
        self.measure.setToolTip("Measure the ticked layers")
        self.job = JobRow(
            self.session.new_runner(),
            (self.measure,),
            begins="Reading …",
            failed="Measuring failed.",
            cancelled="Measuring was cancelled.",
            cancel_tip="Stop after the measure under way; what is measured stays",
        )
        self.table, self.plots = MeasureTable(), MeasurePlots()
        self.report = ReportRow(self.viewer, self.session, lambda: self.layers.layers[::-1])
        form = new_form()
        form.addRow("Part", self.part)
        form.addRow("Compare with", self.reference)
        for tick, group in zip(self.ticks, GROUPS, strict=True):
            tick.setChecked(group.cheap)
            tick.setToolTip(group.tip)
        fill_step(
            self,
            heading("Layers"),
            self.layers,
            form,
            heading("Measures"),
            *self.ticks,
            self.job,
            self.table,
            self.plots,
            heading("Report"),
            self.report,
        )
        self.measure.clicked.connect(guarded(self.start))
        self.layers.chosen.connect(self.refresh)

    def start(self) -> None:
        """Measure in a thread; SettingsError where there is nothing to measure."""
        subjects = [subject_of(view_of(one, self.box_of(one))) for one in self.chosen()]
        reference = reference_subject(self.reference, self.viewer, self.session, self.box_of)
        measures = chosen_measures(tick.isChecked() for tick in self.ticks)
        self.job.begin(
            "Measuring",
            lambda stop: measure_subjects(subjects, reference, measures, stop),
            self._show,
        )

    def chosen(self) -> Sequence[Any]:
        """Return the ticked layers; SettingsError where none is."""
        layers = self.layers.layers[::-1]  # as they were added
        if not layers:
            raise SettingsError("No layer is chosen.", action="Tick at least one.")
        return layers

    def box_of(self, layer: Any) -> Box | None:
        """Return the part of a layer to measure, None for all of it."""
        if self.part.currentData() == WHOLE or layer.ndim != 3:
            return None
        drawn = drawn_layer(self.viewer)
        if drawn is None:
            raise SettingsError(
                "There is no rectangle.",
                "It is taken from a Shapes layer.",
                "Draw one, for example in the Export step.",
            )
        return box_in_layer(vertices_on(layer, drawn), layer.data.shape, shown_axes(self.viewer))

    def refresh(self, _what: object = None) -> None:
        """Show what can be done now."""
        self.measure.setEnabled(bool(self.layers.layers) and not self.job.active)

    def _on_layers(self, _event: object = None) -> None:
        layers = [one for one in candidates(self.viewer) if can_be_measured(one)]
        refill_ticked(self.layers, layers)
        volumes = [one for one in layers if one.ndim == 3]
        self.reference.refill(volumes, has_slices(self.viewer, self.session))
        self.refresh()

    def _on_theme(self, _event: object = None) -> None:
        theme = theme_colours(self.viewer)
        self.table.recolour(theme.background)
        self.plots.recolour(theme)

    def _show(self, finished: Measured) -> None:
        try:
            rows = rows_of(finished.found, finished.reference)
        except SuperResError as error:  # no label value in common
            self.job.show_failure(error)
            return
        theme = theme_colours(self.viewer)
        self.table.show_result(finished, rows, theme.background)
        inputs = self.session.fusion.inputs
        by_axis = inputs is not None and inputs.pair.high_res.anisotropic
        self.plots.show_result(finished, rows, theme, by_axis)
        self.job.status.setText(finished_line(finished, rows))
