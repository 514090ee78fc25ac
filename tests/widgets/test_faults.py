"""What goes wrong while the panel trains: nothing is lost, and the person is told."""

import errno
import threading

import pytest
from napari.utils.notifications import notification_manager

from napari_superres.errors import OutOfMemoryError, OutputError
from napari_superres.events import RolledBack
from napari_superres.runs.previews import keep_preview
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.monitor.checkpoints import LEFT, CheckpointRow
from napari_superres.widgets.run.engine import EarlierRun
from napari_superres.widgets.run.history import History, PreviewBook
from tests.fakes import PHASES, preview
from tests.widgets.monitor.test_looking_back import line


def messages():
    return " ".join(record.message for record in notification_manager.records)


def running(bench, engine):
    engine.steps, engine.step_s = 100_000, 0.002
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)


def test_a_second_run_is_refused_and_the_first_goes_on(bench, engine):
    running(bench, engine)
    first = bench.session.fusion.run
    bench.dock.train.start()
    assert "One at a time" in messages()
    assert bench.session.fusion.run is first
    assert bench.session.fusion.runner.state is RunState.RUNNING


def test_no_other_run_is_opened_during_a_training(bench, engine, tmp_path):
    running(bench, engine)
    bench.session.fusion.open(tmp_path)
    assert "One at a time" in messages()
    assert not bench.dock.monitor.open.isEnabled()


def test_a_renamed_input_layer_trains_on_and_can_be_generated_from(bench, engine):
    running(bench, engine)
    bench.dock.data.low_res.layer.name = "another name"
    bench.dock.run_bar.stop.click()
    bench.until(RunState.STOPPED)
    assert len(engine.saved) == 1
    bench.dock.generate.generate.click()
    runner = bench.session.generation.runner
    bench.qtbot.waitUntil(lambda: runner.state is RunState.COMPLETED, timeout=20_000)


@pytest.mark.parametrize(
    "failure",
    [OSError(errno.ENOSPC, "No space left on device"), OutputError("The disk is full.")],
)
def test_a_full_disk_at_a_checkpoint_ends_the_training_but_not_the_run(bench, engine, failure):
    engine.fail_at, engine.failure = 3, failure
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    assert "ended early" in bench.dock.run_bar.status.text()
    assert "disk" in bench.dock.run_bar.status.text()
    assert bench.dock.run_bar.middle.text() == "Continue"
    assert bench.dock.run_bar.middle.isEnabled()


def test_out_of_memory_offers_less_and_keeps_the_plots(bench, engine):
    engine.fail_at = 3
    engine.failure = OutOfMemoryError("No room.", changes={"batch": 1})
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    assert "batch 1" in bench.dock.run_bar.middle.text()
    assert bench.session.fusion.history.losses["generator"].steps == [1, 2]


def test_a_roll_back_is_told_in_plots_and_notes(bench):
    bench.trained()
    bench.session.fusion.take_event(RolledBack(5, 2, "binder has vanished", 1e-3, 2))
    bench.dock.monitor.show_history()
    assert "binder has vanished" in bench.dock.monitor.rolled_back.text()
    assert bench.session.fusion.previews.steps == [1, 2]
    assert "Rolled back to step 2" in messages()


def test_the_slider_looks_back_and_follows_again(bench):
    bench.trained()
    panel = bench.dock.monitor.previews
    panel.slider.setValue(1)
    assert "step 2 of 5" in panel.caption.text()
    bench.session.fusion.previews.add(preview(9, 3))
    panel.refresh()
    assert "step 2 of 9" in panel.caption.text()
    panel.latest.click()
    assert "step 9" in panel.caption.text()


def test_the_bands_of_the_slices_are_drawn_behind_the_fractions(bench):
    bench.trained()
    plot = bench.dock.monitor.fractions
    bench.qtbot.waitUntil(lambda: len(plot._bands) == 3, timeout=20_000)


def test_use_this_one_sets_the_checkpoint_of_the_generate_step(bench, tmp_path):
    bench.trained()
    folder = tmp_path / "step-0000004"
    folder.mkdir()
    found = bench.dock.monitor.checkpoints
    found.show_rows([CheckpointRow(4, folder, ("4", "2 s", "1.00", "–", "–", "–"), ("best",))])
    assert not found.use.isEnabled()
    found.tree.topLevelItem(0).setSelected(True)
    found.use.click()
    assert bench.dock.generate.settings().checkpoint == "4"
    assert (folder / "chosen").exists()


def test_a_checkpoint_in_use_stays_in_use_when_training_is_rolled_back_behind_it(bench):
    bench.trained()
    checkpoints = bench.session.fusion.run.folder / "checkpoints"
    (checkpoints / "step-0000004").mkdir(parents=True)
    form = bench.dock.generate.form
    bench.dock.generate.use_checkpoint("4")
    (checkpoints / "step-0000004").rename(checkpoints / "left-step-0000004")
    bench.dock.generate.refresh()
    assert form.checkpoint.currentText() == "4-left"
    cells, marks = ("4", "2 s", "1.00", "–", "–", "–"), (LEFT,)
    found = bench.dock.monitor.checkpoints
    found.show_rows([CheckpointRow(4, checkpoints, cells, marks, name="4-left")])
    assert "left by a roll-back" in found.note.text()
    found.tree.topLevelItem(0).setSelected(True)
    assert found.chosen.name == "4-left"


def test_the_estimate_follows_the_dials(bench):
    train = bench.dock.train
    train.find_devices()
    bench.qtbot.waitUntil(lambda: "2.0 GiB" in train.memory.note.text(), timeout=20_000)
    train.engine_form.dials["batch"].value = 1
    bench.qtbot.waitUntil(lambda: "1.0 GiB" in train.memory.note.text(), timeout=20_000)


def test_of_two_runs_opened_the_last_one_is_shown(bench, engine, monkeypatch):
    first, shown = threading.Event(), []

    def read(folder):
        if folder.name == "first":
            first.wait(60)
        return EarlierRun(folder, History(), PreviewBook())

    monkeypatch.setattr(engine, "open", read)
    training = bench.session.fusion
    monkeypatch.setattr(training, "show_run", lambda run, *_rest: shown.append(run.name))
    training.open("first")
    training.open("second")
    first.set()
    bench.qtbot.waitUntil(lambda: "second" in shown, timeout=60_000)
    bench.qtbot.wait(50)
    assert shown == ["second"]


def test_a_run_of_another_day_opens_with_its_whole_history(bench, low_res, high_res, tmp_path):
    from napari_superres.config import TrainingSettings
    from tests.fusion.materials import new_run

    values = {"scale_factor": 4, "phase_map": {0: 0, 1: 1, 2: 0}}
    run = new_run(tmp_path / "old", low_res, high_res, TrainingSettings.model_validate(values))
    for step in (50, 100):
        run.append_line(line(step))
        keep_preview(run.path, preview(step, 3), PHASES, PHASES[:2])
    bench.session.fusion.open(run.path)
    bench.qtbot.waitUntil(lambda: bench.session.fusion.run is not None, timeout=60_000)
    monitor = bench.dock.monitor
    assert bench.session.fusion.history.losses["generator"].steps == [50, 100]
    assert "Previews at step 100" in monitor.caption.text()
    assert monitor.run_name.text() == "old"
