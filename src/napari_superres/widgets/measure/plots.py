"""Plots of what was measured, in the theme's colours; each can be saved."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton, QWidget

from napari_superres.measures.measuring import Measured
from napari_superres.measures.rows import Row
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.layers.colours import ThemeColours
from napari_superres.widgets.measure.words import charts_of, draw_chart, save_chart
from napari_superres.widgets.parts.layout import fill_column, row_of
from napari_superres.widgets.parts.paths import with_kind

SHOWN_WIDTH, DPI = 420, 100
"""About the pixels that the panel has for a plot, and the size of its letters."""
_one_at_a_time = Lock()  # matplotlib shares fonts and settings between threads


class MeasurePlots(QWidget):
    """One plot at a time, chosen from a list."""

    def __init__(self) -> None:
        super().__init__()
        self.which = QComboBox()
        self.which.setToolTip("What is drawn")
        self.save = QPushButton("Save plot …")
        self.save.setToolTip("As PNG or SVG, on white")
        self.picture = QLabel()
        fill_column(self, row_of(self.which, self.save, stretch=(1, 0)), self.picture)
        self._wanted = 0
        self._finished: Measured | None = None
        self._rows: Sequence[Row] = ()
        self._by_axis = False
        self._theme: ThemeColours | None = None
        self.which.currentIndexChanged.connect(self.draw)
        self.save.clicked.connect(self.ask_and_save)
        self.hide()

    def show_result(
        self,
        finished: Measured,
        rows: Sequence[Row],
        theme: ThemeColours,
        by_axis: bool = False,
    ) -> None:
        """Offer the plots of what was measured, by axis or as means, and draw the chosen one."""
        self._finished, self._rows, self._theme = finished, rows, theme
        self._by_axis = by_axis
        before = self.which.currentData()
        with QSignalBlocker(self.which):
            self.which.clear()
            for key, title in charts_of(finished, rows).items():
                self.which.addItem(title, key)
            self.which.setCurrentIndex(max(self.which.findData(before), 0))
        self.setVisible(self.which.count() > 0)
        self.draw()

    def recolour(self, theme: ThemeColours) -> None:
        """Draw the same in another theme."""
        self._theme = theme
        self.draw()

    def draw(self, _index: int = 0) -> None:
        """Draw the chosen plot, in a thread: it takes half a second and more."""
        key = self.which.currentData()
        if key is None or self._finished is None or self._theme is None:
            return
        self._wanted += 1
        ratio = self.devicePixelRatioF()
        what = (key, self._finished, self._rows, self._by_axis)
        in_thread(_drawn, self._on_drawn, self._wanted, what, self._theme, ratio)

    def _on_drawn(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
            return
        number, png, ratio = outcome.value
        if number != self._wanted:
            return  # another one was chosen meanwhile
        pixels = QPixmap()
        pixels.loadFromData(png)
        pixels.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixels)

    def ask_and_save(self) -> None:
        """Ask for a file and write the plot."""
        key = self.which.currentData()
        start = str(Path.home() / f"{key}.png")
        kinds = "PNG (*.png);;SVG (*.svg)"
        path, kind = QFileDialog.getSaveFileName(self, "Save plot", start, kinds)
        if path:
            self.write(with_kind(Path(path), kind))

    def write(self, path: Path) -> None:
        """Write the chosen plot, in a thread."""
        key = self.which.currentData()
        if key is not None and self._finished is not None:
            what = (key, self._finished, self._rows, self._by_axis)
            in_thread(_written, self._on_written, what, path)

    def _on_written(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
        else:
            show_info(f"Saved {outcome.value.name}.")


def _written(what: tuple[Any, ...], path: Path) -> Path:
    """Write a plot on white, and return its path."""
    with _one_at_a_time:
        return save_chart(draw_chart(*what), path)


def _drawn(
    number: int, what: tuple[Any, ...], theme: ThemeColours, ratio: float
) -> tuple[int, bytes, float]:
    """Return a plot as PNG in the theme's colours, with the number it was asked under."""
    with _one_at_a_time:  # the import too: matplotlib breaks where two threads import it first
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from napari_superres.measures.report.charts import ink

        figure = draw_chart(*what)
        figure.set_facecolor(theme.background)
        ink(figure, theme.text)
        width, height = figure.get_size_inches()
        figure.set_size_inches(SHOWN_WIDTH / DPI, max(200, height / width * SHOWN_WIDTH) / DPI)
        file = BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(file, format="png", dpi=DPI * ratio, facecolor=theme.background)
    return number, file.getvalue(), ratio
