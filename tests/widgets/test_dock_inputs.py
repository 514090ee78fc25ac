"""Layers and files as inputs of the panel, with a fake engine."""

import numpy as np
import pytest
import tifffile

from napari_superres.widgets.data.examples import example_layers
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.run.session import Session


def test_the_example_fills_the_data_step(bench):
    data = bench.dock.data
    assert data.scale_factor.text() == "4"
    assert data.low_size.text() == "0.4"
    assert data.phases.rowCount() == 3
    assert bench.dock.run_bar.start.isEnabled()


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
    assert bench.session.fusion.inputs.pair.low_res.labels.dtype == np.uint8


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


def test_own_files_open_with_their_voxel_sizes(bench, low_res, high_res, tmp_path):
    from napari_superres.data.files.tiff import write_labels_tiff

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
    viewer.add_labels(
        example.pair.high_res.sets[0][0] + 1, name="another", scale=(0.1,) * 2, units="um"
    )
    dock = SuperResDock(viewer, Session(engine))
    viewer.window.add_dock_widget(dock)
    qtbot.waitUntil(lambda: dock.session.fusion.ready, timeout=3000)
    assert [layer.name for layer in dock.data.high_res.layers] == ["high 1"]


def test_a_volume_smaller_than_a_crop_is_told_until_the_crop_is_made_smaller(bench):
    checks = bench.dock.data.checks
    bench.dock.train.engine_form.dials["crop"].value = 64
    bench.qtbot.waitUntil(lambda: "A training crop has" in checks.text(), timeout=20_000)
    assert "smaller crop" in checks.text()
    bench.dock.train.engine_form.dials["crop"].value = 32
    bench.qtbot.waitUntil(lambda: "<table>" in checks.text(), timeout=20_000)
    assert "A training crop has" not in checks.text()


GREY = np.arange(12**3).reshape((12,) * 3) % 200
FAULTS = {
    "grey": (GREY, "greyscale", "phases", "Segment it"),
    "broken numbers": (GREY / 7, "holds values such as", "Integer", "Segment it"),
    "colours": (np.zeros((64, 64, 3), np.uint8), "colour image", "one label", "Segment it"),
    "2D": (np.eye(12, dtype=np.uint8), "2 axes", "three axes", "Load the whole stack"),
    "time steps": (np.zeros((3, 9, 9, 9), np.uint8), "4 axes", "One volume", "Split Stack"),
    "channels": (np.zeros((24, 24, 4), np.uint8), "like a colour", "z, y, x", "Segment it"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_layer_that_is_no_low_res_volume_is_told_with_what_to_do(bench, fault):
    data, *parts = FAULTS[fault]
    layer = bench.viewer.add_image(data, name="wrong", rgb=fault == "colours")
    bench.dock.data.low_res.choose(layer)
    told = bench.dock.data.message.text()
    assert told.startswith("<b>Not usable yet.</b> wrong")
    assert [part for part in parts if part not in told] == []
    assert not bench.dock.run_bar.start.isEnabled()
    assert parts[0] in bench.dock.run_bar.start.toolTip()


def test_a_low_res_phase_without_high_res_ones_is_told_where_to_mend_it(bench):
    data = bench.dock.data
    for row in range(3):
        data.phases.cellWidget(row, 4).setCurrentIndex(0)
    told = data.message.text()
    assert "No high-res phase belongs to low-res (1)" in told
    assert "Belongs to" in told
    assert "--phase-map" not in bench.dock.run_bar.start.toolTip()


def test_voxel_sizes_that_make_no_scale_factor_are_told(bench):
    data = bench.dock.data
    data.low_size.setText("0.05")
    data.low_size.editingFinished.emit()
    assert "outside 1 to 16" in data.message.text()
    assert "swapped" in bench.dock.run_bar.start.toolTip()


def test_one_layer_cannot_be_low_res_and_a_slice_of_an_anisotropic_material(bench):
    data = bench.dock.data
    data.anisotropic.setChecked(True)
    data.axes.choose([bench.viewer.layers[0]] * 3)
    assert "chosen as low-res and as high-res" in data.message.text()
