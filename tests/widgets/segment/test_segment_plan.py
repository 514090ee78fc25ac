import threading

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_superres.data.grey import NO_SMOOTHING, GreySample
from napari_superres.errors import NotSegmentedError, OutOfMemoryError, ShapeError
from napari_superres.events import FinishReason
from napari_superres.widgets.layers.data import volume_from_layer
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES
from napari_superres.widgets.layers.scale import layer_voxel_size
from napari_superres.widgets.layers.shown import shown_layer
from napari_superres.widgets.segment import plan


def grey(shape=(20, 18, 16), **arguments):
    values = np.random.default_rng(0).integers(0, 2, shape) * 100 + 50
    return Image(values.astype(np.uint8), name="ct", **arguments)


def segmented(image, thresholds=(100,)):
    *_, last = plan.segment_events(image, thresholds, NO_SMOOTHING, threading.Event())
    return last.result


def as_layer(image, done):
    phases = plan.class_phases(done.classes)
    data, arguments, _ = shown_layer(done.labels, phases, "seg", LOW_RES, image.placement.arguments)
    return Labels(data, **arguments)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_the_labels_lie_where_the_grey_values_lie():
    layer = grey(scale=(400, 300, 200), units=("nm",) * 3, translate=(5, 6, 7), rotate=(10, 0, 0))
    image = plan.grey_image(layer)
    result = as_layer(image, segmented(image))
    np.testing.assert_allclose(result.extent.world, layer.extent.world)
    np.testing.assert_allclose(result.data_to_world((3, 4, 5)), layer.data_to_world((3, 4, 5)))
    assert result.units == layer.units
    assert tuple(result.axis_labels) == ("z", "y", "x")
    assert layer_voxel_size(result) == pytest.approx((0.4, 0.3, 0.2))


def test_the_result_is_read_as_a_segmented_volume():
    layer = grey()
    image = plan.grey_image(layer)
    volume = volume_from_layer(as_layer(image, segmented(image)))
    np.testing.assert_array_equal(volume.labels, layer.data > 100)
    assert [phase.name for phase in volume.phases] == ["dark", "bright"]


def test_a_cancelled_segmentation_gives_nothing():
    stop = threading.Event()
    stop.set()
    *_, last = plan.segment_events(plan.grey_image(grey()), (100,), NO_SMOOTHING, stop)
    assert (last.reason, last.result) == (FinishReason.STOPPED, None)


def test_labels_without_room_in_memory_are_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(plan.psutil, "virtual_memory", lambda: type("M", (), {"available": 10}))
    with pytest.raises(OutOfMemoryError, match="Crop the image"):
        segmented(plan.grey_image(grey()))


def test_colours_are_refused_and_how_to_split_them_is_told():
    photo = Image(np.zeros((32, 32, 3), np.uint8), rgb=True, name="photo")
    with pytest.raises(NotSegmentedError, match="Split RGB"):
        plan.grey_image(photo)


def test_channels_and_time_steps_are_refused_and_how_to_split_them_is_told():
    with pytest.raises(ShapeError, match="Split Stack"):
        plan.grey_image(grey((4, 9, 9, 9)))


@pytest.mark.parametrize(
    ("order", "axes", "sliced"), [((0, 1, 2), 3, 0), ((2, 0, 1), 3, 2), ((0, 2, 1, 3), 3, 1)]
)
def test_the_slider_moves_along_the_first_axis_that_the_layer_has(order, axes, sliced):
    assert plan.sliced_axis(order, len(order), axes) == sliced


@pytest.mark.parametrize("axis", range(3))
def test_a_plane_lies_where_it_was_taken(axis):
    layer = grey(scale=(4, 3, 2), translate=(5, 6, 7), units=("um",) * 3)
    plane = plan.plane_of(plan.grey_image(layer), axis, 9, NO_SMOOTHING, (100,))
    laid = Labels(plane.labels, **plan.plane_placed(plane))
    there = [3, 3, 3]
    there[axis] = 9
    here = list(there)
    here[axis] = 0
    np.testing.assert_allclose(laid.data_to_world(here), layer.data_to_world(there))
    assert plane.labels[tuple(here)] == 1 + (layer.data[tuple(there)] > 100)


def test_thin_stacks_and_images_are_taken_for_slices():
    assert plan.likely_role((64, 64, 64)) == LOW_RES
    assert plan.likely_role((5, 64, 64)) == plan.likely_role((64, 64)) == HIGH_RES


def test_a_moved_threshold_pushes_the_others():
    assert plan.moved((50, 100, 150), 0, 120.7, whole=True) == (120, 121, 150)
    assert plan.moved((50, 100, 150), 2, 20, whole=True) == (18, 19, 20)
    low, high = plan.moved((0.1, 0.2), 0, 0.3, whole=False)
    assert low == 0.3 < high


def test_what_is_only_a_sample_is_said_to_be_one():
    values = np.arange(3_000_000)
    assert plan.sample_line(GreySample(values, len(values))) == ""
    line = plan.sample_line(GreySample(values, 120_000_000))
    assert line == "Estimated from 3 million of 120 million voxels."


def test_a_class_without_voxels_is_told():
    assert plan.empty_line((0.5, 0.5)) == ""
    assert "No voxel is bright" in plan.empty_line((0.4, 0.6, 0.0))


def test_thresholds_come_even_where_otsu_finds_none():
    sample = GreySample(np.array([0, 0, 90, 90]), 4)
    assert plan.first_thresholds(sample, 3) == (30, 60)


@pytest.mark.parametrize(
    ("low", "high", "whole", "digits"), [(0, 255, True, 0), (0, 1, False, 3), (-1e3, 1e3, False, 0)]
)
def test_fields_have_the_digits_that_the_grey_values_need(low, high, whole, digits):
    assert plan.digits_for(low, high, whole)[0] == digits


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_the_histogram_of_sorted_values_is_that_of_numpy(kind):
    values = np.sort(np.random.default_rng(0).normal(3000, 900, 5000)).clip(0).astype(kind)
    counts, edges = GreySample(values, len(values)).histogram()
    expected, _ = np.histogram(np.clip(values.astype(float), edges[0], edges[-1]), edges)
    np.testing.assert_array_equal(counts, expected)
