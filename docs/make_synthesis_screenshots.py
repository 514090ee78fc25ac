"""Take the pictures of docs/synthesis.md from two runs that were trained before.

Run it on a display of 1440 x 900, for example a virtual one::

    napari-superres synthesise train --images slice.tif --minutes 10 --run style-run
    napari-superres translate train --low-res-images ct.tif --high-res-images sem.tif \
        --minutes 10 --run translation-run
    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_synthesis_screenshots.py \
        --synthesis style-run --translation translation-run

It opens the runs' own images, trains a step further so that there is something to
watch, picks samples and translates; the runs are copied and stay as they are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QScrollArea
from screenshots.window import Window, grab

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.synthesis.dock import SynthesisDock
from napari_superres.widgets.translation.dock import TranslationDock

IMAGES = Path(__file__).parent / "images"


class Tour(Window):
    """A viewer, and pictures of what is in it."""

    def __init__(self, images: Path) -> None:
        super().__init__()
        self.images = images

    def picture(self, name: str) -> None:
        """Save what is on the screen."""
        self.wait(1.0)
        grab(self.images / f"synthesis-{name}.png")

    def both_themes(self, name: str) -> None:
        """Save the picture, and one in the light theme beside it for who looks at them."""
        self.picture(name)
        with self.in_light():
            self.picture(f"{name}-light")

    def synthesis(self, run: Path) -> None:
        """Patches, Watch, Gallery."""
        dock = SynthesisDock(self.viewer)
        docked = self.viewer.window.add_dock_widget(dock, name="Synthesise images")
        dock.patches.picker.open_files(sorted((run / "inputs").glob("*.tif")))
        self.until("the patches are planned", lambda: dock.training.ready)
        self.until("the grid is drawn", lambda: len(self.viewer.layers) > 1)
        self.viewer.reset_view()
        self.both_themes("patches")
        dock.training.open(run)
        self.until("the run is open", lambda: dock.training.run is not None)
        dock.run_bar.middle.click()  # Continue
        self.until("numbers and images come", lambda: bool(dock.training.history.profiles))
        self.until("images come", lambda: dock.training.previews.last is not None)
        self.both_themes("watch")
        dock.training.runner.stop()
        self.until("it is stopped", lambda: not dock.training.runner.active)
        dock.show_step(dock.gallery)
        self._gallery(dock)
        for layer in list(self.viewer.layers):
            self.viewer.layers.remove(layer)
        self.viewer.window.remove_dock_widget(docked)

    def _gallery(self, dock: SynthesisDock) -> None:
        gallery, work = dock.gallery, dock.training.work
        self.until("samples come", lambda: gallery.shown is not None and not work.active)
        for layer in self.viewer.layers:
            layer.visible = False
        gallery.form.thumbnails.pick([1, 6])
        gallery.form.between.click()
        self.until("the stack comes", lambda: not work.active)
        self.both_themes("gallery")
        self.viewer.layers[-1].visible = False
        gallery.form.nearest.click()
        self.until("windows are found", lambda: not work.active)
        area: Any = dock.tabs.currentWidget()
        assert isinstance(area, QScrollArea)
        area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
        self.picture("nearest")

    def translation(self, run: Path) -> None:
        """Apply a translation to its own low-res image."""
        dock = TranslationDock(self.viewer)
        self.viewer.window.add_dock_widget(dock, name="Translate images")
        dock.inputs.low.open_files(sorted((run / "inputs").glob("low_res*.tif")))
        self.until("it is open", lambda: len(self.viewer.layers) == 1)
        dock.training.open(run)
        self.until("the run is open", lambda: dock.training.run is not None)
        dock.show_step(dock.apply)
        dock.apply.layer.choose(self.viewer.layers[0])
        dock.apply.translate.click()
        done = (RunState.COMPLETED, RunState.FAILED)
        self.until("it is translated", lambda: dock.training.work.state in done)
        low, sharp = self.viewer.layers[0], self.viewer.layers[-1]
        sharp.translate = (sharp.translate[0], low.extent.world[1][1] * 1.05)
        self.viewer.reset_view()
        self.both_themes("translated")


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthesis", type=Path, required=True)
    parser.add_argument("--translation", type=Path, required=True)
    parser.add_argument("--images", type=Path, default=IMAGES)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for name in ("synthesis", "translation"):
            run = Path(folder) / f"{name}-run"
            shutil.copytree(getattr(chosen, name), run)
            file = run / "config.json"
            config = json.loads(file.read_text())
            config["settings"]["engine"]["measure_every"] = 1  # numbers after one step
            file.write_text(json.dumps(config))
            runs.append(run)
        tour = Tour(chosen.images)
        tour.synthesis(runs[0])
        tour.translation(runs[1])
        tour.viewer.close()


if __name__ == "__main__":
    main()
