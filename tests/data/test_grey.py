import numpy as np
import pytest

from napari_superres.data.grey import (
    GreySample,
    Smoothing,
    check_thresholds,
    classify,
    grey_sample,
    multi_otsu,
    segment_slabs,
    smoothed_part,
)
from napari_superres.errors import NotSegmentedError, SettingsError, ShapeError

LEVELS = np.array([40, 120, 200])


def three_phases(shape=(24, 20, 18), noise=8, seed=0):
    """Return grey values of three phases, and which phase each voxel is."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, shape)
    return (LEVELS[truth] + random.normal(0, noise, shape)).round().astype(np.uint8), truth


def whole(array, thresholds, **options):
    *_, (progress, labels) = segment_slabs(array, thresholds, **options)
    assert progress == 1
    return labels


def test_multi_otsu_finds_the_phases_again():
    grey, truth = three_phases()
    thresholds = multi_otsu(grey_sample(grey), 3)
    assert 60 < thresholds[0] < 100 < 140 < thresholds[1] < 180
    assert (whole(grey, thresholds) == truth).mean() > 0.999


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.float32])
def test_the_kind_of_number_does_not_matter(dtype):
    grey, truth = three_phases()
    stretched = grey.astype(dtype) * 100 - (0 if dtype == np.uint16 else 5000)
    thresholds = multi_otsu(grey_sample(stretched), 3)
    assert (whole(stretched, thresholds) == truth).mean() > 0.999


def test_a_threshold_belongs_to_the_darker_class():
    assert classify(np.array([9, 10, 11]), [10]).tolist() == [0, 0, 1]
    assert multi_otsu(grey_sample(np.array([[3, 3], [4, 9]])), 3) == (3, 4)


@pytest.mark.parametrize("classes", range(2, 7))
def test_as_many_thresholds_come_as_are_asked_for(classes):
    thresholds = multi_otsu(grey_sample(three_phases(noise=20)[0]), classes)
    assert len(thresholds) == classes - 1
    check_thresholds(thresholds)


def test_a_few_burnt_voxels_do_not_move_the_thresholds():
    grey = three_phases()[0].astype(np.uint16)
    before = multi_otsu(grey_sample(grey), 3)
    grey[0, 0, :3] = 65535
    assert multi_otsu(grey_sample(grey), 3) == pytest.approx(before, abs=3)


def test_more_classes_than_grey_values_are_refused():
    with pytest.raises(SettingsError, match="only 2 different grey values"):
        multi_otsu(grey_sample(np.array([[0, 7], [7, 0]])), 3)
    with pytest.raises(SettingsError, match="2 to 6"):
        multi_otsu(grey_sample(three_phases()[0]), 9)


def test_shares_are_those_of_the_labels():
    grey, _ = three_phases()
    shares = grey_sample(grey).shares([80, 160])
    labels = whole(grey, [80, 160])
    assert shares == pytest.approx([(labels == k).mean() for k in range(3)])


@pytest.mark.parametrize("slices_alone", [False, True])
def test_smoothing_in_slabs_is_smoothing_of_the_whole(slices_alone):
    grey = three_phases(noise=30)[0]
    smoothing = Smoothing(1.2, slices_alone)
    at_once = whole(grey, [100], smoothing=smoothing)
    in_slabs = whole(grey, [100], smoothing=smoothing, slab_voxels=1000)
    np.testing.assert_array_equal(in_slabs, at_once)


@pytest.mark.parametrize("axis", range(3))
def test_a_plane_to_look_at_is_the_plane_of_the_result(axis):
    grey = three_phases(noise=30)[0]
    smoothing = Smoothing(0.8)
    plane = classify(smoothed_part(grey, axis, 7, 8, smoothing), [100], first=1)
    result = whole(grey, [100], smoothing=smoothing, first=1)
    np.testing.assert_array_equal(plane, result.take([7], axis))


def test_smoothing_takes_noise_away():
    flat = np.random.default_rng(0).normal(100, 20, (40, 40))
    assert whole(flat, [130], smoothing=Smoothing(2)).mean() < whole(flat, [130]).mean() / 5


def test_a_large_lazy_volume_is_only_sampled():
    da = pytest.importorskip("dask.array")
    grey, truth = three_phases((64, 40, 40))
    read = []

    def plane(block, block_info=None):
        if block_info:
            read.append(block_info[0]["chunk-location"][0])
        return block

    lazy = da.from_array(grey, chunks=(1, 40, 40)).map_blocks(plane, dtype=grey.dtype)
    read.clear()
    thresholds = multi_otsu(grey_sample(lazy, most=8 * 1600), 3)
    assert 0 < len(set(read)) <= 16
    assert (whole(lazy, thresholds) == truth).mean() > 0.999


def test_zarr_is_segmented_like_numpy(tmp_path):
    zarr = pytest.importorskip("zarr")
    grey = three_phases()[0]
    stored = zarr.create_array(tmp_path / "a.zarr", data=grey, chunks=(5, 20, 18))
    assert multi_otsu(grey_sample(stored), 3) == multi_otsu(grey_sample(grey), 3)
    np.testing.assert_array_equal(
        whole(stored, [80, 160], slab_voxels=3000), whole(grey, [80, 160])
    )


def test_images_are_segmented_too():
    grey, truth = three_phases((60, 50))
    labels = whole(grey, multi_otsu(grey_sample(grey), 3), slab_voxels=500)
    assert (labels == truth).mean() > 0.999


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        (np.full((4, 4), 7), NotSegmentedError, "grey value 7 everywhere"),
        (np.array([[1.0, np.nan]]), NotSegmentedError, "without a number"),
        (np.zeros((2, 3, 4, 5)), ShapeError, "Split Stack"),
        (np.zeros((4, 4), complex), NotSegmentedError, "complex128"),
        (np.zeros((0, 4)), ShapeError, "shape"),
    ],
)
def test_what_has_no_grey_values_is_refused(array, error, words):
    with pytest.raises(error, match=words):
        grey_sample(array)


@pytest.mark.parametrize("thresholds", [(), (5, 5), (9, 3), (1.0, np.inf)])
def test_thresholds_that_leave_a_class_nothing_are_refused(thresholds):
    with pytest.raises(SettingsError, match="higher than the one before"):
        whole(np.eye(4), thresholds)


def test_the_histogram_counts_every_value_of_the_sample():
    sample = GreySample(np.sort(np.random.default_rng(1).normal(size=5000)), 5000)
    counts, edges = sample.histogram(64)
    assert counts.sum() == 5000
    assert len(edges) == 65
