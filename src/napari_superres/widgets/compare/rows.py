"""Jobs on the ticked realisations: maps of what they agree on, and measures with their spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QPushButton

from napari_superres.errors import SuperResError
from napari_superres.measures.measuring import Measured, measure_subjects
from napari_superres.measures.rows import rows_of
from napari_superres.measures.summary import QUICK_MEASURES
from napari_superres.widgets.compare.plan import (
    Agreement,
    agreement_line,
    check_one_place,
    map_events,
)
from napari_superres.widgets.jobs.job_row import JobRow, guarded
from napari_superres.widgets.layers.colours import theme_colours
from napari_superres.widgets.layers.notes import KEY
from napari_superres.widgets.layers.placement import Placement, placement_of
from napari_superres.widgets.layers.view import view_of
from napari_superres.widgets.measure.pickers import ReferenceCombo, has_slices, reference_subject
from napari_superres.widgets.measure.plan import can_be_measured, subject_of
from napari_superres.widgets.measure.table import MeasureTable
from napari_superres.widgets.measure.words import finished_line
from napari_superres.widgets.parts.layer_pickers import candidates
from napari_superres.widgets.parts.layout import new_form
from napari_superres.widgets.run.session import Session


class MapsRow(JobRow):
    """A button that makes the maps, its progress, and what they say."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        self.button = QPushButton("Make maps")
        self.button.setToolTip(
            "Agreement: how many of the realisations have the most frequent phase. "
            "Entropy: how undecided they are"
        )
        super().__init__(
            session.new_runner(),
            (self.button,),
            failed="No maps.",
            cancelled="Making maps was cancelled.",
        )
        self.viewer, self.realisations = viewer, realisations
        self._place: Placement | None = None
        self.button.clicked.connect(guarded(self.start))
        self.changed.connect(self.refresh)

    def start(self) -> None:
        """Make the maps of the ticked realisations in a thread; they must lie in one place."""
        layers = list(self.realisations())
        if len(layers) < 2:
            show_error("Maps need two realisations or more. Generate another one, and tick both.")
            return
        check_one_place(layers)
        self._place = placement_of(layers[0])
        views = [view_of(layer) for layer in layers]
        self.begin("Making maps", lambda stop: map_events(views, stop), self._show)

    def refresh(self) -> None:
        """Show what can be done now."""
        enough = len(self.realisations()) > 1
        self.button.setEnabled(enough and not self.active)
        if not self.active and not enough:
            self.status.setText("Needs two realisations: generate another one with another seed.")
        elif self.status.text().startswith("Needs two"):
            self.status.setText("")

    def _show(self, made: Agreement) -> None:
        place = self._place
        if place is None:
            return
        self.status.setText(agreement_line(made))
        for name, data, colours, lowest in (
            ("entropy (%)", made.maps.entropy, "magma", 0),
            ("agreement (%)", made.maps.agreement, "viridis", round(100 / made.count)),
        ):
            for layer in [one for one in self.viewer.layers if one.name == name]:
                self.viewer.layers.remove(layer)
            self.viewer.add_image(
                data,
                name=name,
                colormap=colours,
                contrast_limits=(min(lowest, 99), 100),
                visible=name.startswith("agreement"),
                metadata={KEY: {"map": name, "role": ""}},
                **place.arguments,
            )


class SpreadTable(JobRow):
    """The quick measures of several volumes; all others are in the Measure step."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        self.reference, self.table = ReferenceCombo(), MeasureTable()
        form = new_form()
        form.addRow("Compare with", self.reference)
        self.button = QPushButton("Measure")
        self.button.setToolTip("Fractions, interfaces and triple phase boundary of each")
        super().__init__(
            session.new_runner(),
            (self.button,),
            above=form,
            failed="Not measured.",
            cancelled="Measuring was cancelled.",
        )
        self.viewer, self.session, self.realisations = viewer, session, realisations
        self.column.addWidget(self.table)
        self.button.clicked.connect(self.start)
        self.changed.connect(self.refresh)
        self.viewer.events.theme.connect(self._on_theme)
        session.fusion.inputs_changed.connect(self.refresh)
        session.fusion.run_changed.connect(self.refresh)

    def start(self) -> None:
        """Measure in a thread."""
        subjects = [subject_of(view_of(layer)) for layer in self.realisations()]
        if not subjects:
            show_error("No volume is ticked. Tick at least one.")
            return
        reference = reference_subject(self.reference, self.viewer, self.session)
        self.begin(
            "Measuring",
            lambda stop: measure_subjects(subjects, reference, QUICK_MEASURES, stop),
            self._show,
        )

    def refresh(self) -> None:
        """Show what can be done now."""
        volumes = [one for one in candidates(self.viewer) if one.ndim == 3 and can_be_measured(one)]
        self.reference.refill(volumes, has_slices(self.viewer, self.session))
        self.button.setEnabled(bool(self.realisations()) and not self.active)

    def _on_theme(self, _event: object = None) -> None:
        self.table.recolour(theme_colours(self.viewer).background)

    def _show(self, measured: Measured) -> None:
        try:
            rows = rows_of(measured.found, measured.reference)
        except SuperResError as error:  # no label value in common
            self.show_failure(error)
            return
        self.status.setText(finished_line(measured, rows))
        self.table.show_result(measured, rows, theme_colours(self.viewer).background)
