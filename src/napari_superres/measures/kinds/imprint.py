"""Grid imprint: whether a generated volume shows the low-res grid that it came from.

A material knows nothing of the grid: faces between phases, and the phases themselves,
are as frequent at each position within a low-res voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from napari_superres.errors import ScaleFactorError
from napari_superres.measures.arrays import as_labels


def face_imprint(
    labels: object, scale_factor: Sequence[Fraction], n_phases: int
) -> NDArray[np.float64]:
    """Measure how unevenly interfaces are spread over the positions within a low-res voxel.

    Definition: along each axis, the share of voxel faces between different phases for
    each position j = 0 … period − 1 of the face within a period of the grid; the standard
    deviation of these shares over their mean.

    Parameters
    ----------
    labels : (Z, Y, X) phase indices 0 … n − 1
    scale_factor : zyx; the period is its numerator, the high-res voxels after which high-res
        and low-res grid meet again
    n_phases : n

    Returns
    -------
    (3,) float64; NaN along axes of period 1 or of less than two periods, and without faces
    """
    array = as_labels(labels, n_phases)
    found = np.full(array.ndim, np.nan)
    for axis, period in enumerate(_periods(scale_factor, array.ndim)):
        along = np.moveaxis(array, axis, 0)
        met = (along[1:] != along[:-1]).reshape(len(along) - 1, -1).mean(1)
        whole = len(met) // period * period
        if period == 1 or whole < 2 * period:
            continue
        shares = met[:whole].reshape(-1, period).mean(0)
        if shares.mean() > 0:
            found[axis] = shares.std() / shares.mean()
    return found


def fraction_imprint(labels: object, scale_factor: Sequence[Fraction], n_phases: int) -> float:
    """Measure how unevenly phases are spread over the positions within a low-res voxel.

    Definition: each phase's fraction at each of the positions within a period of the grid
    along all axes; the standard deviation over the positions, the largest of the phases.

    Parameters
    ----------
    as for `face_imprint`

    Returns
    -------
    float; NaN where the volume is smaller than a period
    """
    array = as_labels(labels, n_phases)
    periods = _periods(scale_factor, array.ndim)
    whole = [size // period for size, period in zip(array.shape, periods, strict=True)]
    if min(whole) == 0:
        return float("nan")
    cut = array[tuple(slice(count * period) for count, period in zip(whole, periods, strict=True))]
    split = [part for pair in zip(whole, periods, strict=True) for part in pair]
    cells = cut.reshape(split)
    counted = tuple(range(0, 2 * array.ndim, 2))
    spreads = [(cells == phase).mean(axis=counted).std() for phase in range(n_phases)]
    return float(max(spreads))


def _periods(scale_factor: Sequence[Fraction], ndim: int) -> list[int]:
    if len(scale_factor) != ndim:
        raise ScaleFactorError(
            f"There are {len(scale_factor)} scale factors for {ndim} axes.", "One each is needed."
        )
    return [Fraction(factor).numerator for factor in scale_factor]
