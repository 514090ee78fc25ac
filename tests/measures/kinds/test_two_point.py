import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.measures.kinds import two_point as module
from napari_superres.measures.kinds.two_point import correlation_length, two_point
from tests.measures.materials import bernoulli, checkerboard, labels, lamellae


def by_hand(array, n_phases, max_distance, axis):
    lines = np.moveaxis(array, axis, -1)
    result = np.full((n_phases, n_phases, max_distance + 1), np.nan)
    for d in range(min(max_distance, lines.shape[-1] - 1) + 1):
        x, y = lines[..., : lines.shape[-1] - d], lines[..., d:]
        for a in range(n_phases):
            for b in range(n_phases):
                result[a, b, d] = np.mean((x == a) & (y == b))
    return result


@given(labels(), st.integers(1, 4))
def test_the_transform_counts_what_shifting_counts(array, n_more):
    n_phases = 2 + n_more
    found = two_point(array, n_phases, max_distance=8)
    expected = np.stack([by_hand(array, n_phases, 8, axis) for axis in range(array.ndim)])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_bernoulli_field_is_uncorrelated_beyond_its_voxel():
    p = np.array([0.2, 0.3, 0.5])
    found = two_point(bernoulli((64, 64, 64), tuple(p)), 3, max_distance=20)
    assert found[:, :, :, 0] == pytest.approx(np.broadcast_to(np.diag(p), (3, 3, 3)), abs=0.003)
    assert np.abs(found[..., 1:] - np.outer(p, p)[:, :, None]).max() < 0.005


def test_periodic_lamellae_come_back_after_their_period():
    found = two_point(lamellae((12, 5, 5), 3, axis=0), 2, max_distance=12, periodic=True)
    assert found[0, 0, 0] == pytest.approx([1 / 2, 1 / 3, 1 / 6, 0, 1 / 6, 1 / 3] * 2 + [1 / 2])
    assert found[1, 0, 0] == pytest.approx([1 / 2] * 13)
    assert found[:, 0, 1] == pytest.approx(1 / 2 - found[:, 0, 0])


def test_a_checkerboard_alternates_along_every_axis():
    found = two_point(checkerboard(6, 6, 6), 2, max_distance=5)
    assert found[:, 0, 1] == pytest.approx(np.tile([0, 0.5], (3, 3)))


def test_distances_that_do_not_fit_are_not_a_number():
    found = two_point(np.zeros((1, 4), np.uint8), 1, max_distance=5)
    assert np.isnan(found[0, 0, 0]).tolist() == [False] + [True] * 5
    assert np.isnan(found[1, 0, 0]).tolist() == [False] * 4 + [True] * 2


@given(labels(n_phases=2))
def test_all_pairs_together_are_certain(array):
    total = two_point(array, 3, max_distance=6).sum(axis=(1, 2))
    assert total[np.isfinite(total)] == pytest.approx(1)


@given(labels(min_dims=3))
def test_permuting_axes_permutes_correlations(volume):
    found = two_point(volume, 3, 5)
    turned = two_point(volume.transpose(1, 2, 0), 3, 5)
    np.testing.assert_allclose(turned, found[[1, 2, 0]], atol=1e-6)


def test_porespy_agrees_beyond_the_first_bins():
    metrics = pytest.importorskip("porespy").metrics
    volume = np.kron(bernoulli((12, 12, 12), (0.5, 0.5)), np.ones((4, 4, 4), np.uint8))
    ours = two_point(volume, 2, 20)[:, 1, 1].mean(axis=0)
    theirs = metrics.two_point_correlation(volume == 1, bins=20)
    far = (theirs.distance > 8) & (theirs.distance < 16)
    conditional = np.interp(theirs.distance[far], np.arange(21), ours / ours[0])
    assert np.abs(conditional - theirs.probability[far]).max() < 0.02


def test_an_exponential_correlation_gives_its_length_back():
    phi, spacing = 0.3, 0.2
    decay = np.exp(-np.arange(81) / 7.5)
    fitted = correlation_length(phi**2 + phi * (1 - phi) * decay, spacing)
    assert fitted.length == pytest.approx(7.5 * spacing, rel=1e-4)
    assert fitted.error < 1e-3


def test_the_length_of_a_noisy_correlation_lies_within_its_error():
    decay = np.exp(-np.arange(81) / 12) + np.random.default_rng(0).normal(0, 0.01, 81)
    decay[0] = 1
    fitted = correlation_length(0.25 + 0.25 * decay)
    assert abs(fitted.length - 12) < 4 * fitted.error < 2


@pytest.mark.parametrize("correlation", [[0, 0, 0, 0], [1, 1, 1, 1], [0.5, 0.2], [np.nan] * 4])
def test_a_phase_that_is_absent_alone_or_unknown_has_no_length(correlation):
    assert np.isnan(correlation_length(np.array(correlation, float)).length)


def test_a_phase_that_never_ends_has_an_infinite_length():
    assert correlation_length(np.full(50, 0.4)).length == np.inf


def test_uncorrelated_voxels_have_a_length_below_one():
    found = two_point(bernoulli((40, 40, 40), (0.5, 0.5)), 2, 30)
    assert correlation_length(found[0, 0, 0]).length < 0.3


def test_a_correlation_that_falls_far_below_a_voxel_is_fitted_without_a_warning():
    decay = np.array([1, -0.06, -0.05, -0.07] + [0.0] * 20)
    fitted = correlation_length(1 / 9 + 2 / 9 * decay)
    assert fitted.length < 0.1


def test_noise_that_no_exponential_fits_has_no_correlation_length(monkeypatch) -> None:
    def not_found(*_, **__):
        raise RuntimeError("Optimal parameters not found")

    monkeypatch.setattr(module, "curve_fit", not_found)
    found = correlation_length(np.array([0.5, 0.4, 0.3, 0.27]))
    assert np.isnan(found.length)
    assert np.isnan(found.error)
