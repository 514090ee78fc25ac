"""Ways of looking in the Compare step that somebody else undoes: nothing stays hidden."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_superres.widgets.compare.step import CompareStep
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.export.step import ExportStep
from napari_superres.widgets.jobs import job_row
from napari_superres.widgets.measure.step import MeasureStep
from napari_superres.widgets.run.session import Session
from tests.widgets.bench import add_super_res

LABELS = np.random.default_rng(0).integers(0, 3, (16, 16, 16)).astype(np.uint8)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    for seed in range(3):
        add_super_res(viewer, LABELS, f"seed {seed}")
    return viewer


@pytest.fixture
def compare(viewer):
    compare = CompareStep(viewer)
    viewer.window.add_dock_widget(compare, name="Compare")
    return compare


def hidden(viewer):
    return [layer.name for layer in viewer.layers if not layer.visible]


def swiped(compare, qtbot):
    compare.swipe.click()
    qtbot.waitUntil(lambda: compare.slider.isEnabled(), timeout=60_000)


def test_a_grid_of_no_volume_is_none(viewer, compare):
    compare.grid.click()
    compare.layers.choose([])
    assert not viewer.canvas.grid.enabled
    assert hidden(viewer) == []
    compare.layers.choose([viewer.layers["seed 0"], viewer.layers["seed 1"]])
    assert viewer.canvas.grid.enabled
    compare.grid.click()
    assert not viewer.canvas.grid.enabled
    assert hidden(viewer) == []


def test_a_swipe_whose_layer_is_deleted_ends(viewer, compare, qtbot):
    swiped(compare, qtbot)
    viewer.layers.remove("swipe: seed 0 | seed 1")
    assert not compare.swipe.isChecked()
    assert hidden(viewer) == []


def test_a_pair_left_while_it_was_read_is_not_shown(viewer, compare, qtbot, monkeypatch):
    shown, start = [], compare.swiper.start

    def watched(first, array, phases, name):
        shown.append(name)
        start(first, array, phases, name)

    monkeypatch.setattr(compare.swiper, "start", watched)
    compare.swipe.click()
    compare.second.choose(viewer.layers["seed 2"])
    assert not compare.swipe.isChecked()
    swiped(compare, qtbot)
    assert shown == ["swipe: seed 0 | seed 2"]
    compare.swipe.click()


def test_a_swipe_beside_time_steps_cuts_across_the_columns(viewer, compare, qtbot):
    viewer.add_image(np.zeros((3, 16, 16, 16), np.uint8), name="in time")
    swiped(compare, qtbot)
    compare.slider.setValue(250)
    assert (compare.swiper.array.axis, compare.swiper.array.cut) == (2, 4)
    compare.swipe.click()


@pytest.mark.parametrize(
    ("place", "told"),
    [({"translate": (5, 0, 0)}, 1), ({"scale": (2, 2, 2)}, 1), ({"translate": (0.1, 0, 0)}, 0)],
)
def test_maps_are_made_of_realisations_of_one_place_only(
    viewer, compare, qtbot, monkeypatch, place, told
):
    errors = []
    monkeypatch.setattr(job_row, "show_error", errors.append)
    for name, value in place.items():
        setattr(viewer.layers["seed 2"], name, value)
    compare.layers.choose(list(viewer.layers))
    compare.maps.button.click()
    qtbot.waitUntil(lambda: not compare.maps.active, timeout=60_000)
    assert ["do not lie in one place" in error for error in errors] == [True] * told
    assert ("agreement (%)" in viewer.layers) == (not told)


def test_the_finer_volume_gives_a_swipe_its_voxels_whatever_the_units(viewer, compare, qtbot):
    coarse = viewer.layers["seed 0"]
    for layer, scale, unit in ((coarse, 4, "um"), (viewer.layers["seed 1"], 1000, "nm")):
        layer.units, layer.scale = (unit,) * 3, (scale,) * 3
    viewer.layers.remove("seed 2")
    swiped(compare, qtbot)
    assert tuple(viewer.layers["swipe: seed 0 | seed 1"].scale) == (1000,) * 3
    compare.swipe.click()


def test_maps_of_one_place_may_tell_it_in_other_units(viewer, compare, qtbot):
    for layer, scale, unit in zip(viewer.layers, (1, 1, 1000), ("um", "um", "nm"), strict=True):
        layer.units, layer.scale = (unit,) * 3, (scale,) * 3
    compare.layers.choose(list(viewer.layers))
    compare.maps.button.click()
    qtbot.waitUntil(lambda: "agreement (%)" in viewer.layers, timeout=60_000)


def test_a_renamed_layer_is_offered_by_its_new_name(viewer, compare):
    export, measure = ExportStep(viewer), MeasureStep(viewer)
    export.layer.choose(viewer.layers["seed 1"])
    viewer.layers["seed 1"].name = "the second"
    offered = [compare.second, compare.spread.reference, export.layer, measure.reference]
    assert [combo.findText("the second") > 0 for combo in offered] == [True] * 4
    assert export.layer.currentText() == "the second"
    for ticks in (compare.layers, measure.layers):
        assert ticks.findItems("the second", Qt.MatchFlag.MatchExactly)


@pytest.mark.parametrize("way", ["grid", "blink", "swipe"])
def test_with_the_dock_goes_its_way_of_looking(viewer, qtbot, engine, way):
    dock = SuperResDock(viewer, Session(engine))
    viewer.window.add_dock_widget(dock, name="bench")
    viewer.layers["seed 2"].visible = False
    getattr(dock.compare, way).click()
    if way == "swipe":
        qtbot.waitUntil(dock.compare.slider.isEnabled, timeout=60_000)
    viewer.window.remove_dock_widget(dock)
    assert not viewer.canvas.grid.enabled
    assert not dock.compare.blinker.active
    assert hidden(viewer) == ["seed 2"]
    assert len(viewer.layers) == 3


def test_the_viewer_can_be_closed_with_a_grid_in_it(make_napari_viewer, engine):
    viewer = make_napari_viewer()
    for seed in range(2):
        add_super_res(viewer, LABELS, f"seed {seed}")
    dock = SuperResDock(viewer, Session(engine))
    viewer.window.add_dock_widget(dock, name="bench")
    dock.compare.grid.click()
    viewer.close()


def test_the_slices_that_a_person_chose_come_back_as_the_reference(viewer, compare):
    combo = compare.spread.reference
    combo.refill([], has_slices=True)
    combo.setCurrentIndex(combo.findText("high-res slices"))
    combo.activated.emit(combo.currentIndex())
    combo.refill([], has_slices=False)  # they are being read
    assert combo.currentText() == "nothing"
    combo.refill([], has_slices=True)
    assert combo.currentText() == "high-res slices"


def test_in_place_of_a_chosen_layer_that_is_gone_comes_the_usual_reference(viewer, compare):
    combo, layers = compare.spread.reference, list(viewer.layers)
    combo.choose(layers[1])
    combo.refill([layers[0], layers[2]], has_slices=True)
    assert combo.currentText() == "high-res slices"
