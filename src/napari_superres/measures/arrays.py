"""What the measures share: checked labels, slabs that fit the cache, phases as bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import MAX_PHASES
from napari_superres.data.volumes import Labels
from napari_superres.errors import PhaseError, ShapeError

Bits = NDArray[np.unsignedinteger[Any]]

Sizes = Sequence[float] | NDArray[np.float64]
"""Voxel sizes along the axes of labels."""

SLAB_BYTES = 1 << 18
"""Working set of one slab: a few of them fit the second-level cache of a core."""


def as_labels(labels: object, n_phases: int) -> Labels:
    """Return (Z, Y, X) or (Y, X) phase indices 0 … n − 1 as a checked uint8 array.

    Anything else raises a ShapeError or a PhaseError. Absent phases count in n.
    """
    array = np.asarray(labels)
    if array.ndim not in (2, 3) or array.size == 0:
        raise ShapeError(
            f"The labels to measure have shape {array.shape}.",
            "Two axes (y, x) or three (z, y, x), none of them empty, are needed.",
        )
    if not 1 <= n_phases <= MAX_PHASES:
        raise PhaseError(f"There are {n_phases} phases.", f"1 to {MAX_PHASES} can be measured.")
    lowest, highest = int(array.min()), int(array.max())
    if array.dtype.kind not in "iub" or lowest < 0 or highest >= n_phases:
        raise PhaseError(
            f"The labels to measure are {array.dtype} from {lowest} to {highest}.",
            f"Phase indices 0 to {n_phases - 1} are needed.",
        )
    return array.astype(np.uint8, copy=False)


def slabs(labels: Labels, overlap: int = 0) -> Iterator[tuple[slice, bool]]:
    """Yield ranges of the first axis, each reaching `overlap` rows into the next.

    Yields
    ------
    rows : slice of the first axis
    last : whether it is the last slab
    """
    size = labels.shape[0]
    step = max(1, SLAB_BYTES // max(1, labels[0].size))
    for start in range(0, size, step):
        stop = min(start + step, size)
        yield slice(start, min(stop + overlap, size)), stop == size


def phase_bits(labels: Labels, n_phases: int) -> Bits:
    """Return 1 << label, in the smallest unsigned type with a bit for each phase.

    The bitwise or of neighbours then says which phases meet there.
    """
    dtype = np.uint8 if n_phases <= 8 else np.uint16 if n_phases <= 16 else np.uint32
    table = (np.uint32(1) << np.arange(MAX_PHASES, dtype=np.uint32)).astype(dtype)
    return np.asarray(table[labels])


def either(array: Bits, axis: int) -> Bits:
    """Return the bitwise or of each pair of neighbours along `axis`, one shorter there."""
    low = [slice(None)] * array.ndim
    high = [slice(None)] * array.ndim
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    joined: Bits = array[tuple(low)] | array[tuple(high)]
    return joined


def ratio_or_zero(counts: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    """Return `counts` / `total`, zeros where there is nothing to divide by."""
    return np.asarray(counts / total if total else np.zeros(counts.shape), np.float64)


def weighted_mean(
    arrays: Sequence[NDArray[np.float64]], weights: Sequence[float]
) -> NDArray[np.float64]:
    """Return the mean of equal arrays, counting only what is finite; NaN where nothing is."""
    stacked = np.stack(arrays)
    spread = np.reshape(np.asarray(weights, float), (-1,) + (1,) * arrays[0].ndim)
    known = np.isfinite(stacked)
    total = np.where(known, spread, 0).sum(axis=0)
    mean = np.full(total.shape, np.nan)
    summed = np.where(known, stacked * spread, 0).sum(axis=0)
    np.divide(summed, total, out=mean, where=total > 0)
    return mean
