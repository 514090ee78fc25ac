"""The previews of a run with a slider through its history."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QPushButton, QSlider, QWidget

from napari_superres.events import ImagesReady
from napari_superres.widgets.parts.layout import fill_column, heading, row_of
from napari_superres.widgets.parts.preview_grid import PreviewGrid
from napari_superres.widgets.run.history import book_text
from napari_superres.widgets.run.session import Session


class PreviewPanel(QWidget):
    """Generated slices beside real ones; the slider looks back, and follows when at its end."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.caption = heading("Previews")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Look back at how the run learnt; at the right end it follows")
        self.slider.setAccessibleName("History of previews")
        self.latest = QPushButton("Latest")
        self.latest.setToolTip("Follow the training again")
        self.grid = PreviewGrid()
        self._following = True
        self._step: int | None = None
        row = row_of(self.caption, self.slider, self.latest, stretch=(0, 1, 0))
        column = fill_column(self, row, self.grid)
        column.setSpacing(2)
        column.setStretch(1, 1)
        self.slider.valueChanged.connect(self._on_slider)
        self.latest.clicked.connect(self.follow)
        session.fusion.preview_ready.connect(self.refresh)
        session.fusion.run_changed.connect(self.refresh)
        session.fusion.history_changed.connect(self._on_history)
        self.refresh()

    def follow(self) -> None:
        """Show the latest preview, and those that come."""
        self._following = True
        self.refresh()

    def refresh(self, _event: object = None) -> None:
        """Show the preview at the slider; others may have come or gone."""
        book = self.session.fusion.previews
        if len(book) == 0:
            self._following = True
        last = max(len(book) - 1, 0)
        place = last if self._following or self._step is None else book.nearest(self._step)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, last)
            self.slider.setValue(place)
        self._show(place)

    def _on_history(self) -> None:
        # a roll-back drops previews without an event of its own
        if self.slider.maximum() != max(len(self.session.fusion.previews) - 1, 0):
            self.refresh()

    def _on_slider(self, place: int) -> None:
        self._following = place == len(self.session.fusion.previews) - 1
        self._show(place)

    def _show(self, place: int) -> None:
        run, book = self.session.fusion.run, self.session.fusion.previews
        event = book.events[place] if len(book) else None
        assert not isinstance(event, ImagesReady)
        self._step = event.step if event is not None else None
        phases = run.phases if run is not None else ()
        low_res = run.low_res_phases if run is not None else ()
        self.grid.show_preview(event, phases, low_res)
        self.caption.setText(f"<b>{book_text(book, place, self._following)}</b>")
        self.slider.setEnabled(len(book) > 1)
        self.latest.setEnabled(not self._following)
