"""Maps of what realisations agree on, as image layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.utils.notifications import show_error

from napari_superres.errors import SuperResError
from napari_superres.widgets.compare_plan import (
    MapsMade,
    agreement_line,
    check_one_place,
    map_events,
)
from napari_superres.widgets.layer_data import KEY
from napari_superres.widgets.measure_plan import view_of
from napari_superres.widgets.placement import Placement, placement_of
from napari_superres.widgets.session import Session
from napari_superres.widgets.work_row import WorkRow


class MapsRow(WorkRow):
    """A button that makes the maps, its progress, and what they say."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        super().__init__(
            session,
            "Make maps",
            "Agreement: how many of the realisations have the most frequent phase. "
            "Entropy: how undecided they are",
            "No maps.",
        )
        self.viewer, self.realisations = viewer, realisations
        self._place: Placement | None = None
        self.button.clicked.connect(self.start)

    def start(self) -> None:
        """Make the maps of the ticked realisations in a thread."""
        layers = list(self.realisations())
        if len(layers) < 2:
            show_error("Maps need two realisations or more. Generate another one, and tick both.")
            return
        try:
            check_one_place(layers)
        except SuperResError as error:
            show_error(str(error))
            return
        self._place = placement_of(layers[0])
        views = [view_of(layer) for layer in layers]
        self.runner.start("Making maps", lambda stop: map_events(views, stop))

    def refresh(self) -> None:
        """Show what can be done now."""
        enough = len(self.realisations()) > 1
        self.button.setEnabled(enough and not self.active)
        if not self.active and not enough:
            self.status.setText("Needs two realisations: generate another one with another seed.")
        elif self.status.text().startswith("Needs two"):
            self.status.setText("")

    def finished(self, event: MapsMade) -> None:
        """Add the maps."""
        self.status.setText(agreement_line(event))
        self._add(event)

    def _add(self, made: MapsMade) -> None:
        place = self._place
        if made.maps is None or place is None:
            return
        for name, data, colours, lowest in (
            ("entropy (%)", made.maps.entropy, "magma", 0),
            ("agreement (%)", made.maps.agreement, "viridis", round(100 / made.count)),
        ):
            old = [one for one in self.viewer.layers if one.name == name]
            for layer in old:
                self.viewer.layers.remove(layer)
            self.viewer.add_image(
                data,
                name=name,
                colormap=colours,
                contrast_limits=(min(lowest, 99), 100),
                visible=name.startswith("agreement"),
                metadata={KEY: {"map": name, "role": ""}},
                scale=place.scale,
                translate=place.translate,
                rotate=place.rotate,
                shear=place.shear,
                affine=place.affine,
                units=place.units,
                axis_labels=place.axis_labels,
            )
