"""Interface areas: how much of the voxel faces separates two phases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_superres.measures.arrays import as_labels, either, phase_bits, ratio_or_zero, slabs
from napari_superres.measures.kinds.fractions import phase_counts


def face_counts(labels: object, n_phases: int) -> tuple[NDArray[np.int64], int]:
    """Count the interior faces between each pair of phases.

    Counts of several crops or images can be added up before dividing.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1 (in 2D a face is an edge of a pixel)
    n_phases : n, absent phases included

    Returns
    -------
    counts : (n, n) int64
        Symmetric. Entry (a, b) is the number of faces with a on one side and b on
        the other, counted once; the diagonal counts faces inside a phase.
    total : int
        All interior faces: 3xyz − xy − yz − zx in 3D.
    """
    array = as_labels(labels, n_phases)
    per_axis = face_counts_per_axis(array, n_phases)
    total = sum(array.size - array.size // size for size in array.shape)
    return per_axis.sum(axis=0), total


def face_counts_per_axis(labels: object, n_phases: int) -> NDArray[np.int64]:
    """Count the interior faces between each pair of phases, by the axis they are normal to.

    Returns
    -------
    (axes, n, n) int64, each symmetric as in `face_counts`
    """
    array = as_labels(labels, n_phases)
    counts = np.zeros((array.ndim, n_phases, n_phases), np.int64)
    present = np.flatnonzero(phase_counts(array, n_phases)).tolist()
    pairs = [(a, b) for a in present for b in present if a <= b]
    for rows, last in slabs(array, overlap=1):
        bits = phase_bits(array[rows], n_phases)
        for axis in range(array.ndim):
            # the row shared with the next slab only serves the faces normal to the first axis
            own = bits if axis == 0 or last else bits[:-1]
            met = either(own, axis)
            for a, b in pairs:
                counts[axis, a, b] += np.count_nonzero(met == (1 << a | 1 << b))
    return np.asarray(counts + np.triu(counts, 1).transpose(0, 2, 1))


def interface_areas(labels: object, n_phases: int) -> NDArray[np.float64]:
    """Measure the interface area of each pair of phases.

    Definition: faces between a and b / all interior faces. Dimensionless.
    Source: Dahari et al. 2022, "Microstructural metrics". To get an area per
    volume in 1/µm of flat faces, see `surface.specific_surface_areas`.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included (their entries are 0)

    Returns
    -------
    (n, n) float64
        Symmetric; the diagonal holds the share of faces inside each phase, so the
        upper triangle with the diagonal adds up to 1. All zero for a single voxel.
    """
    counts, total = face_counts(labels, n_phases)
    return ratio_or_zero(counts, total)
