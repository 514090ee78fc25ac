"""What is compared of many small images of one material: real against synthetic.

Porosity, specific surface area, two-point correlation and correlation length of
each image (Liu & Mukerji 2022, figure 3), the histogram of grey values, and one
number for how far two collections are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from napari_superres.data.phases import Phase
from napari_superres.measures.kinds.fractions import volume_fractions
from napari_superres.measures.kinds.surface import specific_surface_areas
from napari_superres.measures.kinds.two_point import correlation_length, two_point
from napari_superres.measures.naming import phase_names

Images = NDArray[np.uint8]
Numbers = NDArray[np.float64]

BINS = 32
DARK, BRIGHT = "dark", "bright"
FRACTION_UNIT, SURFACE_UNIT, CURVE_UNIT, HISTOGRAM_UNIT = 0.01, 0.05, 0.01, 0.05
"""An error of this size in a mean fraction, relative surface, curve or histogram adds 1."""


@dataclass(frozen=True)
class Segmenter:
    """Makes phases of images: their own, or below and above a grey threshold.

    Attributes
    ----------
    names : of the phases, in the order of their indices
    threshold : grey values up to it are phase 0; None for segmented images
    """

    names: tuple[str, ...]
    threshold: float | None = None

    @classmethod
    def fit(cls, images: Sequence[Images], phases: Sequence[Phase]) -> Segmenter:
        """Return the segmenter of real images; Otsu's threshold over all of them for grey ones."""
        if phases:
            return cls(tuple(phase_names(phases)))
        counts = np.sum([np.bincount(image.ravel(), minlength=256) for image in images], axis=0)
        if np.count_nonzero(counts) < 2:
            return cls((DARK, BRIGHT), 127.0)
        threshold = threshold_otsu(hist=(counts, np.arange(256)))  # type: ignore[no-untyped-call]
        return cls((DARK, BRIGHT), float(threshold))

    def labels(self, images: Images) -> Images:
        """Return phase indices, same shape."""
        if self.threshold is None:
            return images
        return (images > self.threshold).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Texture:
    """Measures of K images with n phases.

    Attributes
    ----------
    names : of the phases
    fractions : (K, n) area fractions; the first phase's is the porosity
    surfaces : (K, n) specific surface areas (perimeter / area), 1/pixel
    correlations : (K, n, d + 1) intra-phase two-point correlation to half a side, mean of both
        axes
    lengths : (K, n) fitted correlation lengths in pixels; NaN where there is none
    histogram : (32,) shares of grey values in equal bins of 0 to 255; empty for phases
    """

    names: tuple[str, ...]
    fractions: Numbers
    surfaces: Numbers
    correlations: Numbers
    lengths: Numbers
    histogram: Numbers

    @property
    def curve(self) -> Numbers:
        """The mean two-point correlation, (n, d + 1)."""
        return np.asarray(self.correlations.mean(axis=0))

    @property
    def mean_fractions(self) -> dict[str, float]:
        """The mean area fraction of each phase by name."""
        return dict(zip(self.names, self.fractions.mean(axis=0).tolist(), strict=True))


def measure_texture(images: Images, segmenter: Segmenter) -> Texture:
    """Measure images.

    Parameters
    ----------
    images : (K, rows, columns) grey values or phase indices
    segmenter : of the real images, so that all are judged by one threshold
    """
    n = len(segmenter.names)
    reach = min(images.shape[1:]) // 2
    fractions, surfaces, correlations, lengths = [], [], [], []
    for labels in segmenter.labels(images):
        fractions.append(volume_fractions(labels, n))
        surfaces.append(specific_surface_areas(labels, n))
        both = two_point(labels, n, reach).mean(axis=0)
        curves = both[np.arange(n), np.arange(n)]
        correlations.append(curves)
        lengths.append([correlation_length(curve).length for curve in curves])
    histogram = np.zeros(0)
    if segmenter.threshold is not None:
        histogram = np.histogram(images, BINS, (0, 256))[0] / images.size
    found = np.array(lengths, float)
    return Texture(
        segmenter.names,
        np.array(fractions),
        np.array(surfaces),
        np.array(correlations),
        np.where(np.isfinite(found), found, np.nan),
        histogram,
    )


@dataclass(frozen=True)
class TextureGap:
    """How far two collections of images are apart.

    Attributes
    ----------
    fraction : largest difference of a phase's mean fraction
    surface : largest relative difference of a phase's mean specific surface area
    two_point : root mean square difference of the mean two-point correlations,
        over phases and distances
    length : largest relative difference of a phase's median correlation length;
        None where one has none
    histogram : half the sum of the differences of grey histograms, 0 to 1; None for phases
    """

    fraction: float
    surface: float
    two_point: float
    length: float | None
    histogram: float | None

    @property
    def score(self) -> float:
        """Return one number, in units of a good result; lower is better."""
        return (
            self.fraction / FRACTION_UNIT
            + self.surface / SURFACE_UNIT
            + self.two_point / CURVE_UNIT
            + (self.histogram or 0.0) / HISTOGRAM_UNIT
        )


def texture_gap(found: Texture, wanted: Texture) -> TextureGap:
    """Compare two collections measured with one segmenter and distance."""
    wanted_surface = wanted.surfaces.mean(axis=0)
    surface = np.abs(found.surfaces.mean(axis=0) - wanted_surface)
    relative = surface[wanted_surface > 0] / wanted_surface[wanted_surface > 0]
    histogram = None
    if wanted.histogram.size:
        histogram = float(np.abs(found.histogram - wanted.histogram).sum() / 2)
    return TextureGap(
        float(np.abs(found.fractions.mean(axis=0) - wanted.fractions.mean(axis=0)).max()),
        float(relative.max()) if relative.size else 0.0,
        float(np.sqrt(np.mean((found.curve - wanted.curve) ** 2))),
        _length_gap(found.lengths, wanted.lengths),
        histogram,
    )


def _length_gap(found: Numbers, wanted: Numbers) -> float | None:
    gaps = []
    for ours, theirs in zip(found.T, wanted.T, strict=True):
        ours, theirs = ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]
        if ours.size and theirs.size:
            median = np.median(theirs)
            gaps.append(abs(np.median(ours) - median) / median)
    return float(max(gaps)) if gaps else None
