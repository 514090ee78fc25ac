"""The crop box is drawn on the volume that is exported, not on what lies over it."""

import numpy as np
import pytest

from napari_superres.widgets import export_step
from napari_superres.widgets.export_step import BOX_LAYER, ExportStep
from napari_superres.widgets.input_pickers import InputPickers
from napari_superres.widgets.input_roles import SUPER_RES
from napari_superres.widgets.layer_data import KEY
from napari_superres.widgets.samples import phase_layer
from tests.fakes import PHASES

LABELS = np.random.default_rng(0).integers(0, 3, (16, 16, 16)).astype(np.uint8)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    for seed in range(2):
        data, arguments, _ = phase_layer(LABELS, PHASES, f"seed {seed}", SUPER_RES)
        arguments["metadata"][KEY]["scale_factor"] = "4"
        viewer.add_labels(data, **arguments)
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

    monkeypatch.setattr(export_step, "write_export", gone)
    export.path.setText(str(tmp_path / "sr.tif"))
    export.export.click()
    assert not export.export.isEnabled()
    qtbot.waitUntil(export.export.isEnabled, timeout=10_000)
    assert "lazy.zarr" in export.status.text()
