"""Realisations against the truth, where what they ought to be is known."""

from __future__ import annotations

import numpy as np
import pytest

from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.kinds.calibration import calibration
from tests.measures.materials import bernoulli

SHAPE = (40, 40, 40)


def draws(count: int, shares: tuple[float, ...] = (0.5, 0.3, 0.2)) -> list[np.ndarray]:
    return [bernoulli(SHAPE, shares, seed=seed) for seed in range(count)]


def test_draws_like_the_truth_are_calibrated() -> None:
    found = calibration(draws(12), bernoulli(SHAPE, (0.5, 0.3, 0.2), seed=99), 3)
    assert found.ratio == pytest.approx(1, abs=0.01)
    assert found.truth_difference == pytest.approx(1 - 0.38, abs=0.01)
    sampled = 0.62 * (1 + 1 / 12)  # the score of frequencies of twelve draws
    assert found.brier == pytest.approx(sampled, abs=0.01)
    assert found.cells.sum() == 3 * np.prod(SHAPE)
    assert found.hits.sum() == np.prod(SHAPE)


def test_a_voxel_whose_chances_are_known_is_right_as_often_as_it_says() -> None:
    chance = np.random.default_rng(0).random(SHAPE)
    made = [(np.random.default_rng(seed).random(SHAPE) < chance) for seed in range(1, 14)]
    found = calibration((one.astype(np.uint8) for one in made[:12]), made[12].astype(np.uint8), 2)
    assert found.ratio == pytest.approx(1, abs=0.01)
    assert found.error < 0.08  # frequencies of twelve are chances only roughly
    assert np.all(np.diff(found.observed) > 0)


def test_one_volume_again_and_again_claims_a_certainty_that_is_not_there() -> None:
    same, truth = draws(1)[0], bernoulli(SHAPE, (0.5, 0.3, 0.2), seed=99)
    found = calibration([same] * 12, truth, 3)
    assert found.ratio == 0
    assert found.cells[1:-1].sum() == 0
    wrong = found.truth_difference
    assert found.brier == pytest.approx(2 * wrong)
    assert found.error == pytest.approx(2 * wrong / 3)
    assert found.likely_wrong == pytest.approx(wrong)


def test_differences_are_the_means_over_pairs_and_over_realisations() -> None:
    made, truth = draws(3), bernoulli(SHAPE, (0.4, 0.4, 0.2), seed=9)
    found = calibration(made, truth, 3)
    pairs = [float((made[a] != made[b]).mean()) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert found.pair_difference == pytest.approx(np.mean(pairs))
    assert found.truth_difference == pytest.approx(
        np.mean([float((one != truth).mean()) for one in made])
    )


def test_what_cannot_be_compared_is_refused() -> None:
    truth = draws(1)[0]
    with pytest.raises(SettingsError, match="one realisation"):
        calibration([truth], truth, 3)
    with pytest.raises(ShapeError, match="same region"):
        calibration([truth[:20], truth[:20]], truth, 3)
