"""Transport efficiency: how well a phase conducts from one face to the opposite one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from napari_superres.measures.arrays import Sizes, as_labels
from napari_superres.measures.kinds.multigrid import least_energy
from napari_superres.measures.kinds.percolation import percolating_part

TOLERANCE = 5e-4
"""Relative accuracy asked of the solver; what it reaches is better, see docs/measures.md."""


def transport_efficiencies(
    labels: object,
    n_phases: int,
    voxel_size: Sizes | None = None,
    axes: Sequence[int] | None = None,
    tolerance: float = TOLERANCE,
    device: str = "cpu",
) -> NDArray[np.float64]:
    """Measure the transport efficiency of each phase along each axis.

    Definition: D_eff / D_0 = volume fraction / tortuosity factor, of steady
    diffusion between two opposite faces at fixed values (half a voxel outside the
    first and last voxels' centres), the other faces closed, in one phase alone.
    Dimensionless, 0 (not percolating) to the volume fraction (straight pores).
    Source: Cooper et al. 2016, TauFactor; Dahari et al. 2022. Solved by
    multigrid-preconditioned conjugate gradients on the percolating voxels only: a
    phase that does not percolate has exactly 0.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included (their efficiency is 0)
    voxel_size : along the axes of `labels`; only the ratios matter; None for cubes
    axes : to measure along; None for all of them
    tolerance : relative accuracy, roughly
    device : cpu, or a torch device such as cuda, where taufactor solves cubic voxels

    Returns
    -------
    (n, axes) float64
    """
    array = as_labels(labels, n_phases)
    sizes = np.ones(array.ndim) if voxel_size is None else np.asarray(voxel_size, float)
    along = range(array.ndim) if axes is None else axes
    return np.array(
        [
            [efficiency(array == phase, axis, sizes, tolerance, device) for axis in along]
            for phase in range(n_phases)
        ]
    )


def efficiency(
    indicator: NDArray[np.bool_],
    axis: int,
    sizes: NDArray[np.float64],
    tolerance: float = TOLERANCE,
    device: str = "cpu",
) -> float:
    """Measure the transport efficiency of one phase along one axis.

    Parameters
    ----------
    indicator : (Z, Y, X) or (Y, X) bool, where the phase is
    axis : between whose faces to conduct
    sizes : voxel size along each axis
    tolerance, device : see `transport_efficiencies`

    Returns
    -------
    float
    """
    part = percolating_part(indicator, axis)
    if not part.any():
        return 0.0
    part = np.moveaxis(part, axis, 0)
    # taufactor 1.2 takes voxels with strongly linked neighbours for walls when they are no cubes,
    # and has nothing to solve along an axis of one voxel
    if device != "cpu" and len(part) > 1 and np.ptp(sizes) <= 1e-6 * sizes.max():
        return by_taufactor(part, device)
    weights = (sizes[axis] / sizes) ** 2
    weights = np.concatenate([weights[axis : axis + 1], np.delete(weights, axis)])
    length = part.shape[0]
    matrix, first = _network(part, weights)
    # potential 1 at the first face, 0 at the last; the straight line to begin with
    places = np.stack(np.nonzero(part)).astype(np.int32)
    start = (1 - (places[0] + 0.5) / length).astype(np.float32)
    source = np.zeros(start.size, np.float32)
    source[first] = 2.0
    energy = least_energy(matrix, places, source, start, 2.0 * first.size, tolerance)
    return float(energy * length / (part.size / length))


def by_taufactor(part: NDArray[np.bool_], device: str) -> float:
    """Measure the transport efficiency along the first axis of cubic voxels that percolate."""
    import taufactor

    solver = taufactor.Solver(part.astype(np.uint8), device=device)
    solver.solve(verbose=False, conv_crit=5e-3)
    return float(solver.D_eff[0])


def _network(
    part: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[sparse.csr_array, NDArray[np.int32]]:
    """Return the conductance matrix of the voxels in `part`, and those on the first face."""
    count = int(np.count_nonzero(part))
    index = np.full(tuple(size + 2 for size in part.shape), -1, np.int32)
    inner = (slice(1, -1),) * part.ndim
    index[inner][part] = np.arange(count, dtype=np.int32)
    flat = index.ravel()
    places = np.flatnonzero(flat >= 0)
    strides = [int(np.prod(index.shape[axis + 1 :])) for axis in range(part.ndim)]
    # neighbours in rising order: rows are sorted as they are made
    steps = [(-stride, weight) for stride, weight in zip(strides, weights, strict=True)]
    steps += [(stride, weight) for stride, weight in zip(strides, weights, strict=True)][::-1]
    middle = part.ndim
    columns = np.empty((count, len(steps) + 1), np.int32)
    values = np.empty(columns.shape, np.float32)
    diagonal = np.zeros(count, np.float32)
    for place, (step, weight) in enumerate(steps):
        column = place + (place >= middle)
        columns[:, column] = flat[places + step]
        values[:, column] = -weight
        diagonal += np.float32(weight) * (columns[:, column] >= 0)
    first, last = (index[inner][end][part[end]] for end in (0, -1))
    for end in (first, last):
        diagonal[end] += 2  # the face is half a voxel away; a voxel may lie on both
    columns[:, middle] = np.arange(count, dtype=np.int32)
    values[:, middle] = diagonal
    there = columns >= 0
    links = there.sum(axis=1, dtype=np.int8)
    starts = np.zeros(count + 1, np.int32 if columns.size <= np.iinfo(np.int32).max else np.int64)
    np.cumsum(links, out=starts[1:], dtype=starts.dtype)
    return sparse.csr_array((values[there], columns[there], starts), (count, count)), first
