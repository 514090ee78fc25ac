"""Rectangles drawn in the viewer: whose they are, who is told, and in which voxels they count."""

import gc

import numpy as np
import pytest

from napari_superres.data.boxes import Box
from napari_superres.widgets.export.step import BOX_LAYER, ExportStep
from napari_superres.widgets.layers.box_drawing import REGION_LAYER, drawn_region, start_drawing
from napari_superres.widgets.layers.notes import KEY
from napari_superres.widgets.layers.placement import plain_placement
from napari_superres.widgets.measure.step import MeasureStep
from tests.widgets.bench import add_super_res

LABELS = np.random.default_rng(0).integers(0, 3, (16, 16, 16)).astype(np.uint8)
CORNERS = np.array([[2, 2], [2, 8], [8, 8], [8, 2]], float)
DRAWN = Box((0, 2, 2), (16, 9, 9))


def rectangle(ndim=3):
    return np.concatenate([np.zeros((4, ndim - 2)), CORNERS], axis=1)


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    add_super_res(viewer, LABELS, "made")
    return viewer


def docked(viewer, kind):
    step = kind(viewer)
    viewer.window.add_dock_widget(step, name=kind.title)
    return step


def test_a_panel_opened_anew_hears_of_the_layer_that_outlived_the_one_before(viewer, qtbot):
    first = docked(viewer, ExportStep)
    first.draw.click()
    viewer.window.remove_dock_widget(first)
    del first
    qtbot.wait(150)
    gc.collect()
    export = docked(viewer, ExportStep)
    export.draw.click()
    viewer.layers[BOX_LAYER].add_rectangles(rectangle())
    assert export.box == DRAWN


def test_the_box_is_that_of_the_layer_drawn_on_whatever_lies_above_it(viewer):
    export = docked(viewer, ExportStep)
    export.draw.click()
    viewer.add_shapes([rectangle() / 4], name="above", ndim=3)
    export.draw.click()
    viewer.layers[BOX_LAYER].add_rectangles(rectangle())
    assert export.box == DRAWN


def test_a_grid_of_patches_is_no_rectangle_to_measure_in(viewer):
    measure = docked(viewer, MeasureStep)
    measure.part.setCurrentIndex(1)
    viewer.add_shapes([rectangle()], name="mine", ndim=3)
    viewer.add_shapes([rectangle(2) / 4], name="patches of made", metadata={KEY: {}})
    viewer.layers.selection.active = viewer.layers["made"]
    assert measure.box_of(viewer.layers["made"]) == DRAWN


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_beside_time_steps_a_rectangle_still_counts_in_the_axes_of_the_volume(viewer, ndim):
    viewer.add_image(np.zeros((3, 16, 16, 16), np.uint8), name="in time")
    export, measure = docked(viewer, ExportStep), docked(viewer, MeasureStep)
    measure.part.setCurrentIndex(1)
    viewer.add_shapes([rectangle(ndim)], ndim=ndim)
    export.from_shape.click()
    assert export.box == DRAWN
    assert measure.box_of(viewer.layers["made"]) == DRAWN


def test_a_region_is_drawn_in_the_voxels_of_the_run_on_hand(viewer):
    told = []
    whole = Box.whole((16, 16, 16))

    class Panel:
        def take(self):
            told.append(drawn_region(viewer, whole, whole))

    panel = Panel()
    for size in (1.0, 2.0, 2.0):
        start_drawing(viewer, plain_placement((size,) * 3), panel.take)
        assert tuple(viewer.layers[REGION_LAYER].scale) == (size,) * 3
        viewer.layers[REGION_LAYER].add_rectangles(rectangle())
    assert told == [DRAWN] * 3
    assert len(viewer.layers[REGION_LAYER].data) == 2
