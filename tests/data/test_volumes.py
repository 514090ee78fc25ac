import numpy as np
import pytest

from napari_superres.data import phases as phases_module
from napari_superres.data.phases import MAX_PHASES, phases_from_values, value_counts, values_of
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import NotSegmentedError, PhaseError, SettingsError, ShapeError


def cube(*values, dtype=np.uint8):
    return np.resize(np.array(values, dtype), (4, 5, 6))


def test_label_values_become_indices_and_come_back():
    volume = SegmentedVolume.from_labels(cube(0, 128, 255))
    assert volume.labels.dtype == np.uint8
    assert np.unique(volume.labels).tolist() == [0, 1, 2]
    assert np.array_equal(volume.values, cube(0, 128, 255))
    assert volume.shape == (4, 5, 6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float32, ">u2"])
def test_whole_numbers_of_any_type_are_labels(dtype):
    volume = SegmentedVolume.from_labels(cube(0, 7, dtype=dtype))
    assert [phase.value for phase in volume.phases] == [0, 7]


def test_a_mask_has_two_phases():
    assert len(SegmentedVolume.from_labels(cube(0, 1).astype(bool)).phases) == 2


def test_expected_phases_may_be_absent():
    phases = phases_from_values([0, 1, 2])
    volume = SegmentedVolume.from_labels(cube(0, 2), phases=phases)
    assert volume.phases == phases
    assert np.unique(volume.labels).tolist() == [0, 2]


def test_a_value_that_is_not_expected_is_refused():
    with pytest.raises(PhaseError, match=r"\[9\]"):
        SegmentedVolume.from_labels(cube(0, 9), phases=phases_from_values([0, 1]))


def test_greyscale_is_refused_with_the_number_of_values():
    with pytest.raises(NotSegmentedError, match="120 different values: a greyscale"):
        SegmentedVolume.from_labels(cube(*range(120)))


def test_as_many_phases_as_allowed_are_taken():
    values = np.resize(np.arange(MAX_PHASES, dtype=np.uint8), (4, 4, 4))
    assert len(SegmentedVolume.from_labels(values).phases) == MAX_PHASES


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_wide_types_are_checked_for_greyscale_too(dtype):
    with pytest.raises(NotSegmentedError, match="greyscale"):
        SegmentedVolume.from_labels(np.arange(4096, dtype=dtype).reshape(16, 16, 16))


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf])
def test_fractions_are_no_labels(bad):
    with pytest.raises(NotSegmentedError, match="values such as"):
        SegmentedVolume.from_labels(cube(0, bad, dtype=np.float32))


@pytest.mark.parametrize("values", [(-1, 1), (0, 256)])
def test_labels_beyond_a_byte_are_refused(values):
    with pytest.raises(PhaseError, match="between 0 and 255"):
        SegmentedVolume.from_labels(cube(*values, dtype=np.int16))


def test_text_is_no_label():
    with pytest.raises(NotSegmentedError, match="type"):
        SegmentedVolume.from_labels(cube("a", "b", dtype=str))


@pytest.mark.parametrize("shape", [(8, 8), (2, 8, 8, 8), (8,)])
def test_a_volume_needs_three_axes(shape):
    with pytest.raises(ShapeError, match=f"{len(shape)} axes"):
        SegmentedVolume.from_labels(np.zeros(shape, np.uint8))


def test_an_empty_volume_is_refused():
    with pytest.raises(ShapeError, match="empty"):
        SegmentedVolume.from_labels(np.zeros((0, 4, 4), np.uint8))


@pytest.mark.parametrize("make", [SegmentedVolume.from_labels, None])
def test_colour_images_are_refused(make):
    picture = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(NotSegmentedError, match="colour"):
        make(picture) if make else SegmentedSlices.from_labels([[picture]])


def test_slices_share_their_phases():
    first, second = np.zeros((4, 6), np.uint8), np.full((5, 5), 2, np.uint8)
    slices = SegmentedSlices.from_labels([[first, second]])
    assert [phase.value for phase in slices.phases] == [0, 2]
    assert slices.sets[0][1].max() == 1
    assert np.array_equal(values_of(slices.sets[0][1], slices.phases), second)


def test_a_stack_counts_as_many_slices():
    slices = SegmentedSlices.from_labels([[np.zeros((3, 8, 9), np.uint8)]])
    assert [image.shape for image in slices.sets[0]] == [(8, 9)] * 3


def test_one_set_serves_all_axes_and_three_serve_one_each():
    flat = [np.full((4, 4), value, np.uint8) for value in range(3)]
    isotropic = SegmentedSlices.from_labels([flat])
    anisotropic = SegmentedSlices.from_labels([[image] for image in flat])
    assert isotropic.normal_to(2) is isotropic.sets[0]
    assert anisotropic.anisotropic
    assert [int(anisotropic.normal_to(axis)[0][0, 0]) for axis in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_other_numbers_of_sets_are_refused(count):
    with pytest.raises(ShapeError, match=f"{count} sets"):
        SegmentedSlices.from_labels([[np.zeros((4, 4), np.uint8)]] * count)


def test_an_empty_set_is_refused():
    with pytest.raises(ShapeError, match="no image"):
        SegmentedSlices.from_labels([[]])


def test_values_are_counted_in_parts(monkeypatch):
    monkeypatch.setattr(phases_module, "COUNTED_AT_ONCE", 7)
    values = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    assert np.array_equal(value_counts(values.T), np.bincount(values.ravel(), minlength=256))


@pytest.mark.parametrize("size", [0.0, -0.1, float("nan"), float("inf"), 1e-9])
def test_a_voxel_size_that_no_voxel_has_is_refused(size):
    with pytest.raises(SettingsError, match="voxel size of the CT"):
        SegmentedVolume.from_labels(cube(0, 1), (0.1, size, 0.1), name="the CT")
    with pytest.raises(SettingsError, match="from 1e-06 to 1e"):
        SegmentedSlices.from_labels([[cube(0, 1)[0]]], (size, 0.1, 0.1))
