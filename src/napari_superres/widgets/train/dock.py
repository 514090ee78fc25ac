"""A panel that trains: its steps as tabs in one dock, the run bar always in sight below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QWidget

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.parts.keys import number_the_tabs
from napari_superres.widgets.parts.layout import fill_column
from napari_superres.widgets.run.run_bar import RunBar
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.run.training import Training
from napari_superres.widgets.train.step import TrainStep

WIDTH, LETTERS = 470, 52
"""Least width: of the panel, and in letters where they are large."""


class TrainingDock(Step):
    """A panel that trains: its steps as tabs, their keys, and the run bar below.

    Attributes
    ----------
    training : set by the subclass, as are the steps `train` and `watch`, before `lay_out`
    """

    training: Training[Any, Any]
    train: TrainStep
    watch: Step

    def lay_out(self, steps: Sequence[Step], next_step: str) -> None:
        """Put the steps into tabs, and the run bar below.

        Parameters
        ----------
        next_step : where results are made from the run
        """
        self.tabs, self.run_bar = QTabWidget(), RunBar(self.training, next_step)
        self.tabs.setDocumentMode(True)
        for number, step in enumerate(steps, 1):
            self.tabs.addTab(scrolled(step), f"{number} {step.title}")
        column = fill_column(self, self.tabs, self.run_bar)
        column.setSpacing(0)
        column.setStretch(0, 1)
        self.setMinimumWidth(panel_width(self))
        number_the_tabs(self.tabs, self)
        self.run_bar.listen_to_keys(self)
        self.tabs.currentChanged.connect(self._on_tab)
        self.run_bar.start_asked.connect(self.start)
        self.run_bar.continue_asked.connect(self.train.continue_run)
        self.training.runner.state_changed.connect(self._on_state)

    def start(self) -> None:
        """Start a training."""
        self.train.start()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return a size that leaves the canvas its room at 1440 × 900."""
        return QSize(panel_width(self), 800)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  Qt's name
        """Grow with the letters: the theme's size comes after the panel is made."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.setMinimumWidth(panel_width(self))

    def show_step(self, step: QWidget) -> None:
        """Bring a step to the front."""
        for index in range(self.tabs.count()):
            area = self.tabs.widget(index)
            if isinstance(area, QScrollArea) and area.widget() is step:
                self.tabs.setCurrentIndex(index)

    def on_step(self, step: QWidget) -> None:
        """Do what a step needs when it comes to the front."""
        if step is self.train:
            self.train.find_devices()  # each time, as free memory changes

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.show_step(self.watch)

    def _on_tab(self, _index: int) -> None:
        area = self.tabs.currentWidget()
        step = area.widget() if isinstance(area, QScrollArea) else None
        if step is not None:
            self.on_step(step)


def panel_width(panel: QWidget) -> int:
    """Return the least width in which a step's labels and buttons are not cut."""
    return max(WIDTH, LETTERS * panel.fontMetrics().averageCharWidth())


def scrolled(step: QWidget) -> QScrollArea:
    """Return a step in an area that scrolls where the window is low."""
    area = QScrollArea()
    area.setWidget(step)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
