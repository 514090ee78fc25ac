"""Results that come late, for another run, or to several docks: none is lost or shown twice."""

import gc
import threading
import weakref
from dataclasses import replace

import numpy as np

from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.generate.step import GenerateStep
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.notes import SUPER_RES, role_of


def results(bench):
    return [layer for layer in bench.viewer.layers if role_of(layer) == SUPER_RES]


def ended(bench):
    runner = bench.session.generation.runner
    bench.qtbot.waitUntil(lambda: runner.state is RunState.COMPLETED, timeout=8000)


def test_a_volume_belongs_to_the_run_that_it_was_asked_of(bench, engine, tmp_path):
    bench.trained()
    first = bench.session.fusion.run
    engine.step_s = 0.1
    bench.dock.generate.generate.click()
    coarser = tuple(factor / 2 for factor in first.scale_factor)
    bench.session.fusion.set_run(replace(first, folder=tmp_path / "other", scale_factor=coarser))
    ended(bench)
    (layer,) = results(bench)
    assert layer.metadata["napari-superres"]["provenance"]["run"] == str(first.folder)
    np.testing.assert_allclose(layer.scale, 0.1)


def test_the_volume_of_the_largest_seed_is_shown(bench):
    bench.dock.generate.form.seed.setValue(2**31 - 1)
    assert bench.generated().name == f"super-res, seed {2**31 - 1}"


def test_seeds_beyond_the_largest_are_refused_before_any_work(bench):
    bench.trained()
    bench.dock.generate.form.seed.setValue(2**31 - 1)
    bench.dock.generate.form.count.setValue(2)
    bench.dock.generate.generate.click()
    assert bench.session.generation.runner.state is RunState.IDLE


def test_two_docks_show_a_volume_once(bench):
    bench.viewer.window.add_dock_widget(GenerateStep(bench.viewer, bench.session), name="again")
    bench.generated()
    assert len(results(bench)) == 1


def test_an_estimate_for_settings_that_were_changed_is_not_shown(bench, engine, monkeypatch):
    later, whole = threading.Event(), engine.preflight

    def estimate(settings):
        if settings.engine.batch == 1:
            later.wait(20)
        return whole(settings)

    monkeypatch.setattr(engine, "preflight", estimate)
    train, batch = bench.dock.train, bench.dock.train.engine_form.dials["batch"]
    batch.value = 1
    train.memory.look()
    batch.value = 2
    train.memory.look()
    bench.qtbot.wait(200)
    later.set()
    bench.qtbot.waitUntil(lambda: bool(train.memory.note.text()), timeout=8000)
    bench.qtbot.wait(200)
    assert "2.0 GiB" in train.memory.note.text()


def test_a_failure_is_told_in_its_own_letters(bench, engine):
    bench.trained()
    told = bench.dock.generate.job.status.text
    failure = ValueError("<class 'int'> & more")
    engine.generate = lambda *_arguments: (_ for _ in ()).throw(failure)
    bench.dock.generate.generate.click()
    runner = bench.session.generation.runner
    bench.qtbot.waitUntil(lambda: runner.state is RunState.FAILED, timeout=8000)
    assert "&lt;class" in told()


def test_a_closed_panel_shows_nothing_beside_the_one_that_is_open(bench):
    bench.trained()
    before = bench.dock  # whatever keeps it alive
    bench.window.destroyOnClose()
    bench.dock = SuperResDock(bench.viewer, bench.session)
    bench.window = bench.viewer.window.add_dock_widget(bench.dock, name="anew")
    bench.dock.generate.generate.click()
    ended(bench)
    assert len(results(bench)) == 1
    assert bench.dock.generate.hidden.count() == 4  # none and three phases: it was this one
    assert before.generate.hidden.count() == 1


def test_a_closed_panel_is_let_go_of(bench):
    gone = weakref.ref(bench.dock)
    window, bench.window, bench.dock = bench.window, None, None
    gc.disable()
    try:
        window.destroyOnClose()
        del window
        bench.qtbot.waitUntil(lambda: gone() is None, timeout=8000)
    finally:
        gc.enable()
