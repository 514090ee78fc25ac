"""Volume fractions: the mean of each phase's indicator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_superres.measures.arrays import as_labels, ratio_or_zero, slabs


def phase_counts(labels: object, n_phases: int) -> NDArray[np.int64]:
    """Count the voxels of each phase.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included

    Returns
    -------
    (n,) int64
    """
    array = as_labels(labels, n_phases)
    counts = np.zeros(n_phases, np.int64)
    for rows, _ in slabs(array):
        slab = array[rows]
        # comparing and counting is vectorised; bincount is ten times slower on bytes
        counts += [np.count_nonzero(slab == phase) for phase in range(n_phases)]
    return counts


def volume_fractions(labels: object, n_phases: int) -> NDArray[np.float64]:
    """Measure the volume fraction of each phase (in 2D, the area fraction).

    Definition: voxels of the phase / all voxels. Dimensionless, adds up to 1.
    Source: Dahari et al. 2022, "Microstructural metrics".

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included (their fraction is 0)

    Returns
    -------
    (n,) float64
    """
    counts = phase_counts(labels, n_phases)
    return ratio_or_zero(counts, int(counts.sum()))
