"""Watch a training on images: what it makes beside real ones, and numbers over steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_superres.data.phases import PALETTE, Phase
from napari_superres.events import ImagesReady, PreviewReady
from napari_superres.widgets.images.engine import ImageTraining
from napari_superres.widgets.layers.colours import theme_colours
from napari_superres.widgets.layers.shown import GREYS
from napari_superres.widgets.parts.curves import Curve
from napari_superres.widgets.parts.layout import Fold, Note, fill_column, heading
from napari_superres.widgets.parts.live_plots import REDRAW_MS, LivePlot
from napari_superres.widgets.parts.preview_grid import SliceView
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.history import named_values, rollbacks_line, score_line
from napari_superres.widgets.run.step import Step

COLUMNS = 4
BRIGHT = PALETTE[1:]
LEGEND = (
    "Dashed: real images, or what should be reached. Horizontal axis: steps, where nothing else "
    "is said."
)


@dataclass(frozen=True)
class WatchPlan:
    """What is shown of a kind of training.

    Attributes
    ----------
    rows : name of each row of images in the events, and how many of it are shown
    numbers : plots over steps: title, values, and what they should reach
    compared : curves of the latest measurement: kind, title, horizontal axis
    """

    rows: Mapping[str, int]
    numbers: tuple[tuple[str, tuple[str, ...], Mapping[str, float]], ...]
    compared: tuple[tuple[str, str], ...]


class ImageRows(QWidget):
    """Named rows of images, four side by side, updated in place."""

    def __init__(self, rows: Mapping[str, int]) -> None:
        super().__init__()
        self.views: dict[str, list[SliceView]] = {}
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        line = 0
        for name, count in rows.items():
            label = QLabel(name.capitalize())
            label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
            lines = -(-count // COLUMNS)
            layout.addWidget(label, line, 0, lines, 1)
            self.views[name] = [SliceView() for _ in range(count)]
            for index, view in enumerate(self.views[name]):
                layout.addWidget(view, line + index // COLUMNS, 1 + index % COLUMNS)
            for added in range(lines):
                layout.setRowStretch(line + added, 1)
            line += lines
        for column in range(COLUMNS):
            layout.setColumnStretch(column + 1, 1)
        self.setMinimumHeight(88 * line)
        self.setMaximumHeight(110 * line)

    def show_images(self, event: ImagesReady | None, phases: Sequence[Phase]) -> None:
        """Show images; None empties the rows."""
        for name, views in self.views.items():
            images = event.rows.get(name, ()) if event is not None else ()
            for index, view in enumerate(views):
                image = images[index] if index < len(images) else None
                view.show_image(image, phases or GREYS)


class ImageWatch(Step):
    """Images, the latest numbers, and plots."""

    title = "Watch"

    def __init__(self, napari_viewer: Any, training: ImageTraining, plan: WatchPlan) -> None:
        super().__init__(napari_viewer, training.session)
        self.training, self.plan = training, plan
        self.caption, self.rows = heading("Images"), ImageRows(plan.rows)
        self.score, self.rolled_back = Note(), Note()
        self.numbers = [LivePlot(title) for title, _names, _targets in plan.numbers]
        self.compared = [LivePlot(title) for _kind, title in plan.compared]
        for plot in self.compared:
            plot.plot.setMinimumHeight(130)
        self.losses = LivePlot("Losses")
        self.losses.plot.setMinimumHeight(140)
        fold = Fold("Losses")
        fold.addWidget(self.losses)
        plots = (*self.compared, *self.numbers)
        column = fill_column(
            self, self.caption, self.rows, self.score, self.rolled_back, *plots, fold, Note(LEGEND)
        )
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.setStretchFactor(self.rows, 5)
        for plot in plots:
            column.setStretchFactor(plot, 2)
        self._redraw = single_shot(self, self.show_history, REDRAW_MS)
        training.preview_ready.connect(self.show_images)
        training.history_changed.connect(self._on_history)
        training.run_changed.connect(self.show_images)
        self.viewer.events.theme.connect(self.show_history)
        self.show_history()
        self.show_images()

    def show_images(self, _event: object = None) -> None:
        """Show the latest images."""
        run, event = self.training.run, self.training.previews.last
        assert not isinstance(event, PreviewReady)
        self.rows.show_images(event, run.phases if run is not None else ())
        step = f" at step {event.step:,}" if event is not None else ""
        self.caption.setText(f"<b>Images{step}</b>")

    def show_history(self, _event: object = None) -> None:
        """Draw the curves as they are now."""
        history, theme = self.training.history, theme_colours(self.viewer)
        for plot, (_title, names, targets) in zip(self.numbers, self.plan.numbers, strict=True):
            curves = named_values(history, names)
            reached = targets if curves else {}
            plot.show_curves(curves, _coloured(curves), theme, reached)
        for plot, (kind, _title) in zip(self.compared, self.plan.compared, strict=True):
            curves = history.profiles_of(kind)
            plot.setVisible(bool(curves))
            dashed = [name for name in curves if name.endswith("real")]
            plot.show_curves(curves, self._by_phase(curves), theme, dashed=dashed)
        self.losses.show_curves(history.losses, _coloured(history.losses), theme)
        self.score.setText(score_line(history))
        self.rolled_back.setText(rollbacks_line(history))

    def _by_phase(self, curves: Mapping[str, Curve]) -> dict[str, str]:
        """Return colours: a phase's own where there are several, real ones grey otherwise."""
        run = self.training.run
        own = {phase.name: phase.colour for phase in run.phases} if run is not None else {}
        if len(curves) > 2:
            return {name: own.get(name.rpartition(" ")[0], BRIGHT[0]) for name in curves}
        return {name: "#8c8c8c" if name.endswith("real") else BRIGHT[1] for name in curves}

    def _on_history(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()


def _coloured(curves: Mapping[str, Curve]) -> dict[str, str]:
    return {name: BRIGHT[index % len(BRIGHT)] for index, name in enumerate(curves)}
