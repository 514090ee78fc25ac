import numpy as np
import pytest

from napari_superres.errors import SettingsError
from napari_superres.measures.kinds.representativity import representativity
from tests.measures.materials import bernoulli, discs, gaussian_field

MATERIALS = {
    "fine field": (gaussian_field, 4, 0.5),
    "coarse field": (gaussian_field, 10, 0.3),
    "dilute discs": (discs, 9, 0.1),
    "crowded discs": (discs, 14, 0.6),
}


def test_the_interval_holds_the_truth_in_93_to_97_of_100_slices():
    held = []
    for make, length, fraction in MATERIALS.values():
        for seed in range(50):
            found = representativity([make((192, 192), length, fraction, seed)], [1])
            held.append(found.low <= fraction <= found.high)
    assert len(held) == 200
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_integral_range_of_independent_voxels_is_one():
    found = representativity([bernoulli((256, 256), (0.7, 0.3))], [1])
    assert found.integral_range == pytest.approx(1, abs=0.1)
    assert found.sd == pytest.approx(np.sqrt(0.21) / 256, rel=0.1)


def test_coarser_features_have_a_longer_range_and_fewer_samples():
    fine = representativity([gaussian_field((256, 256), 3, 0.4, 0)], [1])
    coarse = representativity([gaussian_field((256, 256), 9, 0.4, 0)], [1])
    assert coarse.integral_range == pytest.approx(3 * fine.integral_range, rel=0.3)
    assert coarse.samples < fine.samples / 4


def test_a_higher_confidence_widens_the_interval_and_more_slices_narrow_it():
    slices = [gaussian_field((128, 128), 6, 0.4, seed) for seed in range(4)]
    one = representativity(slices[:1], [1])
    assert representativity(slices[:1], [1], 0.99).error > one.error
    assert representativity(slices, [1]).error < 0.75 * one.error


def test_the_images_needed_follow_the_square_of_the_error():
    found = representativity([gaussian_field((128, 128), 6, 0.4, 0)], [1])
    assert found.images_needed(0.01) == pytest.approx(4 * found.images_needed(0.02))
    assert found.images_needed(1.96 * found.sd) == pytest.approx(1, rel=1e-3)


def test_a_phase_and_the_rest_have_mirrored_intervals():
    image = gaussian_field((128, 128), 6, 0.2, 0)
    one, rest = representativity([image], [1]), representativity([image], [0])
    assert (rest.low, rest.high) == pytest.approx((1 - one.high, 1 - one.low))


def test_a_rare_phase_keeps_an_interval_above_zero():
    image = np.zeros((64, 64), np.uint8)
    image[30:36, 30:36] = 1
    found = representativity([image], [1])
    assert 0 < found.low < found.fraction < found.high < 1


def test_an_absent_phase_has_no_interval():
    found = representativity([np.zeros((8, 8), np.uint8)], [1])
    assert found.fraction == 0
    assert np.isnan([found.low, found.high, found.sd]).all()


def test_a_phase_outside_of_the_part_looked_at_has_no_interval():
    volume = np.zeros((100, 100, 100), np.uint8)
    volume[0, 0, 0] = 1
    found = representativity([volume], [1])
    assert found.fraction == 1e-6
    assert np.isnan([found.low, found.high, found.samples]).all()


def test_volumes_are_measured_like_slices():
    found = representativity([bernoulli((40, 40, 40), (0.5, 0.5))], [1])
    assert found.low < 0.5 < found.high
    assert found.integral_range == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(SettingsError, match="confidence"):
        representativity([np.zeros((8, 8), np.uint8)], [0], confidence)
