"""The Measure and Compare steps in a viewer."""

import threading

import numpy as np
import pytest
from qtpy.QtGui import QGuiApplication

from napari_superres.events import Done, FinishReason, Progress
from napari_superres.widgets.compare.step import CompareStep
from napari_superres.widgets.compare.swipe_array import SwipeArray
from napari_superres.widgets.jobs import job_row
from napari_superres.widgets.jobs.run_state import ACTIVE, RunState
from napari_superres.widgets.layers.notes import (
    LOW_RES,
    SUPER_RES,
    TRUTH,
    unwrapped,
)
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.measure import step as measure_step
from napari_superres.widgets.measure.step import MeasureStep
from napari_superres.widgets.run.session import session_of
from tests.fakes import PHASES

LABELS = np.random.default_rng(0).integers(0, 3, (16, 16, 16)).astype(np.uint8)


def add(viewer, labels, role, name, phases=PHASES, **more):
    data, arguments, _ = phase_layer(labels, phases, name, role, units=("um",) * 3, **more)
    return viewer.add_labels(data, **arguments)


@pytest.fixture
def viewer(make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy()
    low = (LABELS[::4, ::4, ::4] > 0).astype(np.uint8)
    add(viewer, low, LOW_RES, "low", PHASES[:2], scale=(4,) * 3, translate=(1.5,) * 3)
    for seed in range(2):
        add(viewer, np.roll(LABELS, seed, 0), SUPER_RES, f"seed {seed}")
    add(viewer, LABELS, TRUTH, "truth")
    yield viewer
    session = session_of(viewer)
    session.shut_down()
    qtbot.waitUntil(lambda: not any(one.active for one in session._runners), timeout=8000)
    qtbot.wait(50)


def step(viewer, kind):
    made = kind(viewer)
    viewer.window.add_dock_widget(made, name=kind.title)
    return made


def ended(qtbot, runner):
    qtbot.waitUntil(lambda: runner.state not in ACTIVE, timeout=20000)
    assert runner.state is RunState.COMPLETED


def test_realisations_are_measured_beside_the_truth(viewer, qtbot, tmp_path):
    measure = step(viewer, MeasureStep)
    assert [layer.name for layer in measure.chosen()] == ["seed 0", "seed 1"]
    assert measure.reference.currentText() == "truth"
    measure.measure.click()
    ended(qtbot, measure.job.runner)
    assert "within tolerance of truth" in measure.job.status.text()
    first = measure.table.table.item(1, 0)
    assert first.text().strip() == "pore"
    measure.table.copy_all()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert len(copied) == 1 + len(measure.table.rows)
    assert "\tseed 0\tseed 1\t" in copied[0]
    measure.plots.write(tmp_path / "fractions")
    qtbot.waitUntil(lambda: (tmp_path / "fractions.png").exists(), timeout=20_000)


def test_a_rectangle_limits_what_is_measured(viewer, qtbot):
    measure = step(viewer, MeasureStep)
    viewer.add_shapes(
        [np.array([[0, 2, 2], [0, 2, 5], [0, 5, 5], [0, 5, 2]], float)], units=("um",) * 3
    )
    measure.part.setCurrentIndex(1)
    measure.measure.click()
    ended(qtbot, measure.job.runner)
    assert measure.table.finished.found[0]["shape"] == [16, 4, 4]
    assert measure.table.finished.reference["shape"] == [16, 4, 4]


def test_without_a_rectangle_nothing_starts(viewer, qtbot, monkeypatch):
    told = []
    monkeypatch.setattr(job_row, "show_error", told.append)
    measure = step(viewer, MeasureStep)
    measure.part.setCurrentIndex(1)
    measure.measure.click()
    assert "no rectangle" in told[0]
    assert measure.job.runner.state is RunState.IDLE


def endless(subjects, reference, measures, stop, device="cpu"):
    while not stop.wait(0.01):
        yield Progress("working", 0.5)
    yield Done(reason=FinishReason.STOPPED)


def test_measuring_can_be_cancelled(viewer, qtbot, monkeypatch):
    monkeypatch.setattr(measure_step, "measure_subjects", endless)
    measure = step(viewer, MeasureStep)
    measure.measure.click()
    qtbot.waitUntil(lambda: measure.job.bar.value() == 50, timeout=8000)
    measure.job.cancel.click()
    qtbot.waitUntil(lambda: measure.job.runner.state is RunState.STOPPED, timeout=8000)
    assert "cancelled" in measure.job.status.text()
    assert measure.measure.isEnabled()


def test_closing_the_viewer_while_measuring_ends_cleanly(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setattr(measure_step, "measure_subjects", endless)
    viewer = make_napari_viewer()
    add(viewer, LABELS, SUPER_RES, "seed 0")
    measure = MeasureStep(viewer)
    viewer.window.add_dock_widget(measure, name="Measure")
    runner = measure.job.runner
    measure.measure.click()
    qtbot.waitUntil(lambda: runner.state is RunState.RUNNING, timeout=8000)
    viewer.close()
    qtbot.waitUntil(lambda: not runner.active, timeout=8000)


def test_closing_the_dock_while_measuring_stops_it(viewer, qtbot, monkeypatch):
    monkeypatch.setattr(measure_step, "measure_subjects", endless)
    measure = step(viewer, MeasureStep)
    runner = measure.job.runner
    measure.measure.click()
    qtbot.waitUntil(lambda: runner.state is RunState.RUNNING, timeout=8000)
    viewer.window.remove_dock_widget(measure)
    qtbot.waitUntil(lambda: not runner.active, timeout=8000)


def visible(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


def test_the_grid_shows_the_ticked_volumes_and_goes_again(viewer):
    viewer.layers["truth"].visible = False
    compare = step(viewer, CompareStep)
    compare.grid.click()
    assert viewer.canvas.grid.enabled
    assert visible(viewer) == ["low", "seed 0", "seed 1", "truth"]
    viewer.layers["seed 0"].opacity = 0.5
    assert viewer.layers["seed 1"].opacity == 0.5
    compare.grid.click()
    assert not viewer.canvas.grid.enabled
    assert visible(viewer) == ["low", "seed 0", "seed 1"]
    viewer.layers["seed 0"].opacity = 1.0
    assert viewer.layers["seed 1"].opacity == 0.5


def test_blinking_shows_two_layers_in_turn(viewer):
    compare = step(viewer, CompareStep)
    before = visible(viewer)
    compare.blink.click()
    assert visible(viewer) == ["seed 0"]
    compare.blinker.flip()
    assert visible(viewer) == ["truth"]
    compare.blink.click()
    assert visible(viewer) == before


def test_a_layer_removed_while_blinking_ends_it(viewer):
    compare = step(viewer, CompareStep)
    compare.blink.click()
    viewer.layers.remove("truth")
    assert not compare.blinker.active
    assert not compare.blink.isChecked()


def test_a_swipe_moves_its_cut_and_leaves_nothing_behind(viewer, qtbot):
    compare = step(viewer, CompareStep)
    before = visible(viewer)
    compare.swipe.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 5, timeout=8000)
    assert visible(viewer) == ["swipe: seed 0 | truth"]
    compare.slider.setValue(250)
    assert compare.swiper.array.cut == 4
    assert compare.layers.count() == 4
    compare.swipe.click()
    assert visible(viewer) == before
    assert len(viewer.layers) == 4


def test_in_3d_the_swipe_is_put_together_beside_the_viewer(viewer, qtbot, monkeypatch):
    threads, whole = [], SwipeArray.whole

    def watched(array, axis, cut):
        threads.append(threading.current_thread())
        return whole(array, axis, cut)

    monkeypatch.setattr(SwipeArray, "whole", watched)
    compare = step(viewer, CompareStep)
    viewer.dims.ndisplay = 3
    compare.swipe.click()
    qtbot.waitUntil(lambda: compare.swiper.array is not None, timeout=8000)
    layer, seeds = (
        unwrapped(viewer.layers[-1]),
        [viewer.layers["seed 0"].data, viewer.layers["truth"].data],
    )

    def shows(cut):
        joined = np.concatenate([seeds[0][..., :cut], seeds[1][..., cut:]], axis=2)
        return np.array_equal(layer._slice.image.raw, joined)

    qtbot.waitUntil(lambda: shows(8), timeout=8000)
    for value in (250, 500, 750):
        compare.slider.setValue(value)
    qtbot.waitUntil(lambda: shows(12), timeout=8000)
    assert threading.main_thread() not in threads


def test_maps_lie_over_the_realisations(viewer, qtbot):
    compare = step(viewer, CompareStep)
    compare.maps.button.click()
    ended(qtbot, compare.maps.runner)
    layer = viewer.layers["agreement (%)"]
    assert layer.data.shape == LABELS.shape
    np.testing.assert_allclose(layer.scale, viewer.layers["seed 0"].scale)
    assert tuple(map(str, layer.units)) == ("micrometer",) * 3
    assert "2 realisations agree" in compare.maps.status.text()
    compare.maps.button.click()
    ended(qtbot, compare.maps.runner)
    assert [one.name for one in viewer.layers].count("agreement (%)") == 1


def test_one_realisation_is_told_that_maps_need_two(viewer):
    compare = step(viewer, CompareStep)
    viewer.layers.remove("seed 1")
    assert not compare.maps.button.isEnabled()
    assert "another seed" in compare.maps.status.text()


def test_the_spread_over_realisations_stands_beside_the_truth(viewer, qtbot):
    compare = step(viewer, CompareStep)
    compare.spread.button.click()
    ended(qtbot, compare.spread.runner)
    heads = [compare.spread.table.table.horizontalHeaderItem(column).text() for column in range(6)]
    assert heads == ["", "mean", "truth", "difference", "± s.d.", "seed 0"]
