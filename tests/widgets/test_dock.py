"""The panel in a viewer, driven as a person would, with a fake engine."""

import gc
import weakref

from qtpy.QtWidgets import QFormLayout

from napari_superres.data.examples.pair import Example
from napari_superres.errors import OutOfMemoryError, OutputError
from napari_superres.widgets.jobs.run_state import RunState
from tests.widgets.bench import Bench


def test_a_training_fills_plots_previews_and_the_bar(bench):
    bench.trained()
    bench.qtbot.waitUntil(lambda: len(bench.dock.monitor.fractions._lines) == 3, timeout=3000)
    assert "Previews at step 5" in bench.dock.monitor.caption.text()
    assert bench.dock.run_bar.bar.value() == 100
    assert bench.dock.run_bar.middle.text() == "Continue"


def test_pause_resume_and_stop_by_the_buttons(bench, engine):
    engine.steps, engine.step_s = 100_000, 0.001
    bar = bench.dock.run_bar
    bar.start.click()
    bench.until(RunState.RUNNING)
    bar.middle.click()
    bench.until(RunState.PAUSED)
    assert bar.middle.text() == "Resume"
    bar.middle.click()
    bench.until(RunState.RUNNING)
    bar.stop.click()
    bench.until(RunState.STOPPED)
    assert len(engine.saved) == 1


def test_stop_during_a_preview_ends_cleanly(bench, engine):
    engine.steps, engine.step_s = 100_000, 0.001
    bench.session.fusion.preview_ready.connect(lambda _event: bench.session.fusion.runner.stop())
    bench.dock.run_bar.start.click()
    bench.until(RunState.STOPPED)
    assert "Stopped and kept" in bench.dock.run_bar.status.text()


def test_a_stopped_run_can_be_continued(bench):
    bench.trained()
    bench.dock.run_bar.middle.click()
    bench.until(RunState.COMPLETED)
    assert max(bench.session.fusion.history.losses["generator"].steps) > 100


def test_out_of_memory_is_followed_by_an_offer_to_go_on_with_less(bench, engine):
    engine.fail_at = 2
    engine.failure = OutOfMemoryError("No room.", changes={"batch": 1})
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    assert bench.dock.run_bar.middle.text() == "Continue with batch 1"
    engine.fail_at = None
    bench.dock.run_bar.middle.click()
    bench.until(RunState.COMPLETED)
    assert engine.changes == {"batch": 1}
    assert bench.dock.run_bar.middle.text() == "Continue"


def test_out_of_memory_is_told_and_the_panel_stays_usable(bench, engine):
    engine.fail_at = 2
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    assert "no memory left" in bench.dock.run_bar.status.text()
    assert bench.dock.run_bar.start.isEnabled()


def test_closing_the_dock_stops_the_training_and_keeps_it(bench, engine):
    engine.steps, engine.step_s = 100_000, 0.001
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    bench.window.destroyOnClose()
    bench.until(RunState.STOPPED)
    assert len(engine.saved) == 1


def test_the_command_goes_to_the_clipboard(bench):
    from qtpy.QtGui import QGuiApplication

    bench.dock.train.copy.click()
    assert QGuiApplication.clipboard().text().startswith("napari-superres train")


def test_a_setting_out_of_range_is_told_before_anything_starts(bench):
    bench.dock.train.engine_form.dials["learning_rate"].value = "-1"
    bench.dock.run_bar.start.click()
    assert bench.session.fusion.runner.state is RunState.IDLE


def test_the_preset_sets_the_advanced_dials(bench):
    bench.dock.train.preset.value = "paper"
    assert bench.dock.train.settings().engine.loss == "wasserstein"


def test_both_themes_can_be_drawn(bench):
    bench.trained()
    for theme in ("light", "dark"):
        bench.viewer.theme = theme
    assert bench.dock.monitor.fractions._pens


def test_closing_the_viewer_mid_step_stops_and_keeps(
    make_napari_viewer, engine, example, qtbot, tmp_path
):
    engine.steps, engine.step_s = 100_000, 0.001
    bench = Bench(make_napari_viewer(), engine, example, qtbot, tmp_path)
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    bench.viewer.close()
    bench.until(RunState.STOPPED)
    assert len(engine.saved) == 1


def test_the_panel_dies_with_its_viewer(make_napari_viewer, engine, example, qtbot, tmp_path):
    bench = Bench(make_napari_viewer(), engine, example, qtbot, tmp_path)
    bench.trained()
    dead = weakref.ref(bench.dock)
    bench.viewer.close()
    del bench
    qtbot.waitUntil(lambda: gc.collect() >= 0 and dead() is None, timeout=5000)


def test_the_demo_goes_through_all_stages_by_itself(bench, example, monkeypatch, tmp_path):
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets import demo

    settings = bench.dock.train.settings()
    shown = Example(example.pair, None, settings)
    monkeypatch.setattr(demo, "prepare", lambda plan: shown)
    monkeypatch.setattr(demo, "judge", lambda *arguments: {})
    monkeypatch.setattr(demo, "verdict", lambda numbers: "all is well")
    driver = demo.DemoDriver(bench.dock, DemoPlan(tmp_path, minutes=0.1))
    with bench.qtbot.waitSignal(driver.finished, timeout=15000) as done:
        driver.start()
    assert done.args == ["all is well"]
    assert (tmp_path / "super-res.tif").exists()
    assert bench.dock.train.run_folder == tmp_path / "run"


def test_a_demo_that_fails_says_so(bench, monkeypatch, tmp_path):
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets import demo

    (tmp_path / "occupied").write_text("")
    driver = demo.DemoDriver(bench.dock, DemoPlan(tmp_path))
    with bench.qtbot.waitSignal(driver.finished, timeout=5000) as done:
        driver.start()
    assert "not empty" in str(done.args[0])


def test_after_the_demo_the_panel_is_the_user_s(bench, monkeypatch, tmp_path):
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets.demo import DemoDriver

    driver, ends = DemoDriver(bench.dock, DemoPlan(tmp_path)), []
    driver.finished.connect(ends.append)
    driver._end("all is well")
    bench.session.fusion.runner.failed.emit(OutputError("The disk is full."))
    bench.session.generation.runner.failed.emit(OutputError("The disk is full."))
    assert ends == ["all is well"]


def test_a_demo_stopped_before_anything_is_learnt_ends(bench, example, tmp_path):
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets.demo import DemoDriver

    driver, ends = DemoDriver(bench.dock, DemoPlan(tmp_path)), []
    driver.finished.connect(ends.append)
    driver.example = example
    bench.session.fusion.runner.state_changed.emit(RunState.STOPPED)
    assert "no trained run" in str(ends[0])


def test_a_demo_whose_panel_is_closed_does_not_go_on(bench, example, engine, tmp_path):
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets.demo import DemoDriver

    engine.steps, engine.step_s = 100_000, 0.001
    driver = DemoDriver(bench.dock, DemoPlan(tmp_path))
    driver.example = example
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    bench.viewer.window.remove_dock_widget(bench.dock)
    bench.until(RunState.STOPPED)
    assert bench.session.generation.runner.state is RunState.IDLE


def test_a_refused_start_keeps_the_run_before(bench, engine):
    bench.trained()
    before = bench.session.fusion.run
    engine.fail_at, engine.failure = 0, OutputError("The folder is not empty.")
    bench.dock.train.use_folder(before.folder)
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    assert bench.session.fusion.run is before
    assert "Not started" in bench.dock.run_bar.status.text()


def test_a_chosen_folder_stays_chosen_when_the_start_is_refused(bench, engine, tmp_path):
    bench.dock.train.use_folder(tmp_path / "mine")
    engine.fail_at, engine.failure = 0, OutputError("The folder is not empty.")
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    engine.fail_at = None
    bench.trained()
    assert bench.session.fusion.run.folder == tmp_path / "mine"


def test_the_next_run_gets_a_folder_of_its_own(bench, engine, tmp_path):
    bench.dock.train.use_folder(tmp_path / "mine")
    bench.trained()
    bench.dock.data.refresh()
    assert bench.dock.train.run_folder != tmp_path / "mine"
    (tmp_path / "half").mkdir()
    bench.dock.train.use_folder(tmp_path / "half")
    engine.fail_at = 0
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    (tmp_path / "half" / "config.json").touch()  # it failed after the folder was made
    bench.dock.data.refresh()
    assert bench.dock.train.run_folder != tmp_path / "half"


def test_a_run_of_another_version_is_told_in_one_line(bench, tmp_path):
    from napari.utils.notifications import notification_manager

    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.json").write_text('{"format_version": 99}')
    before = len(notification_manager.records)
    bench.session.fusion.open(tmp_path / "old")
    bench.qtbot.waitUntil(lambda: len(notification_manager.records) > before, timeout=8000)
    message = notification_manager.records[-1].message
    assert "format version 99" in message
    assert "\n" not in message


def test_the_advanced_settings_are_rows_of_one_form(bench):
    train = bench.dock.train
    rows = train.advanced.findChildren(QFormLayout)
    (form,) = [one for one in rows if one.labelForField(train.more.dials["blur_sd"].native)]
    assert form.labelForField(train.engine_form.dials["channels"].native).text() == "Channels"
