"""A dock of steps that learn from images: tabs, and the run bar always in sight."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_superres.widgets.dock import panel_width, scrolled
from napari_superres.widgets.image_bar import ImageRunBar
from napari_superres.widgets.image_session import ImageSession
from napari_superres.widgets.image_train import ImageTrainStep
from napari_superres.widgets.image_watch import ImageWatch
from napari_superres.widgets.keys import number_the_tabs
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.step import Step


class ImageDock(Step):
    """What the docks of synthesis and translation have in common.

    Attributes
    ----------
    images : set by the subclass, as are the steps, before `lay_out` is called
    """

    images: ImageSession
    train: ImageTrainStep
    watch: ImageWatch
    run_bar: ImageRunBar

    def lay_out(self, steps: Sequence[Step]) -> None:
        """Put the steps into tabs and connect the run bar."""
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for number, step in enumerate(steps, 1):
            self.tabs.addTab(scrolled(step), f"{number} {step.title}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.run_bar)
        self.setMinimumWidth(panel_width(self))
        number_the_tabs(self.tabs, self)
        self.run_bar.listen_to_keys(self)
        self._devices_asked = False
        self.run_bar.start_asked.connect(self.train.start)
        self.run_bar.continue_asked.connect(self.train.continue_run)
        self.tabs.currentChanged.connect(self._on_tab)
        self.images.training.state_changed.connect(self._on_state)

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return a size that leaves the canvas its room at 1440 × 900."""
        return QSize(panel_width(self), 800)

    def show_step(self, step: QWidget) -> None:
        """Bring a step to the front."""
        for index in range(self.tabs.count()):
            area = self.tabs.widget(index)
            if isinstance(area, QScrollArea) and area.widget() is step:
                self.tabs.setCurrentIndex(index)

    def on_step(self, step: QWidget) -> None:
        """Do what a step needs when it comes to the front."""

    def _on_tab(self, _index: int) -> None:
        area = self.tabs.currentWidget()
        step = area.widget() if isinstance(area, QScrollArea) else None
        if step is self.train and not self._devices_asked:
            self._devices_asked = True
            self.train.find_devices()
        if step is not None:
            self.on_step(step)

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.show_step(self.watch)
