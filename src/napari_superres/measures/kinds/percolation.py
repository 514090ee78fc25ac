"""Percolation: how much of a phase is connected from one face to the opposite one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_superres.data.volumes import Labels
from napari_superres.measures.arrays import as_labels


def percolating_fractions(labels: object, n_phases: int) -> NDArray[np.float64]:
    """Measure the percolating fraction of each phase along each axis.

    Definition: voxels of clusters that touch both faces normal to the axis / voxels
    of the phase. Voxels are connected through faces (in 2D, edges). Dimensionless.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included (their fraction is 0)

    Returns
    -------
    (n, axes) float64
        1 along an axis of one voxel, which every voxel spans.
    """
    array = as_labels(labels, n_phases)
    fractions = np.zeros((n_phases, array.ndim))
    for phase in range(n_phases):
        clusters, number = ndimage.label(array == phase)
        if not number:
            continue
        sizes = np.bincount(clusters.ravel())
        sizes[0] = 0
        for axis in range(array.ndim):
            spanning = _spanning(clusters, axis)
            fractions[phase, axis] = sizes[spanning].sum() / sizes.sum()
    return fractions


def percolating_part(indicator: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Return the part of `indicator` connected to both faces normal to `axis`, same shape."""
    clusters, number = ndimage.label(indicator)
    kept = np.zeros(number + 1, bool)
    kept[_spanning(clusters, axis)] = True
    return np.asarray(kept[clusters])


def _spanning(clusters: NDArray[np.int32] | Labels, axis: int) -> NDArray[np.int64]:
    """Return the numbers of the clusters on both faces normal to `axis`."""
    first, last = (np.unique(np.take(clusters, end, axis)) for end in (0, -1))
    both = np.intersect1d(first, last, assume_unique=True)
    return np.asarray(both[both > 0], np.int64)
