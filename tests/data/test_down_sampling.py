from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_superres.config import ImagingModel
from napari_superres.data.down_sampling import (
    centre_indices,
    default_kernel,
    default_sd,
    down_sample,
    down_sampling_matrix,
)
from napari_superres.errors import SettingsError

BLURRED, SAMPLED = ImagingModel.BLURRED, ImagingModel.SAMPLED


@pytest.mark.parametrize(
    ("factor", "kernel"), [("1", 1), ("8/5", 1), ("2", 1), ("5/2", 3), ("4", 3), ("8", 7)]
)
def test_the_blur_has_the_papers_size(factor, kernel):
    assert default_kernel(Fraction(factor)) == kernel


def test_the_blur_has_the_papers_width():
    assert default_sd(3) == pytest.approx(0.8)
    assert default_sd(7) == pytest.approx(1.4)


def test_sampling_takes_the_voxel_at_the_centre():
    assert centre_indices(3, Fraction(4)).tolist() == [2, 6, 10]


@settings(deadline=None)
@given(
    st.integers(1, 12),
    st.sampled_from([Fraction(1), Fraction(8, 5), Fraction(2), Fraction(4), Fraction(8)]),
    st.sampled_from([BLURRED, SAMPLED]),
)
def test_each_low_res_voxel_is_a_mean(low, factor, imaging):
    high = int(low * factor)
    matrix = down_sampling_matrix(low, max(1, high), factor, imaging)
    assert matrix.shape == (low, max(1, high))
    assert (matrix >= 0).all()
    assert matrix.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("factor", [Fraction(8, 5), Fraction(2), Fraction(4), Fraction(8)])
def test_blurring_is_what_torch_does(factor):
    torch = pytest.importorskip("torch")
    low, high = 10, int(10 * factor)
    line = np.random.default_rng(0).random(high).astype(np.float32)
    kernel = default_kernel(factor)
    weights = np.exp(-0.5 * ((np.arange(kernel) - kernel // 2) / default_sd(kernel)) ** 2)
    padded = np.pad(line, kernel // 2, "reflect")
    blurred = np.convolve(padded, weights / weights.sum(), "valid")
    expected = torch.nn.functional.interpolate(
        torch.tensor(blurred)[None, None], size=low, mode="linear", align_corners=False
    )[0, 0].numpy()
    assert down_sampling_matrix(low, high, factor, BLURRED) @ line == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize("factor", [Fraction(8, 5), Fraction(2), Fraction(4)])
def test_sampling_is_torchs_nearest_exact(factor):
    torch = pytest.importorskip("torch")
    low, high = 10, int(10 * factor)
    line = torch.arange(high, dtype=torch.float32)[None, None]
    expected = torch.nn.functional.interpolate(line, size=low, mode="nearest-exact")[0, 0]
    assert centre_indices(low, factor).tolist() == expected.int().tolist()


def test_three_matrices_down_sample_each_axis():
    volume = np.random.default_rng(1).random((2, 4, 6, 8)).astype(np.float32)
    shapes = [(2, 4), (3, 6), (2, 8)]
    factors = [Fraction(2), Fraction(2), Fraction(4)]
    matrices = tuple(
        down_sampling_matrix(*shape, factor, BLURRED)
        for shape, factor in zip(shapes, factors, strict=True)
    )
    result = down_sample(volume, matrices)
    assert result.shape == (2, 2, 3, 2)
    assert result == pytest.approx(np.einsum("mzyx,az,by,cx->mabc", volume, *matrices), abs=1e-5)


def test_the_faces_are_mirrored_not_darkened():
    matrix = down_sampling_matrix(4, 16, Fraction(4), BLURRED, kernel=7)
    assert matrix @ np.ones(16) == pytest.approx(1)


def test_an_even_blur_is_refused():
    with pytest.raises(SettingsError, match="kernel is 4"):
        down_sampling_matrix(4, 16, Fraction(4), BLURRED, kernel=4)
