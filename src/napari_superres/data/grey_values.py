"""Grey values of an image that is not segmented yet: smooth them, look at some of them.

Arrays may be NumPy, dask or zarr: only the planes that are needed are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.errors import NotSegmentedError, ShapeError

Grey = NDArray[np.integer[Any] | np.floating[Any]]

SAMPLE_VOXELS = 2**21
SAMPLE_PLANES = 16
TRUNCATE = 3.0
"""Standard deviations after which a Gaussian ends."""


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
    """Raise for arrays that thresholds cannot segment.

    Raises
    ------
    ShapeError
        Neither an image (y, x) nor a volume or stack (z, y, x).
    NotSegmentedError
        Values that are no grey values.
    """
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

    Raises
    ------
    NotSegmentedError
        A value is no number.
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
