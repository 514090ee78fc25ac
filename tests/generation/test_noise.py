"""Noise is the same at the same voxel for everybody, and as good as independent."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_superres.data.boxes import Box
from napari_superres.generation.noise import NoiseField, grid_box, layer_factors
from tests.generation.networks import mixed_generator

LIKE = torch.empty(1, 1, 1, 1, 1)
CUBE = Box((-10, -20, -30), (70, 60, 50))
corner = st.tuples(*[st.integers(-50, 50)] * 3)
size = st.tuples(*[st.integers(1, 12)] * 3)


def noise(box: Box = CUBE, seed: int = 0, layer: int = 1, **options: object) -> torch.Tensor:
    return NoiseField(seed, **options)(layer, box, LIKE)[0, 0]  # type: ignore[arg-type]


def scaled_correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    """Of standard normal spread when a and b are independent with mean 0, variance 1."""
    return float((a.double() * b.double()).sum() / a.numel() ** 0.5)


@settings(max_examples=30, deadline=None)
@given(corner, size, corner, size)
def test_a_voxel_has_the_same_noise_in_every_box(c1, s1, c2, s2):
    a = Box(c1, tuple(c + s for c, s in zip(c1, s1, strict=True)))
    b = Box(c2, tuple(c + s for c, s in zip(c2, s2, strict=True))).within(a)
    if b.size:
        assert torch.equal(noise(a)[b.slices(a.start)], noise(b))


def test_noise_does_not_depend_on_how_many_planes_are_hashed_at_a_time(monkeypatch):
    expected = noise()
    monkeypatch.setattr("napari_superres.generation.noise.CACHED_VOXELS", 1000)
    assert torch.equal(noise(), expected)


def test_these_numbers_never_change():
    """A seed in a file's metadata must mean the same volume for good."""
    found = noise(Box((-1, 0, 5), (0, 1, 9)), seed=7, layer=3).flatten().numpy()
    np.testing.assert_allclose(found, FROZEN, atol=1e-6)


FROZEN = [0.0333780, -0.8640632, -0.4990438, -1.7762247]


def test_mean_variance_and_higher_moments_are_those_of_a_normal_distribution():
    values = noise(Box.whole((128, 128, 128))).double()
    n = values.numel()
    assert abs(values.mean()) * n**0.5 < 4
    assert abs(values.var() - 1) * (n / 2) ** 0.5 < 4
    assert abs((values**3).mean()) * (n / 15) ** 0.5 < 4
    assert abs((values**4).mean() - 3) * (n / 96) ** 0.5 < 4


@pytest.mark.parametrize(
    "step", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 1, -1), (0, 0, 64)]
)
def test_neighbours_are_uncorrelated_in_value_and_size(step):
    here, there = noise(), noise(CUBE.moved(step))
    assert abs(scaled_correlation(here, there)) < 4
    assert abs(scaled_correlation(here**2 - 1, there**2 - 1)) / 2 < 4


def test_layers_and_seeds_are_uncorrelated():
    for other in (noise(layer=2), noise(seed=1), noise(seed=1, layer=0), noise(seed=2**31 - 1)):
        assert abs(scaled_correlation(noise(), other)) < 4
        assert not torch.equal(noise(), other)


def test_planes_and_lines_have_no_mean_of_their_own():
    for axes in ((1, 2), (0, 2), (0, 1), 0, 1, 2):
        means = noise().mean(axes)
        spread = float(means.std() * (CUBE.size / means.numel()) ** 0.5)
        assert abs(spread - 1) < 4 / (2 * means.numel()) ** 0.5


def test_bfloat16_noise_is_the_rounded_float32_noise():
    low = NoiseField(0)(1, CUBE, LIKE.bfloat16())
    assert torch.equal(low[0, 0], noise().bfloat16())


def test_periodic_noise_repeats_at_every_level_and_only_along_its_axis():
    factors = {1: (Fraction(8, 5), Fraction(2), Fraction(2))}
    options = {"factors": factors, "period": (5, None, None)}
    here = noise(**options)
    assert torch.equal(here, noise(CUBE.moved((8, 0, 0)), **options))
    assert not torch.equal(here, noise(CUBE.moved((5, 0, 0)), **options))
    assert not torch.equal(here, noise(CUBE.moved((0, 10, 0)), **options))


def test_held_noise_is_another_seeds_inside_and_its_own_outside():
    held = Box((0, 0, 0), (5, 6, 7))
    factors = {1: (Fraction(2),) * 3}
    found = noise(seed=1, factors=factors, held=held, held_seed=9)
    inside = grid_box(held, factors[1])
    mask = torch.zeros(CUBE.shape, dtype=torch.bool)
    mask[inside.slices(CUBE.start)] = True
    assert inside.shape == (10, 12, 14)
    assert torch.equal(found[mask], noise(seed=9)[mask])
    assert torch.equal(found[~mask], noise(seed=1)[~mask])


def test_each_noise_layer_knows_its_grid():
    factors = layer_factors(mixed_generator("16/3"))
    assert sorted({factor[0] for factor in factors.values()}) == [1, 2, 4, Fraction(16, 3)]
