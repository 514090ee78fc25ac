import numpy as np
import pytest

from napari_superres.data.patches import patches_of
from napari_superres.errors import ShapeError
from napari_superres.synthesis.settings import SynthesisSettings
from napari_superres.widgets.synthesis.patches import HELD_OUT_COLOUR, TRAINING_COLOUR, shapes_of
from napari_superres.widgets.synthesis.patches_plan import (
    MOST_DRAWN,
    outline,
    plan_patches,
    rectangles,
)


def settings(**values):
    return SynthesisSettings.model_validate({"size": 16, "held_out": 0.25, **values})


@pytest.mark.parametrize("border", ["drop", "shift", "mirror"])
@pytest.mark.parametrize("more", [{}, {"stride": 5}, {"overlap": 0.5}, {"count": 7}])
def test_as_many_patches_are_planned_as_are_cut(border, more):
    shapes = [(1, 70, 90), (2, 50, 40)]
    chosen = settings(border=border, **more)
    plan = plan_patches(shapes, chosen)
    images = [np.zeros(shape[1:], np.uint8) for shape in shapes for _ in range(shape[0])]
    training, held_out = patches_of(images, chosen.grid, chosen.held_out)
    assert (plan.training, plan.held_out) == (len(training), len(held_out))


def test_patches_at_random_are_drawn_where_they_are_cut():
    shapes, chosen = [(3, 70, 90), (1, 90, 70), (2, 70, 90)], settings(count=7, seed=5)
    plan = plan_patches(shapes, chosen)
    images = [np.zeros(shape[1:], np.uint8) for shape in shapes for _ in range(shape[0])]
    training, held_out = patches_of(images, chosen.grid, chosen.held_out, chosen.seed)
    for layer, first in zip(plan.layers, (0, 3, 4), strict=True):
        for region, drawn, cut in (
            (layer.learn, layer.drawn, training),
            (layer.hold, layer.drawn_held_out, held_out),
        ):
            places = cut.places[cut.places[:, 0] == first, 1:]
            np.testing.assert_array_equal(drawn, np.add(places, (region.top, region.left)))


def test_a_dense_grid_is_drawn_in_part_with_its_corners():
    (layer,) = plan_patches([(1, 400, 600)], settings(stride=2)).layers
    assert len(layer.drawn) < 2 * MOST_DRAWN < layer.training
    assert layer.drawn.min() == 0
    assert layer.drawn.max(axis=0).tolist() == [400 - 16, 450 - 16]


def test_no_training_patch_touches_the_held_out_region():
    (layer,) = plan_patches([(1, 64, 100)], settings()).layers
    right = rectangles(layer.drawn, 16)[..., 1].max()
    assert layer.hold is not None
    assert right <= layer.hold.left - 0.5
    assert rectangles(layer.drawn_held_out, 16)[..., 1].min() == layer.hold.left - 0.5


def test_a_rectangle_covers_whole_pixels():
    (corners,) = rectangles(np.array([[2, 3]]), 4)
    assert corners.min(axis=0).tolist() == [1.5, 2.5]
    assert corners.max(axis=0).tolist() == [5.5, 6.5]


def test_the_two_sets_have_different_colours():
    (layer,) = plan_patches([(1, 64, 100)], settings()).layers
    data, edges, faces = shapes_of(layer, 16)
    assert len(data) == len(edges) == len(faces) == 2 + len(layer.drawn) + len(layer.drawn_held_out)
    assert {edge[:7] for edge in edges} == {TRAINING_COLOUR, HELD_OUT_COLOUR}
    np.testing.assert_array_equal(data[0], outline(layer.learn))


def test_the_plan_tells_counts_stride_and_overlap():
    text = plan_patches([(1, 1024, 3024)], settings(size=1024, stride=500, held_out=0)).describe()
    assert "5 patches of 1024 × 1024, stride 500 (51% overlap)" in text
    assert "none held out" in text


@pytest.mark.parametrize(("shape", "text"), [((1, 12, 90), "12 × "), ((1, 40, 24), "held-out")])
def test_images_that_are_too_small_are_refused(shape, text):
    with pytest.raises(ShapeError, match=text):
        plan_patches([shape], settings())
