"""The bench: the steps as tabs in one dock, with the training's controls always in sight."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_superres.widgets.compare_step import CompareStep
from napari_superres.widgets.data_step import DataStep
from napari_superres.widgets.export_step import ExportStep
from napari_superres.widgets.generate_step import GenerateStep
from napari_superres.widgets.keys import MAIN, number_the_tabs, press_by_key
from napari_superres.widgets.measure_step import MeasureStep
from napari_superres.widgets.monitor_step import MonitorStep
from napari_superres.widgets.run_bar import RunBar
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Step
from napari_superres.widgets.train_step import TrainStep

WIDTH, LETTERS = 470, 52
"""Least width: of the panel, and in letters where they are large."""


class SuperResDock(Step):
    """Data, Train, Monitor, Generate, Compare, Measure, Export; below them the run bar."""

    title = "SuperRes Fusion"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        shared = self.session
        self.data = DataStep(napari_viewer, shared)
        self.train = TrainStep(napari_viewer, shared)
        self.monitor = MonitorStep(napari_viewer, shared)
        self.generate = GenerateStep(napari_viewer, shared)
        self.compare = CompareStep(napari_viewer, shared)
        self.measure = MeasureStep(napari_viewer, shared)
        self.export = ExportStep(napari_viewer, shared)
        self.run_bar = RunBar(shared)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setStyleSheet("QTabBar::tab { padding: 5px 4px; min-width: 0; }")
        steps: tuple[Step, ...] = (
            self.data,
            self.train,
            self.monitor,
            self.generate,
            self.compare,
            self.measure,
            self.export,
        )
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
        for step, button in (
            (self.generate, self.generate.generate),
            (self.measure, self.measure.measure),
            (self.export, self.export.export),
        ):
            press_by_key(MAIN, button, step)
        self.run_bar.start_asked.connect(self._start)
        self.run_bar.continue_asked.connect(self._continue)
        self.tabs.currentChanged.connect(self._on_tab)
        shared.training.state_changed.connect(self._on_state)
        shared.checkpoint_chosen.connect(self._on_checkpoint)

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

    def _start(self) -> None:
        self.data.refresh(then=self.train.start)  # the layers may have been painted since

    def _continue(self) -> None:
        self.train.continue_run()

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.show_step(self.monitor)

    def _on_checkpoint(self, _name: str) -> None:
        self.show_step(self.generate)

    def _on_tab(self, _index: int) -> None:
        area = self.tabs.currentWidget()
        shown = area.widget() if isinstance(area, QScrollArea) else None
        if shown is self.train:  # each time: free memory changes
            self.train.find_devices()


class TrainPanel(Step):
    """Step 2 by itself, with the run bar."""

    title = "Train"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self.train = TrainStep(napari_viewer, self.session)
        self.run_bar = RunBar(self.session)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(self.train), 1)
        layout.addWidget(self.run_bar)
        self.run_bar.start_asked.connect(self.train.start)
        self.run_bar.continue_asked.connect(self.train.continue_run)
        self.run_bar.listen_to_keys(self)
        self.train.find_devices()


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
