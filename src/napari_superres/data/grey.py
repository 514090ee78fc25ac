"""Grey values to phases: look at some of an image's, smooth them, divide them by thresholds.

Arrays may be NumPy, dask or zarr: only the planes that are needed are read. A voxel belongs
to class k when k thresholds lie below its grey value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.errors import NotSegmentedError, SettingsError, ShapeError

Grey = NDArray[np.integer[Any] | np.floating[Any]]

SAMPLE_VOXELS = 2**21
SAMPLE_PLANES = 16
TRUNCATE = 3.0
"""Standard deviations after which a Gaussian ends."""

MOST_CLASSES = 6
SLAB_VOXELS = 2**23

# the search looks at every combination of bins
_BINS = {2: 256, 3: 256, 4: 256, 5: 96, 6: 48}


@dataclass(frozen=True)
class Smoothing:
    """A Gaussian over the grey values before the thresholds, against noise.

    Attributes
    ----------
    sd : standard deviation in voxels, 0 for none
    slices_alone : whether the first axis counts separate slices, not to be mixed
    """

    sd: float = 0.0
    slices_alone: bool = False

    def along(self, ndim: int) -> tuple[float, ...]:
        """Return the standard deviation along each axis of an array, in voxels."""
        sds = [self.sd] * ndim
        if self.slices_alone and ndim == 3:
            sds[0] = 0.0
        return tuple(sds)


NO_SMOOTHING = Smoothing()


@dataclass(frozen=True, eq=False)
class GreySample:
    """Some of an image's grey values.

    Attributes
    ----------
    values : (k,) sorted
    of : voxels of the whole image
    """

    values: Grey
    of: int

    @property
    def whole_numbers(self) -> bool:
        """Whether the grey values are integers."""
        return self.values.dtype.kind in "iub"

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return float(self.values[0]), float(self.values[-1])

    def histogram(self, bins: int = 256) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return counts (b,) and edges (b + 1,); a bin a value where integers are few.

        The outermost thousandths do not stretch the bins; they count in the first and last.
        """
        last = len(self.values) - 1
        low, high = (float(self.values[round(share * last)]) for share in (0.001, 0.999))
        if low == high:
            low, high = self.limits
        if self.whole_numbers and high - low < bins:
            edges = np.arange(low, high + 2) - 0.5
        else:
            edges = np.linspace(low, high, bins + 1)
        # the values are sorted: a panel that draws them must not wait for millions
        below = np.searchsorted(self.values, edges[1:-1])
        return np.diff([0, *below, len(self.values)]), edges

    def shares(self, thresholds: Sequence[float]) -> tuple[float, ...]:
        """Return the fraction of the sample in each class."""
        below = np.searchsorted(self.values, np.asarray(thresholds, float), side="right")
        counts = np.diff([0, *below, len(self.values)])
        return tuple(float(share) for share in counts / len(self.values))


def check_grey(shape: Sequence[int], dtype: Any, name: str) -> None:
    """Raise a ShapeError or a NotSegmentedError for arrays that thresholds cannot segment."""
    kind = np.dtype(dtype).kind
    if kind not in "iuf":
        raise NotSegmentedError(
            f"{name} holds values of type {dtype}.",
            "Grey values are needed: whole or real numbers.",
        )
    if len(shape) not in (2, 3) or 0 in shape:
        raise ShapeError(
            f"{name} has {len(shape)} axes, shape {tuple(shape)}.",
            "An image (y, x) or a volume (z, y, x) is needed.",
            "Take one channel or one time step, for example with Split Stack in the layer's menu.",
        )


def grey_sample(
    array: Any,
    name: str = "image",
    smoothing: Smoothing = NO_SMOOTHING,
    most: int = SAMPLE_VOXELS,
) -> GreySample:
    """Look at an image's grey values, at all of a small one and at some planes of a large one.

    Parameters
    ----------
    array : (Y, X) or (Z, Y, X), NumPy, dask or zarr
    most : grey values to keep at most, about

    Raises
    ------
    ShapeError, NotSegmentedError
        As `check_grey`; a value that is no number; a single value everywhere.
    """
    check_grey(array.shape, array.dtype, name)
    size = math.prod(array.shape)
    if len(array.shape) == 2:
        parts = [smoothed_part(array, 0, 0, array.shape[0], smoothing, name)]
    else:
        plane = size // array.shape[0]
        count = min(array.shape[0], max(SAMPLE_PLANES, most // plane))
        places = np.unique(np.linspace(0, array.shape[0] - 1, count).round().astype(int))
        if len(places) == array.shape[0]:
            parts = [smoothed_part(array, 0, 0, array.shape[0], smoothing, name)]
        else:
            parts = [smoothed_part(array, 0, k, k + 1, smoothing, name) for k in places.tolist()]
    step = max(1, math.ceil(math.sqrt(sum(part.size for part in parts) / most)))
    values = np.concatenate([part[..., ::step, ::step].ravel() for part in parts])
    values.sort()
    if values[0] == values[-1]:
        raise NotSegmentedError(
            f"{name} has the grey value {values[0]} everywhere.",
            "Phases of different grey are needed.",
            "Choose another image.",
        )
    return GreySample(values, size)


def smoothed_part(
    array: Any, axis: int, start: int, stop: int, smoothing: Smoothing, name: str = "image"
) -> Grey:
    """Return the planes `start` to `stop` along `axis`, as if the whole had been smoothed.

    A value that is no number is a NotSegmentedError.
    """
    sds = smoothing.along(len(array.shape))
    reach = int(TRUNCATE * sds[axis] + 0.5)
    first, last = max(0, start - reach), min(array.shape[axis], stop + reach)
    index = tuple(slice(first, last) if a == axis else slice(None) for a in range(len(sds)))
    part = np.asarray(array[index])
    if part.dtype.kind == "f" and not np.isfinite(part).all():
        raise NotSegmentedError(
            f"{name} has voxels without a number (NaN or infinite).",
            "Each voxel needs a grey value.",
            "Fill them first, for example with 0.",
        )
    if not any(sds):
        return part
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(part.astype(np.float32), sds, mode="nearest", truncate=TRUNCATE)
    inside = tuple(
        slice(start - first, stop - first) if a == axis else slice(None) for a in range(len(sds))
    )
    return np.asarray(smooth[inside])


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
