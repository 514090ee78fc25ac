"""Maps of what realisations agree on, as image layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_superres.widgets.compare_plan import MakingMaps, MapsMade, agreement_line, map_events
from napari_superres.widgets.layer_data import KEY
from napari_superres.widgets.measure_plan import view_of
from napari_superres.widgets.placement import Placement, placement_of
from napari_superres.widgets.run_state import ACTIVE, RunState
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Note


class MapsRow(QWidget):
    """A button that makes the maps, its progress, and what they say."""

    def __init__(
        self, viewer: Any, session: Session, realisations: Callable[[], Sequence[Any]]
    ) -> None:
        super().__init__()
        self.viewer, self.realisations = viewer, realisations
        self.runner = session.new_runner()
        self._place: Placement | None = None
        self.make, self.cancel = QPushButton("Make maps"), QPushButton("Cancel")
        self.make.setToolTip(
            "Agreement: how many of the realisations have the most frequent phase. "
            "Entropy: how undecided they are"
        )
        self.bar, self.status = QProgressBar(), Note()
        row = QHBoxLayout()
        row.addWidget(self.make, 1)
        row.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        self.bar.hide()
        self.cancel.hide()
        self.cancel.setToolTip("Stop; nothing is kept of it")
        self.make.clicked.connect(self.start)
        self.cancel.clicked.connect(self.runner.stop)
        self.runner.state_changed.connect(self._on_state)
        self.runner.event.connect(self._on_event)
        self.runner.failed.connect(self._on_failed)

    def start(self) -> None:
        """Make the maps of the ticked realisations in a thread."""
        layers = list(self.realisations())
        if len(layers) < 2:
            show_error("Maps need two realisations or more. Generate another one, and tick both.")
            return
        self._place = placement_of(layers[0])
        views = [view_of(layer) for layer in layers]
        self.runner.start("Making maps", lambda stop: map_events(views, stop))

    def refresh(self) -> None:
        """Show what can be done now."""
        active = self.runner.state in ACTIVE
        enough = len(self.realisations()) > 1
        self.make.setEnabled(enough and not active)
        self.cancel.setVisible(active)
        if not active and not enough:
            self.status.setText("Needs two realisations: generate another one with another seed.")
        elif self.status.text().startswith("Needs two"):
            self.status.setText("")

    def _on_state(self, state: RunState) -> None:
        self.bar.setVisible(state in ACTIVE)
        self.refresh()

    def _on_event(self, event: Any) -> None:
        if isinstance(event, MakingMaps):
            self.bar.setValue(round(100 * event.progress))
            self.status.setText(f"{event.text} …")
        elif isinstance(event, MapsMade):
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

    def _on_failed(self, error: Exception) -> None:
        self.status.setText(f"<b>No maps.</b> {error}")
