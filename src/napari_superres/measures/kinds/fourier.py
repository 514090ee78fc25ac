"""Fourier profiles: how much detail an image holds at each spatial frequency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_superres.data.volumes import Labels
from napari_superres.errors import ShapeError
from napari_superres.measures.arrays import Sizes, as_labels

SLICES_PER_AXIS = 16
FLOOR = 0.01
"""Added to |F|/√pixels, so that its logarithm exists."""


class FourierProfile(NamedTuple):
    """Mean log magnitude by spatial frequency.

    Attributes
    ----------
    frequency : (rings,) cycles per voxel, or per µm with a voxel size
    magnitude : (rings,) ring mean of `log_magnitude`; NaN where there is nothing to average
    """

    frequency: NDArray[np.float64]
    magnitude: NDArray[np.float64]


def log_magnitude(
    image: object, n_phases: int, pixel_size: Sizes | None = None
) -> NDArray[np.float64]:
    """Return the centred log magnitude map of a slice, the mean over its phase maps.

    Definition: log10(edge · (|F|/√pixels + 0.01)), F the 2D Fourier transform of a
    phase's indicator less its mean, frequency zero in the middle, and edge that of
    a square as large as a pixel. So normalised it is the root of the power spectral
    density, which does not depend on the size of image or pixel. Source: Dahari et
    al. 2022, SI fig. 18.

    Parameters
    ----------
    image : (Y, X) phase indices 0 … n − 1
    n_phases : n; absent phases are left out
    pixel_size : µm along y and x; None for 1

    Returns
    -------
    (Y, X) float64
        NaN where a single phase is all there is.

    Raises
    ------
    ShapeError
        More than two axes.
    """
    array = as_labels(image, n_phases)
    if array.ndim != 2:
        raise ShapeError(
            f"The image has {array.ndim} axes.", "A Fourier map is made of a slice (y, x)."
        )
    edge = 1.0 if pixel_size is None else float(np.sqrt(np.prod(pixel_size)))
    maps = []
    for phase in range(n_phases):
        share = (array == phase).astype(np.float32)
        mean = float(share.mean())
        if 0 < mean < 1:
            waves = np.abs(fft.fft2(share - mean)) / np.sqrt(array.size)
            maps.append(np.log10(edge * (waves + FLOOR)))
    if not maps:
        return np.full(array.shape, np.nan)
    return np.asarray(fft.fftshift(np.mean(maps, axis=0)), np.float64)


def fourier_profile(
    images: Sequence[Labels], n_phases: int, pixel_size: Sizes | None = None
) -> FourierProfile:
    """Measure the Fourier profile of slices: ring means of `log_magnitude`.

    Parameters
    ----------
    images : (Y, X) phase indices each, of any sizes
    n_phases : n, absent phases included
    pixel_size : µm along y and x; None for frequencies in cycles per pixel

    Returns
    -------
    FourierProfile
        Rings up to the Nyquist frequency of the coarser axis, as wide as the
        lowest frequency of the smallest image; the mean over the images.
    """
    sizes = np.ones(2) if pixel_size is None else np.asarray(pixel_size, float)
    lengths = np.array([image.shape for image in images]) * sizes
    width = 1 / float(lengths.min())
    n_rings = max(1, int(np.floor(0.5 / (sizes.max() * width) + 1e-9)))
    sums, counts = np.zeros(n_rings), np.zeros(n_rings)
    for image in images:
        rows, columns = (
            fft.fftshift(fft.fftfreq(n, size)) for n, size in zip(image.shape, sizes, strict=True)
        )
        ring = np.rint(np.hypot(rows[:, None], columns) / width).astype(np.intp) - 1
        inside = (ring >= 0) & (ring < n_rings)
        magnitude = log_magnitude(image, n_phases, sizes)
        inside &= np.isfinite(magnitude)
        sums += np.bincount(ring[inside], magnitude[inside], n_rings)
        counts += np.bincount(ring[inside], minlength=n_rings)
    mean = np.full(n_rings, np.nan)
    np.divide(sums, counts, out=mean, where=counts > 0)
    return FourierProfile(np.asarray(width * np.arange(1, n_rings + 1), np.float64), mean)


def planes(volume: Labels, axis: int, count: int = SLICES_PER_AXIS) -> list[Labels]:
    """Return up to `count` evenly spaced slices normal to `axis`."""
    size = volume.shape[axis]
    places = np.unique(np.linspace(0, size - 1, min(count, size)).round().astype(int))
    return [np.take(volume, place, axis) for place in places]
