import numpy as np
import pytest
from hypothesis import given

from napari_superres.errors import ShapeError
from napari_superres.measures.kinds.fourier import fourier_profile, log_magnitude, planes
from tests.measures.materials import bernoulli, gaussian_field, labels, lamellae


def test_lamellae_peak_at_the_frequency_of_their_period():
    frequency, magnitude = fourier_profile([lamellae((64, 64), 4, 0)], 2)
    assert frequency[np.argmax(magnitude)] == pytest.approx(1 / 8)


def test_white_noise_has_the_same_magnitude_at_every_frequency_and_size():
    small = fourier_profile([bernoulli((64, 64), (0.5, 0.5), seed) for seed in range(8)], 2)
    large = fourier_profile([bernoulli((192, 128), (0.5, 0.5))], 2)
    assert np.ptp(small.magnitude[4:]) < 0.08
    assert np.nanmean(large.magnitude) == pytest.approx(small.magnitude.mean(), abs=0.02)


def test_enlarged_pixels_hold_no_detail_beyond_their_own_frequency():
    coarse = np.kron(bernoulli((32, 32), (0.5, 0.5)), np.ones((4, 4), np.uint8))
    frequency, magnitude = fourier_profile([coarse], 2)
    assert magnitude[frequency < 0.1].mean() > 0.8 + magnitude[frequency > 0.35].mean()


def test_frequencies_follow_the_pixel_size():
    image = bernoulli((40, 40), (0.5, 0.5))
    in_pixels, in_microns = fourier_profile([image], 2), fourier_profile([image], 2, (0.1, 0.1))
    assert in_microns.frequency == pytest.approx(in_pixels.frequency * 10)
    assert in_microns.magnitude == pytest.approx(in_pixels.magnitude - 1)


def test_coarse_and_fine_pixels_tell_the_same_of_what_both_resolve():
    fine = gaussian_field((256, 256), 12, 0.5, 0)
    one, other = (
        fourier_profile([fine[::step, ::step]], 2, (step, step)).magnitude[:5].mean()
        for step in (1, 4)
    )
    assert one == pytest.approx(other, abs=0.02)


def test_one_phase_alone_has_no_detail():
    assert np.isnan(log_magnitude(np.ones((8, 8), np.uint8), 3)).all()


def test_absent_phases_change_nothing():
    image = bernoulli((16, 16), (0.5, 0.5))
    assert np.array_equal(log_magnitude(image, 5), log_magnitude(image, 2))


def test_the_map_is_centred():
    spectrum = log_magnitude(lamellae((16, 16), 8, 0), 2)
    assert spectrum[8, 8] == pytest.approx(-2)
    assert spectrum[7, 8] == spectrum[9, 8] > 0


def test_a_single_pixel_and_a_single_row_have_a_profile():
    assert np.isnan(fourier_profile([np.zeros((1, 1), np.uint8)], 2).magnitude).all()
    assert fourier_profile([bernoulli((1, 16), (0.5, 0.5))], 2).magnitude.size == 1


def test_volumes_are_refused():
    with pytest.raises(ShapeError, match="3 axes"):
        log_magnitude(np.zeros((2, 2, 2), np.uint8), 1)


def test_planes_are_spread_over_the_volume():
    volume = np.broadcast_to(np.arange(9, dtype=np.uint8)[:, None, None], (9, 2, 2))
    assert [int(plane[0, 0]) for plane in planes(volume, 0, 3)] == [0, 4, 8]
    assert len(planes(volume, 1, 5)) == 2


@given(labels(min_side=3))
def test_mirrored_and_turned_images_have_the_same_profile(array):
    image = array if array.ndim == 2 else array[0]
    profile = fourier_profile([image], 3).magnitude
    np.testing.assert_allclose(fourier_profile([image.T], 3).magnitude, profile, atol=1e-4)
    np.testing.assert_allclose(fourier_profile([image[::-1]], 3).magnitude, profile, atol=1e-4)
