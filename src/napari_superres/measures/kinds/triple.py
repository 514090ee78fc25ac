"""Triple phase boundary: voxel edges at which three phases meet."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from napari_superres.measures.arrays import (
    Sizes,
    as_labels,
    either,
    phase_bits,
    ratio_or_zero,
    slabs,
)
from napari_superres.measures.kinds.fractions import phase_counts

Triple = tuple[int, int, int]


def phase_triples(n_phases: int) -> list[Triple]:
    """Return the triples of phase indices a < b < c."""
    return list(combinations(range(n_phases), 3))


def triple_edge_counts(
    labels: object, n_phases: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the interior edges at which three phases meet, by the direction of the edge.

    Counts of several crops or images can be added up before dividing.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included

    Returns
    -------
    counts : (directions, triples) int64
        Edges along z, y, x whose four voxels hold all three phases of a triple, in
        the order of `phase_triples`. A slice has one direction, normal to it:
        its inner pixel corners.
    totals : (directions,) int64
        All interior edges; in 3D z(y − 1)(x − 1) along z, and so on.
    """
    array = as_labels(labels, n_phases)
    volume = array if array.ndim == 3 else array[None]
    triples = phase_triples(n_phases)
    masks = [1 << a | 1 << b | 1 << c for a, b, c in triples]
    present = phase_counts(array, n_phases) > 0
    possible = [k for k, triple in enumerate(triples) if present[list(triple)].all()]
    directions = range(3) if array.ndim == 3 else range(1)
    counts = np.zeros((len(directions), len(triples)), np.int64)
    for rows, last in slabs(volume, overlap=1) if possible else ():
        bits = phase_bits(volume[rows], n_phases)
        for direction in directions:
            first, second = (axis for axis in range(3) if axis != direction)
            own = bits if last or direction else bits[:-1]
            met = either(either(own, first), second)
            for k in possible:
                # with three phases, holding all of them is being equal to the mask
                holds = met == masks[k] if n_phases == 3 else (met & masks[k]) == masks[k]
                counts[direction, k] += np.count_nonzero(holds)
    z, y, x = volume.shape
    totals = np.array([z * (y - 1) * (x - 1), y * (z - 1) * (x - 1), x * (z - 1) * (y - 1)])
    return counts, totals[: len(directions)]


def triple_phase_boundaries(labels: object, n_phases: int) -> NDArray[np.float64]:
    """Measure the triple phase boundary of each three phases.

    Definition: interior edges whose 4 voxels hold all 3 phases / interior edges.
    Dimensionless. Source: Dahari et al. 2022, "Microstructural metrics".

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included

    Returns
    -------
    (triples,) float64
        In the order of `phase_triples`: one entry for three phases, none for less.
    """
    counts, totals = triple_edge_counts(labels, n_phases)
    return ratio_or_zero(counts.sum(axis=0), int(totals.sum()))


def triple_line_densities(labels: object, n_phases: int, voxel_size: Sizes) -> NDArray[np.float64]:
    """Measure the length of triple lines per volume, along voxel edges.

    Edges follow the grid, so the length of a smooth line is overestimated by a
    factor of up to √3 (1.5 on average over directions).

    Parameters
    ----------
    labels : (Z, Y, X) phase indices, or (Y, X): then points per area
    n_phases : n, absent phases included
    voxel_size : µm along the axes of `labels`

    Returns
    -------
    (triples,) float64, µm/µm³ = 1/µm² in 3D, points per µm² in 2D
    """
    counts, _ = triple_edge_counts(labels, n_phases)
    voxels = np.asarray(labels).size
    lengths = np.asarray(voxel_size, float) if counts.shape[0] == 3 else np.ones(1)
    return np.asarray(lengths @ counts / (voxels * np.prod(voxel_size)), np.float64)
