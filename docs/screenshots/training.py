"""The scenes of a training: watched, paused, gone on with, closed while it runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import napari
from qtpy.QtCore import QThreadPool, QTimer

from napari_superres.widgets.jobs.run_state import RunState
from screenshots.journey import Journey
from screenshots.window import grab, visible_dialogs


def train(journey: Journey) -> None:
    """Start, watch, pause, resume, stop."""
    training, bar = journey.dock.training, journey.dock.run_bar
    journey.click(bar.start)
    journey.until("a preview comes", lambda: training.previews.last is not None)
    first = training.previews.last.step
    journey.until("numbers come", lambda: training.history.latest is not None)
    journey.until("the previews move", lambda: training.previews.last.step > first)
    journey.until("it has trained", lambda: training.previews.last.step >= journey.steps, 3600)
    if journey.trained is not None:
        _go_on_with(journey, journey.trained)
    journey.picture("05-monitor")
    journey.click(bar.middle)
    journey.until("it is paused", lambda: journey.state is RunState.PAUSED)
    journey.picture("07-paused")
    journey.click(bar.middle)
    journey.until("it runs again", lambda: journey.state is RunState.RUNNING)
    journey.wait(2)
    journey.click(bar.stop)
    journey.until("it is stopped", lambda: journey.state is RunState.STOPPED)
    monitor = journey.dock.monitor
    monitor.previews.slider.setValue(1)
    checkpoints = monitor.checkpoints
    journey.until("the checkpoints are listed", lambda: bool(checkpoints.rows), 60)
    monitor.pages.setCurrentIndex(monitor.pages.count() - 1)
    checkpoints.tree.topLevelItem(0).setSelected(True)
    journey.picture("08b-checkpoints")
    journey.click(monitor.previews.latest)


def _go_on_with(journey: Journey, trained: Path) -> None:
    """Stop, open an earlier run, and train that one further."""
    training, bar = journey.dock.training, journey.dock.run_bar
    journey.click(bar.stop)
    journey.until("it is stopped", lambda: journey.state is RunState.STOPPED)
    copy = journey.work / "earlier" / "cathode"
    shutil.copytree(trained, copy)
    training.open(copy)  # the button asks for a folder, in a dialog of the system
    is_open = lambda: training.run is not None and training.run.folder == copy  # noqa: E731
    journey.until("it is open", is_open)
    before = training.previews.last.step
    journey.click(bar.middle)
    journey.until("it goes on", lambda: training.previews.last.step > before)
    journey.until("it is running", lambda: journey.state is RunState.RUNNING)


def close_while_training(journey: Journey) -> None:
    """Train on, close napari meanwhile, and see that everything ends."""
    journey.click(journey.dock.run_bar.middle)  # Continue
    journey.until("it runs", lambda: journey.state is RunState.RUNNING)
    journey.wait(2)
    start = time.monotonic()
    answers = QTimer(journey.window)
    answers.timeout.connect(lambda: _answer_dialog(journey))
    answers.start(1500)
    QTimer.singleShot(60_000, lambda: sys.exit("napari did not close"))
    if shutil.which("xdotool") and shutil.which("openbox"):
        # as the window manager does, so that napari asks whether to close
        close = "search --onlyvisible --name napari windowactivate --sync key alt+F4"
        subprocess.run(["xdotool", *close.split()], check=True)
    else:
        QTimer.singleShot(0, journey.window.close)
    napari.run()
    seconds = time.monotonic() - start
    left = [thread.name for thread in threading.enumerate() if thread.daemon is False]
    working = QThreadPool.globalInstance().activeThreadCount()
    if working or len(left) > 1:
        sys.exit(f"Left behind: {working} workers, threads {left}")
    print(f"closed during a training in {seconds:.1f} s, no thread left")


def _answer_dialog(journey: Journey) -> None:
    # napari asks twice: a task is running, and close_window is to be confirmed
    for dialog in visible_dialogs():
        if journey.usual and not journey.file("13-closing").exists():
            grab(journey.file("13-closing"))
        dialog.accept()
