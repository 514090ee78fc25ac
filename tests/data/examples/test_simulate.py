import numpy as np
import pytest

from napari_superres.config import ImagingModel
from napari_superres.data.examples import simulate
from napari_superres.data.examples.simulate import (
    down_sample_labels,
    low_res_shape,
    simulate_low_res,
)
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import PhaseError, ScaleFactorError, ShapeError
from napari_superres.scale_factor import parse_scale_factor

SAMPLED = ImagingModel.SAMPLED


def random_volume(shape=(16, 20, 24), phases=3, seed=0):
    labels = np.random.default_rng(seed).integers(0, phases, shape, dtype=np.uint8)
    return SegmentedVolume.from_labels(labels, (0.1, 0.1, 0.2), name="random")


def test_blocks_as_large_as_low_res_voxels_come_back():
    coarse = random_volume((4, 5, 6), phases=2).labels
    fine = SegmentedVolume.from_labels(np.kron(coarse, np.ones((4, 4, 4), np.uint8)))
    assert np.array_equal(simulate_low_res(fine, 4).labels, coarse)
    assert np.array_equal(simulate_low_res(fine, 4, imaging=SAMPLED).labels, coarse)


def test_voxel_size_and_shape_are_those_of_the_coarse_grid():
    low = simulate_low_res(random_volume(), (4, 2, 2))
    assert low.shape == (4, 10, 12)
    assert low.voxel_size == pytest.approx((0.4, 0.2, 0.4))


def test_merged_phases_disappear_and_the_others_keep_name_and_colour():
    volume = random_volume()
    low = simulate_low_res(volume, 4, {2: 0})
    assert low.phases == volume.phases[:2]


def test_values_may_be_new_in_low_res():
    low = simulate_low_res(random_volume(), 4, {0: 0, 1: 128, 2: 0})
    assert [phase.value for phase in low.phases] == [0, 128]


def test_merging_comes_before_the_most_probable_phase():
    column = np.array([0, 0, 1, 1, 1, 2, 2, 2], np.uint8)  # 1 and 2 together outweigh 0
    labels = np.broadcast_to(column[:, None, None], (8, 8, 8))
    volume = SegmentedVolume.from_labels(labels)
    assert simulate_low_res(volume, 8, {2: 1}).labels.item() == 1


def test_sampling_takes_the_voxel_at_the_centre_whatever_surrounds_it():
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[2, 2, 2] = 1
    volume = SegmentedVolume.from_labels(labels)
    assert simulate_low_res(volume, 4, imaging=SAMPLED).labels.item() == 1
    assert simulate_low_res(volume, 4).labels.item() == 0


def test_slabs_change_nothing(monkeypatch):
    volume = random_volume((40, 16, 16))
    whole = simulate_low_res(volume, 4)
    monkeypatch.setattr(simulate, "SLAB_BYTES", 1)
    assert np.array_equal(simulate_low_res(volume, 4).labels, whole.labels)


def test_ties_go_to_the_lowest_index():
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[2:] = 1  # half of the only low-res voxel is either
    result = down_sample_labels(
        labels, np.array([0, 1]), 2, (1, 1, 1), parse_scale_factor(4), ImagingModel.BLURRED
    )
    assert result.item() == 0


@pytest.mark.parametrize("factor", ["8/5", "5/4", "4/3"])
def test_fractional_scale_factors_drop_what_is_left_over(factor):
    low = simulate_low_res(random_volume((17, 18, 19)), factor)
    assert low.shape == low_res_shape((17, 18, 19), parse_scale_factor(factor))


def test_a_volume_smaller_than_a_voxel_is_refused():
    with pytest.raises(ShapeError, match="less than one low-res voxel"):
        simulate_low_res(random_volume((4, 4, 4)), 8)


def test_a_map_of_values_that_are_not_there_is_refused():
    with pytest.raises(PhaseError, match="names high-res"):
        simulate_low_res(random_volume(), 4, {7: 0})


def test_no_scale_factor_is_refused():
    with pytest.raises(ScaleFactorError):
        simulate_low_res(random_volume(), "four")
