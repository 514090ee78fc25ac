import threading

import pytest

from napari_superres.config import Budget
from napari_superres.errors import EngineError, OutOfMemoryError
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from tests.fakes import FakeEngine


@pytest.fixture
def runner(qtbot):
    runner = StreamRunner()
    runner.seen = []
    runner.event.connect(runner.seen.append)
    yield runner
    runner.stop()
    qtbot.waitUntil(lambda: not runner.active, timeout=5000)


def start(runner, engine, tmp_path):
    runner.start("fake", lambda stop: engine.resume(tmp_path, Budget(), stop))


def ends(qtbot, runner, state):
    qtbot.waitUntil(lambda: runner.state is state, timeout=5000)


def test_a_stream_runs_in_another_thread_and_completes(qtbot, runner, tmp_path):
    engine = FakeEngine()
    start(runner, engine, tmp_path)
    ends(qtbot, runner, RunState.COMPLETED)
    assert engine.threads.isdisjoint({threading.get_ident()})
    assert type(runner.seen[-1]).__name__ == "TrainingFinished"


def test_pause_holds_the_stream_and_resume_lets_it_go_on(qtbot, runner, tmp_path):
    start(runner, FakeEngine(steps=10_000, step_s=0.001), tmp_path)
    ends(qtbot, runner, RunState.RUNNING)
    runner.pause()
    ends(qtbot, runner, RunState.PAUSED)
    before = len(runner.seen)
    qtbot.wait(150)
    assert len(runner.seen) == before
    runner.resume()
    qtbot.waitUntil(lambda: len(runner.seen) > before, timeout=5000)


def test_stop_keeps_the_weights(qtbot, runner, tmp_path):
    engine = FakeEngine(steps=10_000, step_s=0.001)
    start(runner, engine, tmp_path)
    ends(qtbot, runner, RunState.RUNNING)
    runner.stop()
    ends(qtbot, runner, RunState.STOPPED)
    assert engine.saved == [tmp_path]


def test_stop_wakes_a_paused_stream(qtbot, runner, tmp_path):
    engine = FakeEngine(steps=10_000, step_s=0.001)
    start(runner, engine, tmp_path)
    runner.pause()
    ends(qtbot, runner, RunState.PAUSED)
    runner.stop()
    ends(qtbot, runner, RunState.STOPPED)
    assert engine.saved == [tmp_path]


def test_a_runtime_error_of_torch_is_told_as_out_of_memory(qtbot, runner, tmp_path):
    errors = []
    runner.failed.connect(errors.append)
    start(runner, FakeEngine(fail_at=102), tmp_path)
    ends(qtbot, runner, RunState.FAILED)
    assert isinstance(errors[0], OutOfMemoryError)
    assert isinstance(errors[0].__cause__, RuntimeError)


def test_any_other_failure_is_told_as_an_engine_error(qtbot, runner, tmp_path):
    errors = []
    runner.failed.connect(errors.append)
    start(runner, FakeEngine(fail_at=101, failure=KeyError("lost")), tmp_path)
    ends(qtbot, runner, RunState.FAILED)
    assert isinstance(errors[0], EngineError)
    assert "KeyError" in str(errors[0])


def test_a_second_start_while_running_is_ignored(qtbot, runner, tmp_path):
    first, second = FakeEngine(steps=10_000, step_s=0.001), FakeEngine()
    start(runner, first, tmp_path)
    start(runner, second, tmp_path)
    ends(qtbot, runner, RunState.RUNNING)
    runner.stop()
    ends(qtbot, runner, RunState.STOPPED)
    assert not second.threads


def test_quit_of_the_worker_stops_the_stream_and_lets_it_save(qtbot, runner, tmp_path):
    from napari.qt.threading import GeneratorWorker

    engine = FakeEngine(steps=10_000, step_s=0.001)
    start(runner, engine, tmp_path)
    ends(qtbot, runner, RunState.RUNNING)
    for worker in list(GeneratorWorker._worker_set):
        worker.quit()  # what napari does when it closes
    ends(qtbot, runner, RunState.STOPPED)
    assert engine.saved == [tmp_path]
