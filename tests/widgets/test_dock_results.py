"""What the panel generates and exports, with a fake engine."""

import numpy as np
import pytest
import tifffile

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.notes import SUPER_RES, role_of
from tests.fakes import PHASES


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


def test_a_generation_can_be_cancelled(bench, engine):
    bench.trained()
    engine.step_s = 0.2
    bench.dock.generate.generate.click()
    bench.dock.generate.job.cancel.click()
    runner = bench.session.generation.runner
    bench.qtbot.waitUntil(lambda: runner.state is RunState.STOPPED, timeout=8000)
    assert not any(role_of(layer) == SUPER_RES for layer in bench.viewer.layers)


def test_a_phase_can_be_hidden_to_look_into_the_volume(bench):
    layer = bench.generated()
    bench.dock.generate.hidden.setCurrentIndex(1)
    assert layer.colormap.map(1)[3] == 0
    assert layer.colormap.map(2)[3] == 1
