"""The panel in a viewer, driven as a person would, with a fake engine."""

import gc
import weakref

import numpy as np
import pytest
import tifffile

from napari_superres.data.examples import Example
from napari_superres.errors import OutOfMemoryError, OutputError
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.input_roles import SUPER_RES, role_of
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.samples import example_layers
from napari_superres.widgets.session import Session
from tests.fakes import PHASES
from tests.widgets.bench import Bench


def test_the_example_fills_the_data_step(bench):
    data = bench.dock.data
    assert data.scale_factor.text() == "4"
    assert data.low_size.text() == "0.4"
    assert data.phases.rowCount() == 3
    assert bench.dock.run_bar.start.isEnabled()


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
    bench.session.preview_ready.connect(lambda _event: bench.session.training.stop())
    bench.dock.run_bar.start.click()
    bench.until(RunState.STOPPED)
    assert "Stopped and kept" in bench.dock.run_bar.status.text()


def test_a_stopped_run_can_be_continued(bench):
    bench.trained()
    bench.dock.run_bar.middle.click()
    bench.until(RunState.COMPLETED)
    assert max(bench.session.history.losses["generator"].steps) > 100


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


def test_a_generated_volume_lies_over_the_low_res_layer(bench):
    layer = bench.generated()
    low = bench.dock.data.low_res.layer
    assert layer.data.shape == (48, 48, 48)
    np.testing.assert_allclose(layer.extent.world, _world(low, layer), atol=1e-6)
    assert tuple(str(unit) for unit in layer.units) == ("micrometer",) * 3
    assert tuple(layer.axis_labels) == ("z", "y", "x")


def _world(low, layer):
    corner = np.asarray(low.translate) - low.scale / 2 + np.asarray(layer.scale) / 2
    return [corner, corner + layer.scale * (np.array(layer.data.shape) - 1)]


def test_low_res_in_nm_and_high_res_in_um_are_aligned_in_nm(bench):
    low = bench.dock.data.low_res.layer
    low.scale, low.units = (400,) * 3, ("nm",) * 3
    assert bench.dock.data.refresh().scale_factor is not None
    layer = bench.generated()
    np.testing.assert_allclose(layer.scale, 100)
    np.testing.assert_allclose(layer.translate, -150)
    assert str(layer.units[0]) == "nanometer"


def test_unitless_layers_need_a_typed_scale_factor(bench):
    data = bench.dock.data
    for layer in [data.low_res.layer, *data.high_res_layers]:
        layer.units = ("pixel",) * layer.ndim
    data.scale_factor.setText("")
    data.refresh()
    assert not bench.dock.run_bar.start.isEnabled()
    data.scale_factor.setText("4")
    data.scale_factor.editingFinished.emit()
    assert bench.dock.run_bar.start.isEnabled()


def test_phases_keep_one_colour_in_all_layers(bench):
    layer = bench.generated()
    high = bench.dock.data.high_res_layers[0]
    for label in (1, 2, 3):
        np.testing.assert_allclose(layer.colormap.map(label), high.colormap.map(label))


def test_export_writes_the_box_without_its_border(bench, tmp_path, qtbot):
    bench.generated()
    export = bench.dock.export
    export.path.setText(str(tmp_path / "out.tif"))
    export.export.click()
    qtbot.waitUntil((tmp_path / "out.tif").exists, timeout=5000)
    with tifffile.TiffFile(tmp_path / "out.tif") as tif:
        array = tif.asarray()
        assert tif.imagej_metadata["spacing"] == pytest.approx(0.1)
    assert array.shape == (40, 40, 40)
    assert array.dtype == np.uint8
    assert set(np.unique(array)) == {phase.value for phase in PHASES}


def test_an_export_that_cannot_be_written_is_told(bench, tmp_path, qtbot):
    bench.generated()
    export = bench.dock.export
    export.path.setText(str(tmp_path / "no such folder" / "out.tif"))
    export.export.click()
    qtbot.waitUntil(lambda: "Not written" in export.status.text(), timeout=5000)


def test_a_rectangle_drawn_in_the_viewer_becomes_the_box(bench):
    layer = bench.generated()
    bench.dock.export.start_drawing()
    corners = [[20, 8, 12], [20, 8, 30], [20, 24, 30], [20, 24, 12]]
    bench.viewer.layers["crop box"].add_rectangles([corners])
    bench.dock.export.take_rectangle()
    assert bench.dock.export.box.start == (0, 8, 12)
    assert bench.dock.export.box.stop == (layer.data.shape[0], 25, 31)


def test_a_greyscale_layer_is_told_in_the_panel(bench):
    grey = bench.viewer.add_image(np.arange(64 * 64).reshape(64, 64) % 200, name="grey")
    bench.dock.data.high_res.choose([grey])
    assert "greyscale" in bench.dock.data.message.text()
    assert not bench.dock.run_bar.start.isEnabled()


def test_a_colour_image_is_told_in_the_panel(bench):
    photo = bench.viewer.add_image(np.zeros((64, 64, 3), np.uint8), rgb=True)
    bench.dock.data.high_res.choose([photo])
    assert "colour image" in bench.dock.data.message.text()


def test_int64_labels_train(bench):
    low = bench.viewer.add_labels(
        np.indices((12, 12, 12)).sum(0) % 2, scale=(0.4,) * 3, units=("um",) * 3
    )
    bench.dock.data.low_res.choose(low)
    bench.trained()
    assert bench.session.inputs.low_res.labels.dtype == np.uint8


def test_an_image_layer_is_coloured_by_phase(bench):
    values = np.zeros((64, 64), np.uint8)
    values[:32] = 255
    layer = bench.viewer.add_image(values, scale=(0.1, 0.1), units=("um",) * 2)
    bench.dock.data.high_res.choose([layer])
    colours = layer.colormap.map(np.array([0.0, 1.0]))
    assert not np.allclose(colours[0], colours[1])


def test_a_deleted_input_layer_empties_the_choice_but_not_the_run(bench, engine):
    engine.steps, engine.step_s = 100_000, 0.001
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    bench.viewer.layers.clear()
    assert bench.dock.data.inputs is None
    bench.dock.run_bar.stop.click()
    bench.until(RunState.STOPPED)
    layer = bench.dock.generate
    layer.generate.click()
    bench.qtbot.waitUntil(lambda: len(bench.viewer.layers) == 1, timeout=8000)


def test_closing_the_dock_stops_the_training_and_keeps_it(bench, engine):
    engine.steps, engine.step_s = 100_000, 0.001
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    bench.window.destroyOnClose()
    bench.until(RunState.STOPPED)
    assert len(engine.saved) == 1


def test_a_generation_can_be_cancelled(bench, engine):
    bench.trained()
    engine.step_s = 0.2
    bench.dock.generate.generate.click()
    bench.dock.generate.cancel.click()
    runner = bench.session.generation
    bench.qtbot.waitUntil(lambda: runner.state is RunState.STOPPED, timeout=8000)
    assert not any(role_of(layer) == SUPER_RES for layer in bench.viewer.layers)


def test_the_command_goes_to_the_clipboard(bench):
    from qtpy.QtGui import QGuiApplication

    bench.dock.train.copy.click()
    assert QGuiApplication.clipboard().text().startswith("napari-superres train")


def test_a_setting_out_of_range_is_told_before_anything_starts(bench):
    bench.dock.train.engine_form.dials["learning_rate"].value = "-1"
    bench.dock.run_bar.start.click()
    assert bench.session.training.state is RunState.IDLE


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
    from napari_superres.widgets import demo_driver

    settings = bench.dock.train.settings()
    shown = Example(example.low_res, example.high_res, None, settings)
    monkeypatch.setattr(demo_driver, "prepare", lambda plan: shown)
    monkeypatch.setattr(demo_driver, "judge", lambda *arguments: {})
    monkeypatch.setattr(demo_driver, "verdict", lambda numbers: "all is well")
    driver = demo_driver.DemoDriver(bench.dock, DemoPlan(tmp_path, minutes=0.1))
    with bench.qtbot.waitSignal(driver.finished, timeout=15000) as done:
        driver.start()
    assert done.args == ["all is well"]
    assert (tmp_path / "super-res.tif").exists()
    assert bench.dock.train.run_folder == tmp_path / "run"


def test_a_demo_that_fails_says_so(bench, monkeypatch, tmp_path):
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets import demo_driver

    (tmp_path / "occupied").write_text("")
    driver = demo_driver.DemoDriver(bench.dock, DemoPlan(tmp_path))
    with bench.qtbot.waitSignal(driver.finished, timeout=5000) as done:
        driver.start()
    assert "not empty" in str(done.args[0])


def test_a_phase_can_be_hidden_to_look_into_the_volume(bench):
    layer = bench.generated()
    bench.dock.generate.hidden.setCurrentIndex(1)
    assert layer.colormap.map(1)[3] == 0
    assert layer.colormap.map(2)[3] == 1


def test_own_files_open_with_their_voxel_sizes(bench, low_res, high_res, tmp_path):
    from napari_superres.data.tiff import write_labels_tiff

    size = {"voxel_size": (0.8,) * 3}
    write_labels_tiff(tmp_path / "v.tif", low_res.values, **size)
    tifffile.imwrite(tmp_path / "s.tif", high_res.sets[0][0])
    data = bench.dock.data
    data.open_row.open_volume(tmp_path / "v.tif")
    bench.qtbot.waitUntil(lambda: data.low_size.text() == "0.8", timeout=5000)
    data.open_row.open_slices([tmp_path / "s.tif"])
    bench.qtbot.waitUntil(lambda: data.high_res.layers[0].name == "s", timeout=5000)
    assert data.inputs.low_res_path == tmp_path / "v.tif"
    data.scale_factor.setText("4")
    data.scale_factor.editingFinished.emit()
    assert data.high_size.text() == "0.2"


@pytest.mark.parametrize("content", [b"", b"II*\x00\x08\x00\x00\x00"])
def test_a_broken_file_is_told_in_one_line(bench, tmp_path, content):
    from napari.utils.notifications import notification_manager

    (tmp_path / "broken.tif").write_bytes(content)
    before = len(notification_manager.records)
    bench.dock.data.open_row.open_volume(tmp_path / "broken.tif")
    records = notification_manager.records
    bench.qtbot.waitUntil(lambda: len(records) > before, timeout=5000)
    assert "broken.tif" in records[-1].message
    assert "Traceback" not in records[-1].message


def test_layers_that_were_there_before_are_chosen(make_napari_viewer_proxy, example, engine, qtbot):
    viewer = make_napari_viewer_proxy()
    for data, arguments, _ in example_layers(example):
        viewer.add_labels(data, **arguments)
    viewer.add_labels(example.high_res.sets[0][0] + 1, name="another", scale=(0.1,) * 2, units="um")
    dock = SuperResDock(viewer, Session(engine))
    viewer.window.add_dock_widget(dock)
    qtbot.waitUntil(lambda: dock.session.ready, timeout=3000)
    assert [layer.name for layer in dock.data.high_res.layers] == ["high 1"]


def test_a_refused_start_keeps_the_run_before(bench, engine):
    bench.trained()
    before = bench.session.run
    engine.fail_at, engine.failure = 0, OutputError("The folder is not empty.")
    bench.dock.train.use_folder(before.folder)
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)
    assert bench.session.run is before
    assert "Not started" in bench.dock.run_bar.status.text()


def test_a_run_of_another_version_is_told_in_one_line(bench, tmp_path):
    from napari.utils.notifications import notification_manager

    from napari_superres.widgets.earlier_runs import open_run

    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.json").write_text('{"format_version": 99}')
    before = len(notification_manager.records)
    open_run(bench.session, tmp_path / "old")
    bench.qtbot.waitUntil(lambda: len(notification_manager.records) > before, timeout=8000)
    message = notification_manager.records[-1].message
    assert "format version 99" in message
    assert "\n" not in message
