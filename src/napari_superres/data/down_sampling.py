"""The imaging model σ as one small matrix per axis (Dahari et al. 2022, Methods).

Blur and down-sampling are separable and linear, so σ is M (the phase map)
followed by a (low-res size x high-res size) matrix along each axis. The same
matrices serve the simulation of low-res volumes, the voxel-wise loss and the
low-res mismatch.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from napari_superres.config import ImagingModel
from napari_superres.errors import SettingsError

Matrix = NDArray[np.float32]


def default_kernel(scale_factor: Fraction) -> int:
    """Return the paper's blur size in high-res voxels: ⌈sf⌉, less one when even."""
    ceiling = math.ceil(scale_factor)
    return ceiling if ceiling % 2 else ceiling - 1


def default_sd(kernel: int) -> float:
    """Return the paper's s.d. for a blur of size `kernel`: 0.3((k − 1)/2 − 1) + 0.8."""
    return 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8


def centre_indices(low_size: int, scale_factor: Fraction) -> NDArray[np.int64]:
    """Return the high-res index nearest the centre of each low-res voxel, (low_size,)."""
    return np.array([math.floor((2 * i + 1) * scale_factor / 2) for i in range(low_size)], np.int64)


def down_sampling_matrix(
    low_size: int,
    high_size: int,
    scale_factor: Fraction,
    imaging: ImagingModel,
    kernel: int | None = None,
    sd: float | None = None,
) -> Matrix:
    """Return the matrix that turns a high-res line into a low-res line.

    Parameters
    ----------
    low_size, high_size : voxels of the two lines
    scale_factor : high-res voxels in a low-res voxel
    imaging : blurred (Gaussian, then linear interpolation at the low-res voxel's
        centre, no antialias) or sampled (the voxel nearest the centre)
    kernel, sd : of the blur in high-res voxels; None for the paper's rule

    Returns
    -------
    (low_size, high_size) float32, rows adding up to 1

    Raises
    ------
    SettingsError
        An even kernel.
    """
    rows = np.arange(low_size)
    matrix = np.zeros((low_size, high_size), np.float64)
    if imaging is ImagingModel.SAMPLED:
        matrix[rows, np.minimum(centre_indices(low_size, scale_factor), high_size - 1)] = 1
        return matrix.astype(np.float32)
    size = default_kernel(scale_factor) if kernel is None else kernel
    if size % 2 == 0:
        raise SettingsError(f"The blur kernel is {size}.", "An odd size is needed.")
    spread = default_sd(size) if sd is None else sd
    offsets = np.arange(size) - size // 2
    weights = np.exp(-0.5 * (offsets / spread) ** 2)
    weights /= weights.sum()
    centres = (rows + 0.5) * float(scale_factor) - 0.5
    lower = np.floor(centres).astype(int)
    part = centres - lower
    for tap, tap_weight in ((lower, 1 - part), (lower + 1, part)):
        tap = np.clip(tap, 0, high_size - 1)
        for offset, weight in zip(offsets, weights, strict=True):
            np.add.at(matrix, (rows, _reflected(tap + offset, high_size)), weight * tap_weight)
    return matrix.astype(np.float32)


def _reflected(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Mirror indices at the faces without repeating the face voxel, as the paper's blur does."""
    if size == 1:
        return np.zeros_like(index)
    period = 2 * (size - 1)
    folded = np.abs(index) % period
    return np.where(folded >= size, period - folded, folded)


def down_sample(
    probabilities: NDArray[np.float32], matrices: tuple[Matrix, Matrix, Matrix]
) -> NDArray[np.float32]:
    """Apply the three matrices to (..., Z, Y, X), giving (..., z, y, x) float32."""
    z, y, x = matrices
    out = np.einsum("...zyx,az->...ayx", probabilities, z, optimize=True)
    out = np.einsum("...ayx,by->...abx", out, y, optimize=True)
    out = np.einsum("...abx,cx->...abc", out, x, optimize=True)
    return np.asarray(out, np.float32)
