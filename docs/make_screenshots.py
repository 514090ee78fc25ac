"""Walk through the panel in a real window and save a picture of every stage.

Run it on a display of 1440 x 900, for example a virtual one::

    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_screenshots.py
    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_screenshots.py --theme light
    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_screenshots.py --example anisotropic

It clicks as a person would: opens the example, trains, pauses, resumes, stops,
generates, compares, measures, writes a report, draws a crop box, exports, and
closes napari during a training. It fails when a stage does not come, or when a
thread outlives the window. Pictures of the light theme end in -light, those of
the anisotropic example begin with aniso-. With ``--until data`` it ends after
the first cheap scenes. With ``--trained DIR`` it trains ``--steps`` steps, stops,
opens a copy of that run of the same example, and goes on with it: so pictures
show something learnt without each theme's training for long.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Image as ImageLayer
from PIL import Image
from qtpy.QtCore import QPoint, QPointF, Qt, QThreadPool, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QWidget

from napari_superres.data.examples import Example, example_pair
from napari_superres.data.simulate import simulate_low_res
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.widgets.app import add_dock
from napari_superres.widgets.earlier_runs import open_run
from napari_superres.widgets.input_roles import HIGH_RES, SUPER_RES, role_of
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.samples import LayerTuple, example_layers, open_example_pair

IMAGES = Path(__file__).parent / "images"
SIZE = (1440, 900)
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
AXES = 3
STRETCH = 2
"""How many times as long along z the particles of the anisotropic example are."""


def stretched_layers() -> list[LayerTuple]:
    """Return an anisotropic example: a cathode with long particles, and a slice for each axis."""
    truths = []
    for seed in range(2):  # the slices are of another place
        example = example_pair(seed=seed, slices=1, slice_size=64)
        assert example.truth is not None
        labels = np.repeat(example.truth.labels, STRETCH, axis=0)[: len(example.truth.labels)]
        truths.append(labels)
    phases, um, settings = example.high_res.phases, example.high_res.voxel_size, example.settings
    volume = SegmentedVolume(truths[0], phases, um, "pressed truth")
    low_res = simulate_low_res(volume, settings.scale_factor, settings.phase_map, name="pressed")
    middle = len(truths[1]) // 2
    sets = tuple((np.ascontiguousarray(truths[1].take(middle, axis)),) for axis in range(AXES))
    slices = SegmentedSlices(sets, phases, um, "pressed")
    return example_layers(Example(low_res, slices, None, settings))


class Journey:
    """A viewer with the panel, and what a person does in it."""

    def __init__(
        self,
        images: Path,
        work: Path,
        steps: int,
        theme: str = "dark",
        aniso: bool = False,
        trained: Path | None = None,
    ) -> None:
        self.images, self.work, self.steps, self.trained = images, work, steps, trained
        self.theme, self.aniso = theme, aniso
        self.usual = theme == "dark" and not aniso
        self.viewer = napari.Viewer(title="napari")
        self.viewer.theme = theme
        self.window = self.viewer.window._qt_window
        self.window.setGeometry(0, 0, *SIZE)
        self.dock = add_dock(self.viewer)
        self.wait(1.5)

    def wait(self, seconds: float) -> None:
        """Let the window live for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def until(self, what: str, condition: Callable[[], bool], seconds: float = 900) -> None:
        """Wait for something to come true."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"Timed out: {what}")
            self.wait(0.05)

    def click(self, widget: QWidget) -> None:
        """Click a widget with the mouse, once it can be clicked."""
        self.until(f"{widget} is enabled", widget.isEnabled, 20)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.wait(0.2)

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
            _grab(self.file(name))

    def file(self, name: str) -> Path:
        """Return where a picture is kept."""
        first = "aniso-" if self.aniso else ""
        last = "-light" if self.theme == "light" else ""
        return self.images / f"{first}{name}{last}.png"

    @contextmanager
    def in_light(self) -> Iterator[None]:
        """Show something in the light theme, as its page says."""
        self.viewer.theme = "light"
        self.wait(1)
        yield
        self.viewer.theme = self.theme

    @property
    def state(self) -> RunState:
        """Where the training stands."""
        return self.dock.session.training.state

    def open_example(self) -> None:
        """Open the sample as File > Open Sample does; an anisotropic one with its three planes."""
        data = self.dock.data
        if self.aniso:
            data.add_layers(stretched_layers())
            self.click(data.anisotropic)
            data.axes.choose(self._slices())
        else:
            self.picture("01-empty")
            self.viewer.open_sample("napari-superres-fusion", "example-pair")
        self.until("the inputs are read", lambda: self.dock.session.ready)
        self.viewer.reset_view()
        self.until("the checks are made", lambda: len(data.checks.text()) > 80)
        self.picture("02-data")
        bar = self.dock.tabs.currentWidget().verticalScrollBar()
        bar.setValue(bar.maximum())
        self.picture("02b-checks")
        bar.setValue(0)

    def _slices(self) -> list[Any]:
        """Return the high-res layers in the order they were added: normal to z, y, x."""
        return [layer for layer in self.viewer.layers if role_of(layer) == HIGH_RES]

    def segment(self) -> None:
        """Segment a noisy greyscale volume, as a person without labels begins."""
        data = self.dock.data
        labels = open_example_pair()[0][0]
        noise = np.random.default_rng(0).normal(0, 14, labels.shape)
        grey = (30 + 70 * labels + noise).clip(0, 255).astype(np.uint8)
        um = {"scale": (0.4,) * 3, "units": ("um",) * 3}
        self.viewer.add_image(grey, name="tomogram", **um)
        data.segment_fold.expand()
        preview = data.segment.preview
        self.until("the preview comes", lambda: preview.layer is not None)
        self.viewer.reset_view()
        self.picture("18-segment")
        data.segment_fold.collapse()
        self.viewer.layers.clear()

    def preferences(self) -> None:
        """Open napari's preferences at the panel's page."""
        from napari._qt.dialogs.preferences_dialog import PreferencesDialog

        dialog = PreferencesDialog(self.window)
        dialog.setStyleSheet(self.window.styleSheet())
        (row,) = dialog._list.findItems("SuperRes Fusion", Qt.MatchFlag.MatchExactly)
        dialog._list.setCurrentItem(row)
        dialog.show()
        self.picture("19-preferences")
        dialog.reject()

    def set_up(self) -> None:
        """Look at the settings, fold the advanced ones out and in."""
        self.step(2)
        memory = self.dock.train.memory
        self.until("the memory is estimated", lambda: bool(memory.note.text()))
        self.dock.train.minutes.value = 60
        self.dock.train.use_folder(self.work / "cathode")
        self.picture("03-train")
        self.dock.train.advanced.expand()
        self.picture("04-train-advanced")
        self.dock.train.advanced.collapse()
        # livelier than the preset, so that slow machines show curves too
        self.dock.train.engine_form.dials["preview_seconds"].value = 2
        self.dock.train.engine_form.dials["measure_every"].value = 10

    def train(self) -> None:
        """Start, watch, pause, resume, stop."""
        session, bar = self.dock.session, self.dock.run_bar
        self.click(bar.start)
        self.until("a preview comes", lambda: session.preview is not None)
        first = session.preview.step
        self.until("numbers come", lambda: session.history.latest is not None)
        self.until("the previews move", lambda: session.preview.step > first)
        self.until("it has learnt", lambda: session.preview.step >= self.steps, 3600)
        if self.trained is not None:
            self.go_on_with(self.trained)
        self.picture("05-monitor")
        if self.usual:
            with self.in_light():
                self.picture("06-monitor-light")
        self.click(bar.middle)
        self.until("it is paused", lambda: self.state is RunState.PAUSED)
        self.picture("07-paused")
        self.click(bar.middle)
        self.until("it runs again", lambda: self.state is RunState.RUNNING)
        self.wait(2)
        self.click(bar.stop)
        self.until("it is stopped", lambda: self.state is RunState.STOPPED)
        self.picture("08-stopped")
        monitor = self.dock.monitor
        monitor.previews.slider.setValue(1)
        checkpoints = monitor.checkpoints
        self.until("the checkpoints are listed", lambda: bool(checkpoints.rows), 60)
        monitor.pages.setCurrentIndex(monitor.pages.count() - 1)
        checkpoints.tree.topLevelItem(0).setSelected(True)
        self.picture("08b-checkpoints")
        self.click(monitor.previews.latest)

    def go_on_with(self, trained: Path) -> None:
        """Stop, open an earlier run, and train that one further."""
        session, bar = self.dock.session, self.dock.run_bar
        self.click(bar.stop)
        self.until("it is stopped", lambda: self.state is RunState.STOPPED)
        copy = self.work / "earlier" / "cathode"
        shutil.copytree(trained, copy)
        open_run(session, copy)  # the button asks for a folder, in a dialog of the system
        self.until("it is open", lambda: session.run is not None and session.run.folder == copy)
        before = session.preview.step
        self.click(bar.middle)
        self.until("it goes on", lambda: session.preview.step > before)
        self.until("it is running", lambda: self.state is RunState.RUNNING)

    def generate(self) -> None:
        """Generate; look at the result in 2D and in 3D."""
        self.step(4)
        self._make(seed=0)
        self.picture("09-generated")
        self.viewer.dims.ndisplay = 3
        self.dock.generate.hidden.setCurrentIndex(1)
        shown = {layer.name: layer.visible for layer in self.viewer.layers}
        for layer in self.viewer.layers:
            layer.visible = layer.name.startswith("super-res")
        self.viewer.scene.camera.angles = (5, 35, 145)
        self.viewer.scene.camera.center = tuple(self._volume().extent.world.mean(0))
        self.viewer.scene.camera.zoom = 18
        self.picture("10-generated-3d")
        self.dock.generate.hidden.setCurrentIndex(0)
        self.viewer.dims.ndisplay = 2
        for layer in self.viewer.layers:
            layer.visible = shown[layer.name]
        self.viewer.reset_view()

    def _make(self, seed: int) -> None:
        """Generate a volume and wait for its layer: a fast machine is done in no time."""

        def made() -> int:
            return sum(role_of(layer) == SUPER_RES for layer in self.viewer.layers)

        before = made()
        self.dock.generate.form.seed.setValue(seed)
        self.click(self.dock.generate.generate)
        self.until("it is generated", lambda: made() > before)
        runner = self.dock.session.generation
        self.until("the thread has ended", lambda: not runner.active)

    def _volume(self) -> Any:
        return self.dock.export.layer.layer

    def compare(self) -> None:
        """Generate other realisations; look at them together, swipe, map and measure them."""
        for seed in (1, 2):
            self._make(seed)
        self.step(5)
        compare = self.dock.compare
        for work in (compare.maps, compare.spread):
            start = work.make if work is compare.maps else work.measure
            self.click(start)
            self.until("it is done", lambda work=work: work.runner.state is RunState.COMPLETED)
        self.click(compare.grid)
        self.picture("14-compare-grid")
        self.click(compare.grid)
        with self.in_light():
            self.click(compare.swipe)
            self.until("the swipe is there", lambda: compare.slider.isEnabled())
            self.viewer.fit_to_view(layers=[self._volume()])
            self.picture("15-compare-swipe")
            self.click(compare.swipe)

    def measure(self) -> None:
        """Measure the realisations beside the slices; look at table, plots and report."""
        self.step(6)
        for layer in self.viewer.layers:
            layer.visible = layer.visible and not isinstance(layer, ImageLayer)
        measure = self.dock.measure
        for tick in measure.ticks[3:5]:
            tick.setChecked(True)
        self.click(measure.measure)
        self.until("it is measured", lambda: measure.runner.state is RunState.COMPLETED)
        self.picture("16-measure")
        bar = self.dock.tabs.currentWidget().verticalScrollBar()
        with self.in_light():
            bar.setValue(bar.maximum())
            self.picture("17-measure-plots")
        page = self.work / "report.html"
        measure.report.start(page)  # the button asks for a file, in a dialog of the system
        self.until("the report is written", page.exists)
        self.until("the thread has ended", lambda: not measure.report.runner.active)
        bar.setValue(bar.maximum())
        self.picture("20-report")

    def export(self) -> None:
        """Draw a crop box with the mouse, export it."""
        self.step(7)
        export = self.dock.export
        volume = self._volume()
        self.viewer.scene.camera.center = tuple(volume.extent.world.mean(0))
        self.viewer.scene.camera.zoom = 30
        self.viewer.layers["agreement (%)"].visible = True  # it is to step aside
        self.click(export.draw)
        self._drag(0.38, 0.40, 0.62, 0.60)
        self.wait(0.5)
        if export.box.shape == volume.data.shape:
            sys.exit("The drawn rectangle did not become the box.")
        if any(isinstance(one, ImageLayer) and one.visible for one in self.viewer.layers):
            sys.exit("A map covers the volume while its box is drawn.")
        self.picture("11-crop")
        target = self.work / "cathode-crop.tif"
        export.path.setText(str(target))
        self.click(export.export)
        self.until("it is exported", target.exists, 30)
        self.picture("12-exported")

    def _drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Drag over the canvas, in shares of its size."""
        canvas = self.viewer.window._qt_viewer.canvas.native
        width, height = canvas.width(), canvas.height()
        start = QPoint(int(x0 * width), int(y0 * height))
        QTest.mouseMove(canvas, start)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
        for part in range(1, 11):
            x, y = x0 + (x1 - x0) * part / 10, y0 + (y1 - y0) * part / 10
            _move(canvas, QPointF(x * width, y * height))
            self.wait(0.03)
        end = QPoint(int(x1 * width), int(y1 * height))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)

    def _answer_dialog(self) -> None:
        # napari asks twice: a task is running, and close_window is to be confirmed
        for dialog in _visible_dialogs():
            if self.usual and not self.file("13-closing").exists():
                _grab(self.file("13-closing"))
            dialog.accept()

    def close_while_training(self) -> None:
        """Train on, close napari meanwhile, and see that everything ends."""
        self.click(self.dock.run_bar.middle)  # Continue
        self.until("it runs", lambda: self.state is RunState.RUNNING)
        self.wait(2)
        start = time.monotonic()
        answers = QTimer(self.window)
        answers.timeout.connect(self._answer_dialog)
        answers.start(1500)
        QTimer.singleShot(60_000, lambda: sys.exit("napari did not close"))
        if shutil.which("xdotool") and shutil.which("openbox"):
            # as the window manager does, so that napari asks whether to close
            close = "search --onlyvisible --name napari windowactivate --sync key alt+F4"
            subprocess.run(["xdotool", *close.split()], check=True)
        else:
            QTimer.singleShot(0, self.window.close)
        napari.run()
        seconds = time.monotonic() - start
        left = [thread.name for thread in threading.enumerate() if thread.daemon is False]
        working = QThreadPool.globalInstance().activeThreadCount()
        if working or len(left) > 1:
            sys.exit(f"Left behind: {working} workers, threads {left}")
        print(f"closed during a training in {seconds:.1f} s, no thread left")


def _grab(path: Path) -> None:
    """Save what is on the screen, frames and dialogs included, in 256 colours: a third the size."""
    QApplication.primaryScreen().grabWindow(0).save(str(path), "PNG", 0)
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(path.name, flush=True)


def _visible_dialogs() -> list[QDialog]:
    widgets = QApplication.topLevelWidgets()
    return [one for one in widgets if isinstance(one, QDialog) and one.isVisible()]


def _move(canvas: QWidget, position: QPointF) -> None:
    """Move the mouse with its left button held, which QTest cannot."""
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QMouseEvent

    left = Qt.MouseButton.LeftButton
    everywhere = canvas.mapToGlobal(position.toPoint())
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        position,
        QPointF(everywhere),
        left,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, event)


SCENES: dict[str, Callable[[Journey], None]] = {
    "segment": Journey.segment,
    "preferences": Journey.preferences,
    "data": Journey.open_example,
    "set-up": Journey.set_up,
    "train": Journey.train,
    "generate": Journey.generate,
    "compare": Journey.compare,
    "measure": Journey.measure,
    "export": Journey.export,
    "closing": Journey.close_while_training,
}
ISOTROPIC_ONLY = ("segment", "preferences")
"""They look the same with both examples."""


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=IMAGES)
    parser.add_argument("--steps", type=int, default=400, help="steps before the pictures")
    parser.add_argument("--trained", type=Path, help="run of the same example to go on with")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--example", choices=("isotropic", "anisotropic"), default="isotropic")
    parser.add_argument("--until", choices=tuple(SCENES), default=tuple(SCENES)[-1])
    chosen = parser.parse_args()
    aniso = chosen.example == "anisotropic"
    chosen.images.mkdir(parents=True, exist_ok=True)
    manager = None
    if shutil.which("openbox"):
        manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
        time.sleep(1)
    try:
        with tempfile.TemporaryDirectory() as work:
            journey = Journey(
                chosen.images, Path(work), chosen.steps, chosen.theme, aniso, chosen.trained
            )
            journey.file("13-closing").unlink(missing_ok=True)
            for name, scene in SCENES.items():
                if not (aniso and name in ISOTROPIC_ONLY):
                    scene(journey)
                if name == chosen.until:
                    break
    finally:
        if manager is not None:
            manager.terminate()


if __name__ == "__main__":
    main()
