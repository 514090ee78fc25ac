"""Patterns: how often each small block of labels occurs, and how far two materials are apart.

Statistics along axes miss what lies across them: a phase that always sits on the same
octant side of another shows in the 2 × 2 × 2 blocks of a volume and in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.errors import ShapeError
from napari_superres.measures.arrays import as_labels, slabs

Codes = NDArray[np.int64]
Frequencies = tuple[Codes, NDArray[np.float64]]
"""Codes of the patterns that occur, ascending, and the share of each; they add up to 1."""

VOLUME_SIDE, SLICE_SIDE = 2, 3
MOST_COUNTED = 1 << 22
"""Patterns that are counted in a table; more are sorted instead."""


def block_frequencies(labels: object, n_phases: int) -> Frequencies:
    """Return how often each 2 × 2 × 2 block of a volume occurs, uniform blocks left out.

    Parameters
    ----------
    labels : (Z, Y, X) phase indices 0 … n − 1, each side at least 2
    n_phases : n
    """
    array = as_labels(labels, n_phases)
    if array.ndim != 3:
        raise ShapeError(f"Labels of shape {array.shape} are no volume.", "Three axes are needed.")
    codes, counts = _counted([array], n_phases, VOLUME_SIDE)
    uniform = np.arange(n_phases) * ((n_phases**8 - 1) // max(n_phases - 1, 1))
    mixed = ~np.isin(codes, uniform)
    return _shares(codes[mixed], counts[mixed])


def slice_frequencies(images: Sequence[object], n_phases: int) -> Frequencies:
    """Return how often each 3 × 3 pattern occurs in slices, which are counted together.

    Parameters
    ----------
    images : (rows, columns) phase indices 0 … n − 1, each side at least 3
    n_phases : n
    """
    arrays = [as_labels(image, n_phases) for image in images]
    if any(array.ndim != 2 for array in arrays):
        raise ShapeError("There are volumes among the slices.", "Two axes are needed.")
    return _shares(*_counted(arrays, n_phases, SLICE_SIDE))


def symmetrised(frequencies: Frequencies, n_phases: int, ndim: int) -> Frequencies:
    """Return the mean over all turns and mirrors: the 48 of the cube, or the 8 of the square.

    Parameters
    ----------
    frequencies : of blocks (`ndim` 3) or of slices' patterns (`ndim` 2)
    n_phases : n
    ndim : 2 or 3
    """
    codes, shares = frequencies
    side = VOLUME_SIDE if ndim == 3 else SLICE_SIDE
    digits = _digits(codes, n_phases, side**ndim).reshape(-1, *(side,) * ndim)
    turned = [
        _codes_of(np.flip(digits.transpose(0, *(axis + 1 for axis in order)), mirrored), n_phases)
        for order in permutations(range(ndim))
        for mirrored in _subsets(ndim)
    ]
    return _merged(np.concatenate(turned), np.tile(shares / len(turned), len(turned)))


def pattern_distance(one: Frequencies, other: Frequencies) -> float:
    """Return the total variation between two distributions: 0 for equal, 1 for disjoint ones.

    Definition: half the sum over all patterns of |p − q|.
    """
    codes, _ = _merged(np.concatenate([one[0], other[0]]), np.zeros(len(one[0]) + len(other[0])))
    gap = np.zeros(len(codes))
    for sign, (known, shares) in ((1, one), (-1, other)):
        gap[np.searchsorted(codes, known)] += sign * shares
    return float(np.abs(gap).sum() / 2)


def slice_pattern_distances(
    labels: object, wanted: Sequence[Frequencies], n_phases: int
) -> NDArray[np.float64]:
    """Return how far the slices of a volume normal to z, y and x are from those wanted.

    Parameters
    ----------
    labels : (Z, Y, X) phase indices
    wanted : frequencies of the slices normal to each axis
    n_phases : n

    Returns
    -------
    (3,) total variations
    """
    array = as_labels(labels, n_phases)
    return np.array(
        [
            pattern_distance(slice_frequencies(list(np.moveaxis(array, axis, 0)), n_phases), known)
            for axis, known in enumerate(wanted)
        ]
    )


def _counted(arrays: Sequence[Labels], n_phases: int, side: int) -> tuple[Codes, Codes]:
    """Return the codes that occur in all blocks of `side`, and how often."""
    cells = side ** arrays[0].ndim
    if n_phases**cells <= MOST_COUNTED:
        table = np.zeros(n_phases**cells, np.int64)
        for codes in _all_codes(arrays, n_phases, side):
            table += np.bincount(codes, minlength=len(table))
        found = np.flatnonzero(table)
        return found, table[found]
    parts = [np.unique(codes, return_counts=True) for codes in _all_codes(arrays, n_phases, side)]
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    codes, shares = _merged(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    return codes, np.rint(shares).astype(np.int64)


def _all_codes(arrays: Sequence[Labels], n_phases: int, side: int) -> Iterator[Codes]:
    """Yield the codes of the blocks of each slab of each array."""
    for array in arrays:
        if min(array.shape) < side:
            continue
        for rows, _ in slabs(array, overlap=side - 1):
            part = array[rows]
            if part.shape[0] < side:
                continue
            inner = [size - side + 1 for size in part.shape]
            codes = np.zeros(inner, np.int64)
            for offset in product(range(side), repeat=array.ndim):
                window = tuple(slice(o, o + size) for o, size in zip(offset, inner, strict=True))
                codes *= n_phases
                codes += part[window]
            yield codes.ravel()


def _shares(codes: Codes, counts: Codes) -> Frequencies:
    total = counts.sum()
    if total == 0:
        raise ShapeError(
            "There are no patterns to count.",
            "Labels with more than one phase, and as large as a pattern, are needed.",
        )
    return codes, counts / total


def _merged(codes: Codes, values: NDArray[np.float64]) -> Frequencies:
    """Return each code once, ascending, and the sum of its values."""
    found, index = np.unique(codes, return_inverse=True)
    summed: NDArray[np.float64] = np.bincount(index, values, len(found)).astype(np.float64)
    return found, summed


def _digits(codes: Codes, n_phases: int, cells: int) -> Codes:
    powers = n_phases ** np.arange(cells - 1, -1, -1, dtype=np.int64)
    return codes[:, None] // powers % n_phases


def _codes_of(digits: Codes, n_phases: int) -> Codes:
    flat = digits.reshape(len(digits), -1)
    powers = n_phases ** np.arange(flat.shape[1] - 1, -1, -1, dtype=np.int64)
    return np.asarray(flat @ powers)


def _subsets(ndim: int) -> list[tuple[int, ...]]:
    """Return the axes to mirror, of arrays with one axis more in front."""
    return [
        tuple(axis + 1 for axis in range(ndim) if mask >> axis & 1) for mask in range(1 << ndim)
    ]
