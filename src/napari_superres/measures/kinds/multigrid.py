"""Least energy of a conductance network: conjugate gradients with aggregation multigrid.

Blocks of 2³ voxels, split where they are not connected inside, become the
unknowns of the next coarser network; the conductances between them add up
(Braess 1995; Notay 2010). So the iterations hardly grow with the volume.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

Vector = NDArray[np.float32]

SMALLEST = 400
"""Unknowns that are solved for directly."""

OVERCORRECTION = 1.4
"""Piecewise constant corrections are too flat; measured best among 1, 1.4 and 1.8."""

WORTH_SPLITTING = 1 << 18
"""Unknowns from which the rows of a network are shared out among threads."""

DAMPING = np.float32(0.7)
MEMORY = 3
MOST_ITERATIONS = 2000


class Network:
    """A conductance matrix whose rows are worked on by several threads where it is large.

    scipy and NumPy let other threads run while they compute.

    Parameters
    ----------
    matrix : (k, k)
    pool : of threads; None for this thread alone
    """

    def __init__(self, matrix: sparse.csr_array, pool: ThreadPoolExecutor | None) -> None:
        self.size = matrix.shape[0]
        self._pool = pool if self.size >= WORTH_SPLITTING else None
        count = 1 if self._pool is None else os.cpu_count() or 1
        ends = [self.size * part // count for part in range(count + 1)]
        rows = [slice(*pair) for pair in pairwise(ends)]
        self._parts = [(part, matrix[part] if count > 1 else matrix) for part in rows]

    def _each(self, work: Callable[[slice, sparse.csr_array], object]) -> None:
        if self._pool is None:
            for rows, matrix in self._parts:
                work(rows, matrix)
        else:
            for done in [self._pool.submit(work, *part) for part in self._parts]:
                done.result()

    def product(self, x: Vector) -> Vector:
        """Return A x."""
        result = np.empty_like(x)

        def work(rows: slice, matrix: sparse.csr_array) -> None:
            result[rows] = matrix @ x

        self._each(work)
        return result

    def relaxed(self, x: Vector, source: Vector, weight: Vector) -> Vector:
        """Return x + weight · (source − A x), one step of a damped relaxation."""
        result = np.empty_like(x)

        def work(rows: slice, matrix: sparse.csr_array) -> None:
            left = source[rows] - matrix @ x
            left *= weight[rows]
            np.add(x[rows], left, out=result[rows])

        self._each(work)
        return result


@dataclass(frozen=True, eq=False)
class Level:
    """One network of the hierarchy.

    Attributes
    ----------
    network : its conductance matrix
    smooth : (k,) damping / diagonal
    block : (k,) the unknown of the next level that each unknown belongs to
    n_blocks : unknowns of the next level
    """

    network: Network
    smooth: Vector
    block: NDArray[np.int32]
    n_blocks: int


def build_levels(
    matrix: sparse.csr_array, places: NDArray[np.int32], pool: ThreadPoolExecutor | None = None
) -> tuple[list[Level], SuperLU]:
    """Coarsen a network until it can be solved directly.

    Parameters
    ----------
    matrix : (k, k) conductance matrix, symmetric and positive definite
    places : (axes, k) voxel index of each unknown
    pool : of threads that share the work; None for none
    """
    levels = []
    while matrix.shape[0] > SMALLEST:
        half = places // 2
        links = matrix.tocoo()
        number = np.ravel_multi_index(tuple(half), tuple(half.max(axis=1) + 1))
        inside = number[links.row] == number[links.col]
        within = sparse.coo_array(
            (np.ones(np.count_nonzero(inside), np.int8), (links.row[inside], links.col[inside])),
            matrix.shape,
        )
        n_blocks, block = connected_components(within, directed=False)
        smooth = (DAMPING / matrix.diagonal()).astype(np.float32)
        levels.append(Level(Network(matrix, pool), smooth, block, n_blocks))
        stays = n_blocks == matrix.shape[0]
        matrix = sparse.coo_array(
            (links.data, (block[links.row], block[links.col])), (n_blocks, n_blocks)
        ).tocsr()
        places = np.empty((len(half), n_blocks), np.int32)
        places[:, block] = half
        if stays and not half.any():
            break
    return levels, splu(matrix.tocsc().astype(np.float64))


def _correction(levels: list[Level], coarsest: SuperLU, residual: Vector, depth: int = 0) -> Vector:
    """Return one V-cycle's answer to `residual`; a symmetric operation."""
    if depth == len(levels):
        return np.asarray(coarsest.solve(residual.astype(np.float64)), np.float32)
    level = levels[depth]
    answer = level.smooth * residual
    left = residual - level.network.product(answer)
    summed = np.bincount(level.block, left, level.n_blocks).astype(np.float32)
    coarse = _correction(levels, coarsest, summed, depth + 1)
    answer += np.float32(OVERCORRECTION) * coarse[level.block]
    return level.network.relaxed(answer, residual, level.smooth)


def least_energy(
    matrix: sparse.csr_array,
    places: NDArray[np.int32],
    source: Vector,
    start: Vector,
    offset: float,
    tolerance: float,
) -> float:
    """Return the least of E(u) = u·Au − 2 s·u + offset.

    Parameters
    ----------
    matrix, places : of the network, see `build_levels`
    source : (k,) s
    start : (k,) first guess of u
    offset : makes E the dissipated energy
    tolerance : stop when `MEMORY` iterations together lower E by less than this part

    Returns
    -------
    float
        E only ever falls: an upper bound. Each step lowers it by step · (r · z),
        so that u itself need not be kept.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return _descended(matrix, places, source, start, offset, tolerance, pool)


def _descended(
    matrix: sparse.csr_array,
    places: NDArray[np.int32],
    source: Vector,
    start: Vector,
    offset: float,
    tolerance: float,
    pool: ThreadPoolExecutor,
) -> float:
    levels, coarsest = build_levels(matrix, places, pool)
    network = levels[0].network if levels else Network(matrix, None)
    residual = source - network.product(start)
    energy = offset - _dot(source + residual, start)
    direction = np.zeros_like(start)
    previous = np.inf
    falls: list[float] = []
    for _ in range(MOST_ITERATIONS):
        answer = _correction(levels, coarsest, residual)
        strength = _dot(residual, answer)
        if strength <= 1e-12 * energy:
            break
        direction = answer + np.float32(strength / previous) * direction
        product = network.product(direction)
        step = strength / _dot(direction, product)
        residual -= np.float32(step) * product
        previous = strength
        energy -= step * strength
        falls.append(step * strength)
        if len(falls) >= MEMORY and sum(falls[-MEMORY:]) < tolerance * energy:
            break
    return energy


def _dot(a: Vector, b: Vector) -> float:
    return float(np.einsum("i,i->", a, b, dtype=np.float64))
