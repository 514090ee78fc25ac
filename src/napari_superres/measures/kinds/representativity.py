"""Representativity: the interval in which a material's phase fraction lies, from its images alone.

The method is that of ImageRep (Dahari et al. 2025, "Prediction of microstructural
representativity from a single image"): the two-point correlation gives the
integral range, hence the variance of the measured fraction, hence an interval;
the uncertainty of that variance, itself estimated from the one image, widens it.
Here the widening is Student's t instead of a fit to a library of materials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from napari_superres.data.checks.representativity import fraction_error, fraction_interval
from napari_superres.data.volumes import Labels
from napari_superres.errors import SettingsError
from napari_superres.measures.arrays import as_labels


@dataclass(frozen=True)
class Representativity:
    """A phase fraction and how far the material's may be from it.

    Attributes
    ----------
    fraction : measured on the images, 0 to 1
    low, high : the material's fraction lies between them with `confidence`; NaN for a
        phase of which images cannot tell: absent, alone, or not in the part looked at
    confidence : 0 to 1
    sd : standard deviation of the measured fraction
    integral_range : edge of the square (cube), in voxels, that counts as one
        independent sample: (volume · sd² / (φ(1 − φ)))^(1/axes)
    samples : how many of these the images hold
    """

    fraction: float
    low: float
    high: float
    confidence: float
    sd: float
    integral_range: float
    samples: float

    @property
    def error(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def images_needed(self, error: float) -> float:
        """Return how many times as many images would bring the interval down to ± `error`.

        At the same confidence and a normal distribution; below 1 the images suffice.
        """
        quantile = stats.norm.ppf((1 + self.confidence) / 2)
        return float((quantile * self.sd / error) ** 2)


def representativity(
    images: Sequence[Labels], phases: Sequence[int], confidence: float = 0.95
) -> Representativity:
    """Measure a phase fraction and the interval of the material's own fraction.

    The interval is symmetric in the logit of the fraction, so that it stays within
    0 and 1, and uses Student's t with 2 √samples degrees of freedom. On generated
    materials it held the true fraction in 94 to 97 % of cases at a `confidence` of
    95 % (docs/measures.md).

    Parameters
    ----------
    images : independent slices (Y, X), or volumes (Z, Y, X), of phase indices
    phases : indices of the phases whose joint fraction is asked for
    confidence : of the interval, above 0 and below 1

    Returns
    -------
    Representativity

    Raises
    ------
    SettingsError
        A confidence that is none.
    ShapeError, PhaseError
        When an image is no slice or volume of phase indices.
    """
    if not 0 < confidence < 1:
        raise SettingsError(f"The confidence is {confidence}.", "It lies between 0 and 1.")
    arrays = [as_labels(image, 32) for image in images]
    voxels = sum(array.size for array in arrays)
    count = sum(np.count_nonzero(np.isin(array, list(phases))) for array in arrays)
    fraction = count / voxels
    sd = fraction_error(arrays, phases)
    if count in (0, voxels) or sd == 0:
        return Representativity(fraction, np.nan, np.nan, confidence, np.nan, np.nan, np.nan)
    spread = fraction * (1 - fraction)
    samples = spread / sd**2
    low, high = fraction_interval(fraction, sd, confidence)
    return Representativity(
        fraction=fraction,
        low=low,
        high=high,
        confidence=confidence,
        sd=sd,
        integral_range=float((voxels / samples) ** (1 / arrays[0].ndim)),
        samples=float(samples),
    )
