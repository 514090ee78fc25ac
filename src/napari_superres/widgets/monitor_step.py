"""Step 3: watch a training learn."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QVBoxLayout

from napari_superres.data.phases import PALETTE, Phase
from napari_superres.events import PreviewReady
from napari_superres.widgets.colours import pair_colours
from napari_superres.widgets.live_plots import LivePlot
from napari_superres.widgets.preview_grid import PreviewGrid
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Note, Step, heading
from napari_superres.widgets.texts import score_line
from napari_superres.widgets.theme import theme_colours

REDRAW_MS = 250  # however fast events come, plots are drawn at most four times a second


SCORE_TIP = (
    "Fractions: mean absolute difference from the slices. Interfaces: mean relative difference. "
    "Low-res: voxels that the down-sampled result does not give back. Two-point: difference "
    "from the correlations of high-res slices that were not trained on. Between axes: how much "
    "the interface areas differ from axis to axis."
)


class MonitorStep(Step):
    """Previews beside real slices, numbers against their targets, losses."""

    title = "Monitor"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self.caption = heading("Previews")
        self.grid = PreviewGrid()
        self.score = Note()
        self.score.setToolTip(SCORE_TIP)
        self.fractions = LivePlot("Volume fractions", steps_shown=False)
        self.interfaces = LivePlot("Interface areas", steps_shown=False)
        self.losses = LivePlot("Losses")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.caption)
        layout.addWidget(self.grid, 5)
        layout.addWidget(self.score)
        layout.addWidget(self.fractions, 2)
        layout.addWidget(self.interfaces, 2)
        layout.addWidget(self.losses, 2)
        self.legend = Note("Dashed lines: the high-res slices. Horizontal axis: steps.")
        layout.addWidget(self.legend)
        self.session.preview_ready.connect(self.show_preview)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self.show_history)
        self.session.history_changed.connect(self._on_history)
        self.session.run_changed.connect(self._on_run)
        self.viewer.events.theme.connect(self._on_theme)
        self.show_history()
        self.show_preview(self.session.preview)

    @property
    def _phases(self) -> tuple[Phase, ...]:
        return self.session.run.phases if self.session.run is not None else ()

    def show_preview(self, event: PreviewReady | None) -> None:
        """Show a preview in place of the one before."""
        run = self.session.run
        low_res = run.low_res_phases if run is not None else ()
        self.grid.show_preview(event, self._phases, low_res)
        step = f" at step {event.step:,}" if event is not None else ""
        self.caption.setText(f"<b>Previews{step}</b>")

    def show_history(self) -> None:
        """Draw the curves as they are now."""
        history, theme = self.session.history, theme_colours(self.viewer)
        target = history.target
        colours = {phase.name: phase.colour for phase in self._phases}
        self.fractions.show_curves(
            history.fractions, colours, theme, target.volume_fractions if target else None
        )
        pairs = list(target.interface_areas) if target else list(history.interfaces)
        self.interfaces.show_curves(
            history.interfaces,
            pair_colours(pairs),
            theme,
            target.interface_areas if target else None,
        )
        names = dict(zip(history.losses, PALETTE[1:], strict=False))
        self.losses.show_curves(history.losses, names, theme)
        self.score.setText(score_line(history))

    def _on_history(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()

    def _on_run(self) -> None:
        if self.session.preview is None:
            self.show_preview(None)

    def _on_theme(self, _event: object = None) -> None:
        self.show_history()
