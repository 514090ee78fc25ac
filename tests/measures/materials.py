"""Small materials whose measures are known."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


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
