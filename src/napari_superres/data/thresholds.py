"""From grey values to phases by thresholds: estimate them, apply them.

A voxel belongs to class k when k thresholds lie below its grey value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from napari_superres.data.grey_values import (
    NO_SMOOTHING,
    Grey,
    GreySample,
    Smoothing,
    check_grey,
    smoothed_part,
)
from napari_superres.data.volumes import Labels
from napari_superres.errors import SettingsError

MOST_CLASSES = 6
SLAB_VOXELS = 2**23

# the search looks at every combination of bins
_BINS = {2: 256, 3: 256, 4: 256, 5: 96, 6: 48}


def multi_otsu(sample: GreySample, classes: int) -> tuple[float, ...]:
    """Estimate the thresholds between classes: least variance of grey within each.

    Parameters
    ----------
    classes : 2 to 6

    Returns
    -------
    classes − 1 thresholds, rising; whole numbers for whole grey values

    Raises
    ------
    SettingsError
        More classes than grey values, or than can be searched.

    Notes
    -----
    Source: Liao, Chen & Chung 2001, J. Inf. Sci. Eng. 17, 713; scikit-image's search.
    """
    from skimage.filters import threshold_multiotsu

    if classes not in _BINS:
        raise SettingsError(f"{classes} classes are asked for.", f"2 to {MOST_CLASSES} can be.")
    counts, edges = sample.histogram(_BINS[classes])
    centres = (edges[:-1] + edges[1:]) / 2
    different = np.count_nonzero(counts)
    if different < classes:
        raise SettingsError(
            f"There are only {different} different grey values.",
            f"{classes} classes need at least as many.",
            "Ask for fewer classes.",
        )
    if different == classes:  # nothing to search: each value is a class
        found = np.flatnonzero(counts)[:-1]
    else:
        levels = threshold_multiotsu(  # type: ignore[no-untyped-call]
            classes=classes, hist=(counts, centres)
        )
        found = np.searchsorted(centres, levels)
    borders = edges[np.asarray(found) + 1]
    if sample.whole_numbers:
        borders = np.floor(borders)
    return tuple(float(border) for border in borders)


def check_thresholds(thresholds: Sequence[float]) -> None:
    """Raise a SettingsError for thresholds that are none, not finite, or not rising."""
    rising = all(low < high for low, high in pairwise(thresholds))
    if not thresholds or not rising or not np.isfinite(thresholds).all():
        raise SettingsError(
            f"The thresholds are {', '.join(f'{t:g}' for t in thresholds) or 'not there'}.",
            "Each must be higher than the one before.",
            "Move them apart, or ask for fewer classes.",
        )


def classify(grey: Grey, thresholds: Sequence[float], first: int = 0) -> Labels:
    """Return the class of each grey value, `first` for the darkest, same shape, uint8."""
    labels = np.full(grey.shape, first, np.uint8)
    for threshold in thresholds:
        labels += grey > threshold
    return labels


def segment_slabs(
    array: Any,
    thresholds: Sequence[float],
    smoothing: Smoothing = NO_SMOOTHING,
    name: str = "image",
    first: int = 0,
    slab_voxels: int = SLAB_VOXELS,
) -> Iterator[tuple[float, Labels]]:
    """Segment an image slab by slab.

    Parameters
    ----------
    array : (Y, X) or (Z, Y, X), NumPy, dask or zarr
    first : label of the darkest class
    slab_voxels : voxels to look at in one go, about

    Yields
    ------
    progress : 0 to 1
    labels : uint8 of the array's shape, one array, filled up to the progress

    Raises
    ------
    SettingsError, ShapeError, NotSegmentedError
        As `check_thresholds`, `check_grey` and `smoothed_part`.
    """
    check_thresholds(thresholds)
    check_grey(array.shape, array.dtype, name)
    labels = np.zeros(array.shape, np.uint8)
    length = array.shape[0]
    thick = max(1, slab_voxels // (math.prod(array.shape) // length))
    chunks = getattr(array, "chunksize", None) or getattr(array, "chunks", None)
    if chunks and isinstance(chunks[0], int):
        thick = max(1, thick // chunks[0]) * chunks[0]  # no chunk is read twice
    for start in range(0, length, thick):
        stop = min(length, start + thick)
        grey = smoothed_part(array, 0, start, stop, smoothing, name)
        labels[start:stop] = classify(grey, thresholds, first)
        yield stop / length, labels
