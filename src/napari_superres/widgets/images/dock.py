"""A dock of steps that learn from images: tabs, and the run bar always in sight."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QWidget

from napari_superres.widgets.images.train import ImageTrainStep
from napari_superres.widgets.images.watch import ImageWatch
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.run.image_session import ImageSession
from napari_superres.widgets.run.run_bar import ImageRunBar
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.run.tabbed_dock import TabbedDock


class ImageDock(TabbedDock):
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
        super().lay_out(steps)
        self._devices_asked = False
        self.run_bar.start_asked.connect(self.train.start)
        self.run_bar.continue_asked.connect(self.train.continue_run)
        self.images.training.state_changed.connect(self._on_state)

    def on_step(self, step: QWidget) -> None:
        """Look for devices when the training is set up for the first time."""
        if step is self.train and not self._devices_asked:
            self._devices_asked = True
            self.train.find_devices()

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.show_step(self.watch)
