"""Step 3: watch a training, look at earlier previews, choose a checkpoint."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QLabel,
    QSizePolicy,
    QSplitter,
    QTabWidget,
    QWidget,
)

from napari_superres.data.phases import PALETTE, Phase
from napari_superres.measures.naming import phase_names
from napari_superres.widgets.layers.colours import pair_colours, theme_colours
from napari_superres.widgets.monitor.checkpoints import CheckpointList
from napari_superres.widgets.monitor.previews import PreviewPanel
from napari_superres.widgets.parts.layout import Note, fill_column, row_of
from napari_superres.widgets.parts.live_plots import REDRAW_MS, LivePlot
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.history import rollbacks_line, score_line
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import OpenRunButton, Step

SCORE_TIP = (
    "Fractions: mean absolute difference from the slices. Interfaces: mean relative difference. "
    "Low-res: voxels that the down-sampled result does not give back. Two-point: difference "
    "from the correlations of high-res slices that were not trained on. Between axes: how much "
    "the interface areas differ from axis to axis."
)
LEGEND = "Dashed: the slices. Band: the material, 95 %."
LEGEND_TIP = (
    "The slices are a sample: the fraction of the material itself lies in the band with 95 %, as "
    "far as its slices can tell"
)
ROOM = (370, 300)  # previews, and what is below them


class MonitorStep(Step):
    """Previews beside real slices, numbers against their targets, losses, checkpoints."""

    title = "Monitor"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._build()
        self._redraw = single_shot(self, self.show_history, REDRAW_MS)
        self.session.fusion.history_changed.connect(self._on_history)
        self.session.fusion.run_changed.connect(self._on_run)
        self.session.fusion.runner.state_changed.connect(self._on_run)
        self.viewer.events.theme.connect(self.show_history)
        self._on_run()
        self.show_history()

    def _build(self) -> None:
        self.run_name = QLabel()
        self.run_name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        tip = "Plots, previews and checkpoints of a run folder, to look at or use"
        self.open = OpenRunButton(self.session.fusion, tip)
        self.previews = PreviewPanel(self.session)
        self.score, self.rolled_back, self.legend = Note(), Note(), QLabel(LEGEND)
        self.score.setToolTip(SCORE_TIP)
        self.legend.setToolTip(LEGEND_TIP)
        self.fractions = LivePlot("Volume fractions")
        self.interfaces = LivePlot("Interface areas")
        self.losses = LivePlot("Losses")
        self.mismatch = LivePlot("Low-res mismatch")
        self.checkpoints = CheckpointList(self.session)
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        self.pages.addTab(_page(self.fractions, self.legend), "Fractions")
        pages: tuple[tuple[str, QWidget], ...] = (
            ("Interfaces", self.interfaces),
            ("Low-res", self.mismatch),
            ("Losses", self.losses),
            ("Checkpoints", self.checkpoints),
        )
        for title, page in pages:
            self.pages.addTab(_page(page), title)
        below = _page(self.score, self.rolled_back, self.pages)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        for number, part in enumerate((self.previews, below)):
            self.splitter.addWidget(part)
            self.splitter.setStretchFactor(number, 1)
        self.splitter.setSizes(list(ROOM))
        run = row_of(self.run_name, self.open, stretch=(1, 0))
        column = fill_column(self, run, self.splitter)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        column.setStretch(1, 1)

    @property
    def caption(self) -> QLabel:
        """The line above the previews."""
        return self.previews.caption

    @property
    def _phases(self) -> tuple[Phase, ...]:
        return self.session.fusion.run.phases if self.session.fusion.run is not None else ()

    def show_history(self, _event: object = None) -> None:
        """Draw the curves as they are now; only the shown page is painted."""
        history, theme = self.session.fusion.history, theme_colours(self.viewer)
        target = history.target
        self.fractions.show_curves(
            history.fractions,
            dict(zip(phase_names(self._phases), (p.colour for p in self._phases), strict=True)),
            theme,
            target.volume_fractions if target else None,
            bands=history.bands,
        )
        pairs = list(target.interface_areas) if target else list(history.interfaces)
        areas = target.interface_areas if target else None
        self.interfaces.show_curves(history.interfaces, pair_colours(pairs), theme, areas)
        shown = {"voxels not given back": history.mismatch} if history.mismatch.steps else {}
        self.mismatch.show_curves(shown, {}, theme)
        names = dict(zip(history.losses, PALETTE[1:], strict=False))
        self.losses.show_curves(history.losses, names, theme)
        self.score.setText(score_line(history))
        self.rolled_back.setText(rollbacks_line(history))

    def _on_history(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()

    def _on_run(self, _state: object = None) -> None:
        run, training = self.session.fusion.run, self.session.fusion.runner.active
        self.run_name.setText(run.folder.name if run is not None else "No run yet")
        self.run_name.setToolTip(str(run.folder) if run is not None else "Train, or open one")
        self.open.setEnabled(not training)


def _page(*parts: QWidget) -> QWidget:
    """Return parts below each other; plots and pages share the room there is."""
    page = QWidget()
    column = fill_column(page, *parts)
    column.setContentsMargins(0, 2, 0, 0)
    column.setSpacing(2)
    for place, part in enumerate(parts):
        column.setStretch(place, 0 if isinstance(part, QLabel) else 1)
    return page
