"""A panel: its steps as tabs in one dock, and below them what is always in sight."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_superres.widgets.parts.keys import number_the_tabs
from napari_superres.widgets.run.run_bar import RunBar
from napari_superres.widgets.run.step import Step

WIDTH, LETTERS = 470, 52
"""Least width: of the panel, and in letters where they are large."""


class TabbedDock(Step):
    """Tabs, their keys, and a width that grows with the letters.

    Attributes
    ----------
    tabs : made by `lay_out`
    run_bar : set by the subclass, as are the steps, before `lay_out` is called
    """

    tabs: QTabWidget
    run_bar: RunBar

    def lay_out(self, steps: Sequence[Step]) -> None:
        """Put the steps into tabs, and the run bar below."""
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
        self.tabs.currentChanged.connect(self._on_tab)

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
