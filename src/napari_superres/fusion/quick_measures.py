"""What is measured many times while training: cheap, pooled over crops or slices.

`measures/` has the full definitions; here few distances and whole pools suffice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels, SegmentedSlices
from napari_superres.measures.kinds.interfaces import face_counts_per_axis

DISTANCES = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Voxels between the two points; those beyond half of the smallest side are left out."""

Curves = NDArray[np.float64]
Faces = NDArray[np.float64]


def face_shares(arrays: Sequence[Labels], n_phases: int) -> Faces:
    """Return the share of faces normal to each axis that separate each pair of phases.

    (axes, n, n) float64, symmetric; the diagonal holds faces inside a phase.
    """
    counts = np.sum([face_counts_per_axis(array, n_phases) for array in arrays], axis=0)
    totals = [
        sum(array.size - array.size // array.shape[axis] for array in arrays)
        for axis in range(arrays[0].ndim)
    ]
    return np.asarray(counts / np.maximum(totals, 1)[:, None, None])


def anisotropy(shares: Faces) -> float:
    """Return how much the axes differ in interface area, of `face_shares`.

    Definition: max over axes of Σ |A(axis) − mean A| / Σ mean A, sums over the pairs
    of phases, mean over the axes. 0 for a material alike in all directions.
    """
    pairs = shares[:, *np.triu_indices(shares.shape[1], 1)]
    mean = pairs.mean(0)
    total = mean.sum()
    return float(np.abs(pairs - mean).sum(1).max() / total) if total > 0 else 0.0


def slice_face_shares(high_res: SegmentedSlices) -> Faces:
    """Return `face_shares` of slices: of rows and columns, or of z, y, x with three sets."""
    n = len(high_res.phases)
    if not high_res.anisotropic:
        return face_shares(high_res.sets[0], n)
    planes = [face_shares(images, n) for images in high_res.sets]
    return _along_axes(planes)


def two_point_curves(arrays: Sequence[Labels], n_phases: int, distances: Sequence[int]) -> Curves:
    """Return the chance that two points on a line along an axis are both of a phase.

    (axes, n, distances) float64, of volumes or slices pooled; distances in voxels.
    """
    axes = arrays[0].ndim
    both = np.zeros((axes, n_phases, len(distances)))
    pairs = np.zeros((axes, 1, len(distances)))
    for array in arrays:
        for phase in range(n_phases):
            here = array == phase
            for axis in range(axes):
                for i, d in enumerate(distances):
                    far = here[(slice(None),) * axis + (slice(d, None),)]
                    near = here[(slice(None),) * axis + (slice(None, -d),)]
                    both[axis, phase, i] += np.count_nonzero(far & near)
                    pairs[axis, 0, i] += far.size if phase == 0 else 0
    return np.asarray(both / np.maximum(pairs, 1))


def slice_curves(high_res: SegmentedSlices, distances: Sequence[int]) -> Curves:
    """Return `two_point_curves` along z, y, x that a volume like these slices would have."""
    n = len(high_res.phases)
    planes = [two_point_curves(images, n, distances) for images in high_res.sets]
    if not high_res.anisotropic:
        return np.stack([planes[0].mean(0)] * 3)
    return _along_axes(planes)


def usable_distances(shape: Sequence[int], high_res: SegmentedSlices) -> tuple[int, ...]:
    """Return those of `DISTANCES` that crops of `shape` and all slices have room for."""
    images = high_res.images
    smallest = min([*shape, *(side for image in images for side in image.shape)])
    return tuple(d for d in DISTANCES if d <= max(smallest // 2, 1))


def two_point_rmse(found: Curves, wanted: Curves) -> float:
    """Return the root mean square difference over axes and distances, mean over phases."""
    squares = np.square(found - wanted).mean((0, 2))
    return float(np.sqrt(squares).mean())


def _along_axes(planes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return what a volume has along z, y, x: means over the two sets of slices with that side."""
    return np.stack(
        [
            np.mean([planes[p][_side(p, axis)] for p in range(3) if p != axis], axis=0)
            for axis in range(3)
        ]
    )


def _side(normal: int, axis: int) -> int:
    """Return which side of a slice normal to `normal` runs along `axis`: 0 rows, 1 columns."""
    return [a for a in range(3) if a != normal].index(axis)
