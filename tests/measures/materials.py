"""Small materials whose measures are known."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtri


def sphere(size: int, radius: float) -> np.ndarray:
    grid = np.indices((size,) * 3) - (size - 1) / 2
    return (np.sum(grid**2, axis=0) <= radius**2).astype(np.uint8)


def checkerboard(*shape: int) -> np.ndarray:
    return (np.indices(shape).sum(axis=0) % 2).astype(np.uint8)


def lamellae(shape: tuple[int, ...], thickness: int, axis: int, phases: int = 2) -> np.ndarray:
    return (np.indices(shape)[axis] // thickness % phases).astype(np.uint8)


def bernoulli(shape: tuple[int, ...], fractions: tuple[float, ...], seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed).random(shape)
    return np.searchsorted(np.cumsum(fractions)[:-1], random, side="right").astype(np.uint8)


def labels(n_phases: int = 3, min_dims: int = 2, min_side: int = 1) -> st.SearchStrategy:
    """Any labels of 2 or 3 axes, size-1 axes and absent phases included."""
    shapes = hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=min_side, max_side=7)
    return hnp.arrays(np.uint8, shapes, elements=st.integers(0, n_phases - 1))


def gaussian_field(shape: tuple[int, int], length: float, fraction: float, seed: int) -> np.ndarray:
    """A slice of a cut Gaussian random field of unit variance: its fraction is known."""
    margin = int(8 * length)
    sides = [size + margin for size in shape]  # cut from a larger, periodic field
    waves = np.add.outer(*(np.fft.fftfreq(side) ** 2 for side in sides))
    gain = np.exp(-((np.pi * length) ** 2) * waves)
    noise = np.fft.fft2(np.random.default_rng(seed).standard_normal(sides))
    field = np.fft.ifft2(noise * gain / np.sqrt(np.mean(gain**2))).real
    return (field < ndtri(fraction))[: shape[0], : shape[1]].astype(np.uint8)


def discs(shape: tuple[int, int], radius: float, fraction: float, seed: int) -> np.ndarray:
    """A slice of a Boolean model of discs, half to once `radius` wide: its fraction is known."""
    rng = np.random.default_rng(seed)
    area = np.pi * radius**2 * (1 - 0.5**3) / (3 * 0.5)
    sides = np.array(shape) + 2 * radius
    number = rng.poisson(-np.log(1 - fraction) / area * np.prod(sides))
    centres = rng.random((number, 2)) * sides - radius
    image = np.zeros(shape, np.uint8)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    for (y, x), r in zip(centres, rng.uniform(radius / 2, radius, number), strict=True):
        top, left = max(0, int(y - r)), max(0, int(x - r))
        part = np.s_[top : max(0, int(y + r) + 2), left : max(0, int(x + r) + 2)]
        image[part] |= (rows[part[0]] - y) ** 2 + (columns[:, part[1]] - x) ** 2 <= r**2
    return image
