from dataclasses import replace

import numpy as np
import pytest

from napari_superres.config import ImagingModel, TrainingSettings
from napari_superres.data.phases import phases_from_values
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, ShapeError
from napari_superres.measures.kinds.mismatch import low_res_mismatch, mismatch_of
from napari_superres.scale_factor import parse_scale_factor
from tests.measures.materials import bernoulli

BINDER_IS_PORE = np.array([0, 1, 0])
FOUR = parse_scale_factor(4)


@pytest.fixture
def coarse():
    return bernoulli((6, 7, 8), (0.5, 0.5))


def enlarged(volume, factor):
    return np.kron(volume, np.ones((factor,) * 3, np.uint8))


@pytest.mark.parametrize("imaging", ImagingModel)
def test_enlarged_voxels_give_the_low_res_back(coarse, imaging):
    assert low_res_mismatch(enlarged(coarse, 4), coarse, BINDER_IS_PORE, FOUR, imaging) == 0


def test_binder_counts_as_the_phase_it_belongs_to(coarse):
    fine = np.where(enlarged(coarse, 4) == 0, 2, 1).astype(np.uint8)
    assert low_res_mismatch(fine, coarse, BINDER_IS_PORE, FOUR, ImagingModel.BLURRED) == 0


@pytest.mark.parametrize("imaging", ImagingModel)
def test_each_changed_voxel_counts_once(coarse, imaging):
    fine = enlarged(coarse, 4)
    fine[:4, :4, :4] ^= 1
    mismatch = low_res_mismatch(fine, coarse, BINDER_IS_PORE, FOUR, imaging)
    assert mismatch == pytest.approx(1 / coarse.size)


def test_a_one_sided_phase_may_appear_elsewhere_but_must_be_kept(coarse):
    def measure(fine):
        return low_res_mismatch(
            fine, coarse, np.array([0, 1]), FOUR, ImagingModel.SAMPLED, one_sided=(1,)
        )

    assert measure(np.ones((24, 28, 32), np.uint8)) == 0
    assert measure(np.zeros((24, 28, 32), np.uint8)) == np.mean(coarse == 1)


def test_a_phase_absent_from_both_volumes_changes_nothing():
    zeros = np.zeros((4, 4, 4), np.uint8)
    assert (
        low_res_mismatch(enlarged(zeros, 4), zeros, np.arange(5), FOUR, ImagingModel.BLURRED) == 0
    )


def test_slices_are_refused():
    with pytest.raises(ShapeError, match="2"):
        low_res_mismatch(
            np.zeros((8, 8), np.uint8),
            np.zeros((2, 2), np.uint8),
            np.array([0]),
            FOUR,
            ImagingModel.BLURRED,
        )


def pair(coarse):
    low = SegmentedVolume.from_labels(coarse)
    fine = SegmentedVolume.from_labels(enlarged(coarse, 4))
    settings = TrainingSettings(scale_factor=4, phase_map={0: 0, 1: 1})
    return low, fine, SegmentedSlices.from_labels([[fine.labels[0]]]), settings


def test_a_value_that_only_the_truth_has_needs_no_low_res_phase(coarse):
    low, fine, slices, settings = pair(coarse)
    three = phases_from_values([0, 1, 7])
    fine, slices = fine.with_phases(three), slices.with_phases(three)
    assert mismatch_of(low, slices, fine, settings) == 0
    fine.labels[0, 0, 0] = 2
    with pytest.raises(PhaseError, match=r"says nothing of high-res \(7\)"):
        mismatch_of(low, slices, fine, settings)


def test_a_volume_that_lacks_a_phase_of_the_slices_is_matched_by_value(coarse):
    low, _, slices, settings = pair(coarse)
    solid = SegmentedVolume.from_labels(np.ones((24, 28, 32), np.uint8))
    assert mismatch_of(low, slices, solid, settings) == np.mean(coarse == 0)


@pytest.mark.parametrize("offset", [(1, 0, 0), (0, 0, -1)])
def test_a_volume_that_is_not_inside_of_the_low_res_is_refused(coarse, offset):
    low, fine, slices, settings = pair(coarse)
    with pytest.raises(ShapeError, match="belong together"):
        mismatch_of(low, slices, fine, settings, offset)


def test_a_volume_smaller_than_a_low_res_voxel_is_refused(coarse):
    low, fine, slices, settings = pair(coarse)
    with pytest.raises(ShapeError, match="At least one voxel"):
        mismatch_of(low, slices, replace(fine, labels=fine.labels[:3]), settings)
