"""The crop box is drawn on the volume that is exported, not on what lies over it."""

import threading

import numpy as np
import pytest
from napari.layers import Labels

from napari_superres.data.boxes import Box
from napari_superres.widgets.data.pickers import InputPickers
from napari_superres.widgets.export import step
from napari_superres.widgets.export.plan import plan_export, write_export
from napari_superres.widgets.export.step import BOX_LAYER, ExportStep
from napari_superres.widgets.layers.files import PLACED, SCALE_FACTOR, read_result
from napari_superres.widgets.layers.notes import KEY, SUPER_RES
from napari_superres.widgets.layers.shown import phase_layer
from tests.fakes import PHASES
from tests.widgets.bench import add_super_res

LABELS = np.random.default_rng(0).integers(0, 3, (16, 16, 16)).astype(np.uint8)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    for seed in range(2):
        add_super_res(viewer, LABELS, f"seed {seed}")
    for name in ("agreement (%)", "entropy (%)"):
        note = {KEY: {"map": name, "role": ""}}
        viewer.add_image(LABELS, name=name, metadata=note, visible=name.startswith("a"))
    viewer.add_image(LABELS, name="tomogram", opacity=0.5)
    return viewer


@pytest.fixture
def export(viewer):
    export = ExportStep(viewer)
    viewer.window.add_dock_widget(export, name="Export")
    export.layer.choose(viewer.layers["seed 0"])
    return export


def shown(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


BEFORE = ["seed 0", "seed 1", "agreement (%)", "tomogram"]


def test_what_covers_the_volume_is_hidden_while_its_box_is_drawn(viewer, export):
    assert shown(viewer) == BEFORE
    export.draw.click()
    assert shown(viewer) == ["seed 0", "tomogram", BOX_LAYER]


def test_it_comes_back_once_another_layer_is_selected(viewer, export):
    export.draw.click()
    viewer.layers.selection.active = viewer.layers["tomogram"]
    assert shown(viewer) == [*BEFORE, BOX_LAYER]
    viewer.layers.selection.active = viewer.layers[BOX_LAYER]
    assert shown(viewer) == ["seed 0", "tomogram", BOX_LAYER]


def test_it_comes_back_with_the_box_gone_or_the_step_left(viewer, export):
    export.draw.click()
    viewer.layers.remove(BOX_LAYER)
    assert shown(viewer) == BEFORE
    export.draw.click()
    export.hide()
    assert shown(viewer) == [*BEFORE, BOX_LAYER]


def test_the_volume_chosen_meanwhile_is_the_one_in_sight(viewer, export):
    export.draw.click()
    export.layer.setCurrentIndex(export.layer.findText("seed 1"))
    assert shown(viewer) == ["seed 1", "tomogram", BOX_LAYER]


def test_a_map_that_was_hidden_or_removed_meanwhile_stays_so(viewer, export):
    export.draw.click()
    viewer.layers.remove("agreement (%)")
    viewer.layers.selection.active = viewer.layers["tomogram"]
    assert shown(viewer) == ["seed 0", "seed 1", "tomogram", BOX_LAYER]


def test_a_hidden_volume_is_seen_while_its_box_is_drawn_and_is_hidden_again_after(viewer, export):
    viewer.layers["seed 0"].visible = False
    export.draw.click()
    assert shown(viewer) == ["seed 0", "tomogram", BOX_LAYER]
    viewer.layers.selection.active = viewer.layers["tomogram"]
    assert shown(viewer) == ["seed 1", "agreement (%)", "tomogram", BOX_LAYER]


def test_maps_are_not_offered_as_inputs(viewer):
    pickers = InputPickers(viewer)
    pickers.refill()
    offered = [pickers.high_res.item(row).text() for row in range(pickers.high_res.count())]
    assert offered == ["tomogram", "seed 1", "seed 0"]


def test_an_export_that_ends_with_any_error_says_so_and_can_be_tried_again(
    export, qtbot, tmp_path, monkeypatch
):
    def gone(plan, target):
        raise FileNotFoundError(2, "No such file or directory", "lazy.zarr")

    monkeypatch.setattr(step, "write_export", gone)
    export.path.setText(str(tmp_path / "sr.tif"))
    export.export.click()
    assert not export.export.isEnabled()
    qtbot.waitUntil(export.export.isEnabled, timeout=10_000)
    assert "lazy.zarr" in export.status.text()


TURNED = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def test_while_a_file_is_written_no_second_one_is_begun(export, qtbot, tmp_path, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(step, "write_export", lambda plan, path: go_on.wait(60) and path)
    export.path.setText(str(tmp_path / "sr.tif"))
    export.export.click()
    export.border.toggle()
    assert not export.export.isEnabled()
    go_on.set()
    qtbot.waitUntil(export.export.isEnabled, timeout=60_000)


def made(**more):
    data, arguments, _ = phase_layer(LABELS, PHASES, "made", SUPER_RES, **more)
    return Labels(data, **arguments)


@pytest.mark.parametrize(
    "place",
    [
        {"translate": (1, 2, 3)},
        {"translate": (1, 2, 3), "affine": np.diag([2.0, 2, 2, 1]) + np.eye(4, k=3)},
        {"translate": (1, 2, 3), "rotate": TURNED},
    ],
)
def test_the_offset_in_the_file_is_where_the_first_voxel_lies(place):
    layer = made(scale=(100,) * 3, units=("nm",) * 3, **place)
    plan = plan_export(layer, Box((2, 4, 6), (8, 8, 8)), None, "imagej")
    np.testing.assert_allclose(plan.offset, np.array(layer.data_to_world((2, 4, 6))) / 1000)


def test_a_part_of_a_volume_without_lengths_opens_where_it_was(tmp_path):
    layer = made(scale=(0.25,) * 3, translate=(1, 1, 1))
    layer.metadata[KEY]["provenance"] = {SCALE_FACTOR: "4", PLACED: "9,9,9,9,9,9"}
    plan = plan_export(layer, Box((2, 4, 8), (8, 8, 12)), None, "imagej")
    data, arguments, _ = read_result(write_export(plan, tmp_path / "part"))
    assert data.shape == (6, 4, 4)
    assert arguments["scale"] == (0.25,) * 3
    assert arguments["translate"] == (1.5, 2, 3)


def test_layers_that_the_box_did_not_hide_are_left_alone(bench):
    layer, seen = bench.viewer.layers[0], []
    layer.events.visible.connect(seen.append)
    bench.dock.export.hidden_layers.refresh()
    assert not seen
