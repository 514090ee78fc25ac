"""The panel with the real engine, once through, on the smallest inputs there are."""

import time

import numpy as np
import pytest

from napari_superres.data.examples.pair import Example
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.events import StepCompleted
from napari_superres.widgets.data.examples import example_layers
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.notes import SUPER_RES, role_of
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES


@pytest.fixture
def example():
    grid = np.indices((8, 8, 8)).sum(0) // 2 % 2
    image = np.indices((40, 40)).sum(0) // 5 % 3
    low = SegmentedVolume(grid.astype(np.uint8), PHASES[:2], (0.4,) * 3, "low")
    high = SegmentedSlices(((image.astype(np.uint8),),), PHASES, (0.1,) * 3, "high")
    return Example(Pair(low, high), None, None)


class RealBench:
    """The panel in a viewer with the real engine, its dials set to the least there is."""

    def __init__(self, viewer, example, qtbot, folder):
        self.qtbot, self.session = qtbot, Session()
        self.dock = SuperResDock(viewer, self.session)
        viewer.window.add_dock_widget(self.dock)
        self.dock.data.add_layers(example_layers(example))
        self.dock.train.use_folder(folder)
        self.dock.train.minutes.value = 0.01
        least = {"crop": 16, "slices_per_axis": "2", "batch": 1, "channels": 8}
        for name, value in least.items():
            self.dock.train.engine_form.dials[name].value = value

    def until(self, *states):
        training = self.session.fusion.runner
        ended = (*states, RunState.FAILED)
        self.qtbot.waitUntil(lambda: training.state in ended, timeout=240_000)
        assert training.state in states, self.dock.run_bar.status.text()


@pytest.fixture
def bench(make_napari_viewer_proxy, example, qtbot, tmp_path):
    bench = RealBench(make_napari_viewer_proxy(), example, qtbot, tmp_path / "run")
    yield bench
    bench.session.shut_down()
    qtbot.waitUntil(lambda: not bench.session.fusion.runner.active, timeout=120_000)


def test_the_panel_trains_and_generates_for_real(bench, qtbot):
    dock, session = bench.dock, bench.session
    dock.run_bar.start.click()
    bench.until(RunState.COMPLETED)
    checkpoints = dock.monitor.checkpoints
    qtbot.waitUntil(lambda: len(checkpoints.rows) > 0, timeout=60_000)
    assert checkpoints.rows[0].picture is not None
    dock.generate.generate.click()
    ended = (RunState.COMPLETED, RunState.FAILED)
    qtbot.waitUntil(lambda: session.generation.runner.state in ended, timeout=120_000)
    (layer,) = [one for one in dock.viewer.layers if role_of(one) == SUPER_RES]
    assert layer.data.shape == (32, 32, 32)
    np.testing.assert_allclose(layer.translate, -0.15)


def test_a_pause_of_hours_counts_neither_as_trained_nor_as_time_left(bench, monkeypatch):
    from napari_superres.training import clock

    class Clock:
        ahead = 0.0

        @classmethod
        def monotonic(cls):
            return time.monotonic() + cls.ahead

    monkeypatch.setattr(clock, "time", Clock)
    told = []
    bench.session.fusion.runner.event.connect(told.append)
    bench.dock.train.minutes.value = 10
    bench.dock.run_bar.start.click()
    bench.qtbot.waitUntil(lambda: bool(bench.session.fusion.history.losses), timeout=240_000)
    bench.dock.run_bar.middle.click()
    bench.until(RunState.PAUSED)
    Clock.ahead, before = 5 * 3600.0, len(told)
    bench.dock.run_bar.middle.click()
    steps = lambda: [one for one in told[before:] if isinstance(one, StepCompleted)]  # noqa: E731
    bench.qtbot.waitUntil(lambda: bool(steps()), timeout=240_000)
    assert steps()[0].elapsed_s < 3600
    assert steps()[0].seconds_left < 3600
    bench.dock.run_bar.stop.click()
    bench.until(RunState.STOPPED)
