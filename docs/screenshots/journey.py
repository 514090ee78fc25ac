"""The way through the fusion's panel, on which its pictures are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_superres.widgets.app import add_dock
from napari_superres.widgets.jobs.run_state import RunState
from screenshots.window import Window, grab

EVERY_WAY = (
    "02-data",
    "03-train",
    "05-monitor",
    "09-generated",
    "10-generated-3d",
    "14-compare-grid",
    "16-measure",
    "11-crop",
    "12-exported",
)
"""Pictures of both examples in both themes, for docs/panel-pictures.md; others are made once."""


class Journey(Window):
    """A viewer with the panel, and where pictures of it go.

    Parameters
    ----------
    images : folder of the pictures
    work : folder for what is made on the way
    steps : to train before the pictures
    aniso : whether the example is the anisotropic one
    trained : run of the same example to go on with
    """

    def __init__(
        self,
        images: Path,
        work: Path,
        steps: int,
        theme: str = "dark",
        aniso: bool = False,
        trained: Path | None = None,
    ) -> None:
        super().__init__(theme)
        self.images, self.work, self.steps, self.trained = images, work, steps, trained
        self.aniso = aniso
        self.usual = theme == "dark" and not aniso
        self.dock = add_dock(self.viewer)
        self.wait(1.5)

    def step(self, number: int) -> None:
        """Click the tab of a step."""
        bar = self.dock.tabs.tabBar()
        position = bar.tabRect(number - 1).center()
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=position)
        self.wait(0.4)

    def picture(self, name: str) -> None:
        """Save what is on the screen, as far as a page shows it."""
        if self.usual or name in EVERY_WAY:
            self.wait(0.6)
            grab(self.file(name))

    def file(self, name: str) -> Path:
        """Return where a picture is kept."""
        first = "aniso-" if self.aniso else ""
        last = "-light" if self.theme == "light" else ""
        return self.images / f"{first}{name}{last}.png"

    @property
    def state(self) -> RunState:
        """Where the training stands."""
        return self.dock.session.fusion.runner.state

    @property
    def volume(self) -> Any:
        """The generated volume that an export would write."""
        return self.dock.export.layer.layer
