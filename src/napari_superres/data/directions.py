"""Whether a material looks the same along its axes: boundaries met on the way along each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels

BLOCK = {2: 24, 3: 12}  # sides of the blocks whose scatter tells the error, larger than features


def boundary_density(arrays: Sequence[Labels]) -> tuple[NDArray[np.float64], float]:
    """Count phase changes between neighbours along each axis, per voxel.

    Parameters
    ----------
    arrays : phase indices, all 2D or all 3D

    Returns
    -------
    density : (axes,) changes per voxel
    error : standard deviation of the ratio between two of them, from the scatter
        between blocks
    """
    blocks = np.concatenate([_per_block(array) for array in arrays])
    density = np.asarray(blocks.mean(axis=0))
    if len(blocks) < 4 or not density.any():
        return density, 1.0
    skew = (blocks - blocks.mean(axis=1, keepdims=True)) / density.mean()
    error = np.sqrt(2.0) * skew.std(axis=0, ddof=1).max() / np.sqrt(len(blocks))
    return density, float(error)


def _per_block(array: Labels) -> NDArray[np.float64]:
    """Return (blocks, axes) densities of changes; whole blocks only, one when there is none.

    Along an axis of one voxel there is nothing to meet.
    """
    inner = tuple(slice(0, max(1, size - 1)) for size in array.shape)
    columns = []
    for axis in range(array.ndim):
        shifted = list(inner)
        shifted[axis] = slice(min(1, array.shape[axis] - 1), None)
        changes = array[inner] != array[tuple(shifted)]
        sides = [min(BLOCK[array.ndim], size) for size in changes.shape]
        counts = [size // side for size, side in zip(changes.shape, sides, strict=True)]
        whole = changes[tuple(slice(0, n * side) for n, side in zip(counts, sides, strict=True))]
        split = [n for pair in zip(counts, sides, strict=True) for n in pair]
        within = tuple(range(1, 2 * array.ndim, 2))
        columns.append(whole.reshape(split).mean(axis=within, dtype=np.float64).ravel())
    return np.stack(columns, axis=1)
