"""How long a click in napari waits while the panel trains, generates and measures.

    python benchmarks/event_loop.py                          # 30 s of each
    python benchmarks/event_loop.py --seconds 60 --json event-loop.json
    python benchmarks/event_loop.py --phases idle training --torch-threads 1
    python benchmarks/event_loop.py --phases measuring --stacks 150   # what held it up so long
    python benchmarks/event_loop.py --phases generating --size 384    # longer generations

A `QTimer` of 10 ms runs in a real napari window of 1440 x 900 with the panel docked,
while the panel trains the example with the preset `quick`, generates from that run and
measures what it generated. Ticks are due every 10 ms from a phase's first tick to its last.
The delay of a due tick is the time from then until the timer next fires. A window that
stands still for a second thus counts as a hundred late ticks, although Qt fires once after it.

`starting` is from the click on Start to the first step: torch is imported and the networks
made meanwhile. `stopping` is from the click on Stop to the end. Both last as long as they do.

Without a display it opens a virtual one with `xvfb-run`; where that is missing, Qt's
offscreen platform, whose canvas draws nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TICK_MS = 10
GOAL_MS = 60
PHASES = ("idle", "training", "generating", "measuring")
TIMEOUT_S = 1800


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=30, help="of each phase")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument(
        "--size", type=int, default=192, help="side of the super-res volume in voxels"
    )
    parser.add_argument("--torch-threads", type=int, help="instead of what torch takes")
    parser.add_argument(
        "--stacks", type=int, metavar="MS", help="print all threads' stacks after a gap so long"
    )
    parser.add_argument("--images", type=Path, help="folder for a picture of each phase")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    display()
    with tempfile.TemporaryDirectory() as work:
        rows = Bench(Path(work), options).run()
    print(f"\n{os.cpu_count()} cores, load of others before: {options.load:.2f}\n")
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def display() -> None:
    """Go on in a virtual display where there is none."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    if sys.platform.startswith("linux") and (tool := shutil.which("xvfb-run")):
        screen = "-screen 0 1440x900x24"
        os.execv(tool, [tool, "-a", "-s", screen, sys.executable, *sys.argv])
    if sys.platform.startswith("linux"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class Bench:
    """A napari window with the panel, and the ticks that arrived in it."""

    def __init__(self, work: Path, options: argparse.Namespace) -> None:
        import napari
        from qtpy.QtCore import Qt, QTimer

        from napari_superres.data.examples.pair import example_pair
        from napari_superres.widgets.app import add_dock
        from napari_superres.widgets.data.examples import example_layers

        self.options, self.work = options, work
        options.load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        self.viewer = napari.Viewer(title="event loop")
        self.viewer.window._qt_window.setGeometry(0, 0, 1440, 900)
        self.dock = add_dock(self.viewer)
        self.dock.data.add_layers(example_layers(example_pair(options.size)))
        self.dock.train.use_folder(work / "run")
        self.dock.train.minutes.value = 600
        self.arrivals: list[float] = []
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self.tick)
        self.timer.start()
        if options.stacks:
            threading.Thread(target=self.look_for_gaps, daemon=True).start()

    def tick(self) -> None:
        """Note when the timer came."""
        self.arrivals.append(time.perf_counter())

    def look_for_gaps(self) -> None:
        """Print where all threads are when no tick came for long.

        Where this thread, too, comes late, the interpreter's lock was held by what
        another thread had just done.
        """
        limit, told, before = self.options.stacks / 1000, 0.0, time.perf_counter()
        while True:
            time.sleep(0.005)
            now, last = time.perf_counter(), self.arrivals[-1] if self.arrivals else 0.0
            own, before = now - before, now
            if last and now - last > limit and last != told:
                told = last
                print(f"\n--- no tick for {now - last:.3f} s, this thread late by {own:.3f} s")
                for number, frame in sys._current_frames().items():
                    if number != threading.get_ident():
                        main_thread = number == threading.main_thread().ident
                        print("main thread" if main_thread else "other thread")
                        traceback.print_stack(frame, limit=9, file=sys.stdout)

    def run(self) -> dict[str, dict[str, float]]:
        """Go through the phases; always stop at the end."""
        session, rows = self.dock.session, {}
        self.until(lambda: session.fusion.ready)
        self.live(3)
        if "idle" in self.options.phases:
            rows["idle"] = self.watch(self.for_seconds())
        rows |= self.train()
        if "generating" in self.options.phases:
            self.dock.show_step(self.dock.generate)
            runner = session.generation.runner
            rows["generating"] = self.again(self.dock.generate.start, runner)
        if "measuring" in self.options.phases:
            rows["measuring"] = self.measure()
        self.timer.stop()
        self.viewer.close()
        return rows

    def train(self) -> dict[str, dict[str, float]]:
        """Watch while training; return delays by what the engine did."""
        session, bar = self.dock.session, self.dock.run_bar
        if self.options.torch_threads:
            import torch

            torch.set_num_threads(self.options.torch_threads)
        bar.start.click()
        rows = {"starting": self.watch(lambda: session.fusion.previews.last is not None)}
        self.live(3)
        if "training" in self.options.phases:
            rows["training"] = self.watch(self.for_seconds())
        bar.stop.click()
        rows["stopping"] = self.watch(lambda: not session.fusion.runner.active)
        return rows

    def measure(self) -> dict[str, float]:
        """Measure a generated volume, all measures ticked that are cheap."""
        session, measure = self.dock.session, self.dock.measure
        if not any(layer.name.startswith("super-res") for layer in self.viewer.layers):
            self.dock.generate.start()
            self.until(lambda: not session.generation.runner.active)
        self.dock.show_step(measure)
        return self.again(measure.start, measure.job.runner)

    def again(self, start: Callable[[], None], runner: Any) -> dict[str, float]:
        """Watch a task, started again as often as the seconds need."""
        end = self.for_seconds()

        def going() -> bool:
            if not runner.active:
                if end():
                    return True
                start()
            return False

        return self.watch(going)

    def for_seconds(self) -> Callable[[], bool]:
        """Return a question that is answered yes once the asked seconds are over."""
        end = time.perf_counter() + self.options.seconds
        return lambda: time.perf_counter() > end

    def watch(self, done: Callable[[], bool]) -> dict[str, float]:
        """Return the delays of the ticks until `done`."""
        self.arrivals.clear()
        self.until(done)
        found = delays(np.array(self.arrivals))
        if self.options.images is not None:
            self.options.images.mkdir(parents=True, exist_ok=True)
            number = len(list(self.options.images.glob("*.png"))) + 1
            screen = self.viewer.window._qt_window.screen()
            screen.grabWindow(0).save(str(self.options.images / f"{number:02}.png"))
        return found

    def live(self, seconds: float) -> None:
        """Let the event loop run."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() > end)

    def until(self, done: Callable[[], bool]) -> None:
        """Let Qt's event loop run until `done`, looked at every 50 ms."""
        from qtpy.QtCore import QEventLoop, QTimer

        loop, look = QEventLoop(), QTimer()
        give_up = time.perf_counter() + TIMEOUT_S
        look.timeout.connect(lambda: loop.quit() if done() else None)
        look.timeout.connect(lambda: loop.quit() if time.perf_counter() > give_up else None)
        look.start(50)
        loop.exec()
        look.stop()
        if time.perf_counter() > give_up:
            sys.exit("Timed out.")


def delays(arrivals: np.ndarray[Any, Any]) -> dict[str, float]:
    """Return percentiles, in ms, of how late due ticks are."""
    due = np.arange(arrivals[0], arrivals[-1], TICK_MS / 1000)
    late = 1000 * (arrivals[np.searchsorted(arrivals, due)] - due)
    between = 1000 * np.diff(arrivals)
    return {
        "seconds": float(arrivals[-1] - arrivals[0]),
        "within": float(100 * np.mean(late <= GOAL_MS)),
        "median": float(np.median(late)),
        "p95": float(np.percentile(late, 95)),
        "p99": float(np.percentile(late, 99)),
        "longest": float(between.max()),
    }


def print_table(rows: dict[str, dict[str, float]]) -> None:
    columns = (f"within {GOAL_MS} ms", "median", "95 %", "99 %", "longest gap")
    print("| phase | " + " | ".join(columns) + " | seconds |")
    print("| --- |" + " ---: |" * (len(columns) + 1))
    for name, row in rows.items():
        numbers = [f"{row[key]:.1f} ms" for key in ("median", "p95", "p99", "longest")]
        cells = [f"{row['within']:.1f} %", *numbers, f"{row['seconds']:.0f}"]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
