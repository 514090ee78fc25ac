"""Scale factors: the ratio of low-res to high-res voxel size, per axis (zyx).

A scale factor is three exact fractions, so that sizes and tile starts stay
integers: every rational p/q in [1, 16] with a small q is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from napari_superres.errors import ScaleFactorError

ScaleFactor = tuple[Fraction, Fraction, Fraction]

SMALLEST = Fraction(1)
LARGEST = Fraction(16)
LARGEST_DENOMINATOR = 64


def parse_scale_factor(value: object) -> ScaleFactor:
    """Read a scale factor.

    Parameters
    ----------
    value : str, int, float, Fraction, or a sequence of three of these
        ``4``, ``1.6``, ``"8/5"``, ``"4,2,2"`` (zyx) or ``(4, 2, 2)``.

    Returns
    -------
    tuple of three Fractions
        Per axis, zyx.

    Raises
    ------
    ScaleFactorError
        When it is not a number between 1 and 16, or has no small denominator.
    """
    parts: Sequence[object]
    if isinstance(value, str):
        parts = [part.strip() for part in value.replace("x", ",").split(",")]
    elif isinstance(value, Sequence):
        parts = list(value)
    else:
        parts = [value]
    if len(parts) == 1:
        parts = [parts[0]] * 3
    if len(parts) != 3:
        raise ScaleFactorError(
            f"The scale factor {value!r} has {len(parts)} parts.",
            "One number, or three for the axes z, y, x, are needed.",
            "Write for example 4, 8/5 or 4,2,2.",
        )
    z, y, x = (_parse_one(part) for part in parts)
    return z, y, x


def _parse_one(part: object) -> Fraction:
    try:
        if isinstance(part, float):
            if not math.isfinite(part):
                raise ValueError
            fraction = Fraction(part).limit_denominator(LARGEST_DENOMINATOR)
            if abs(float(fraction) - part) > 1e-3 * part:
                raise ValueError
        else:
            text = str(part)
            if "e" in text.lower():  # 1e999999999 would be worked out to the last digit
                raise ValueError
            fraction = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ScaleFactorError(
            f"{part!r} is not a scale factor.", "A number such as 4, 1.6 or 8/5 is needed."
        ) from error
    if not SMALLEST <= fraction <= LARGEST:
        raise ScaleFactorError(
            f"The scale factor {part} is outside 1 to 16.",
            "It is the low-res voxel size divided by the high-res voxel size.",
            "Check the two voxel sizes, or that the volumes are not swapped.",
        )
    if fraction.denominator > LARGEST_DENOMINATOR:
        raise ScaleFactorError(
            f"The scale factor {part} is no ratio of small whole numbers.",
            f"Its denominator may be at most {LARGEST_DENOMINATOR}.",
            f"Try {fraction.limit_denominator(8)}.",
        )
    return fraction


def format_scale_factor(scale_factor: ScaleFactor) -> str:
    """Return the shortest text that `parse_scale_factor` reads back."""
    if len(set(scale_factor)) == 1:
        return str(scale_factor[0])
    return ",".join(str(part) for part in scale_factor)


def super_res_shape(
    low_res_shape: Sequence[int], scale_factor: ScaleFactor
) -> tuple[int, int, int]:
    """Return the shape of the super-res grid over a low-res grid (zyx).

    A size that is not whole is rounded down: a part of a voxel is not generated.
    """
    z, y, x = (
        math.floor(size * factor) for size, factor in zip(low_res_shape, scale_factor, strict=True)
    )
    return z, y, x


def scale_factor_from_voxel_sizes(
    low_res: Sequence[float], high_res: Sequence[float]
) -> ScaleFactor:
    """Return the scale factor that two voxel sizes (zyx, same unit) imply.

    Ratios within 1 % of a fraction p/q with q ≤ 8 are taken as that fraction.

    Raises
    ------
    ScaleFactorError
        When a ratio lies outside 1 to 16.
    """
    parts = []
    for coarse, fine in zip(low_res, high_res, strict=True):
        ratio = coarse / fine
        simple = next(
            (
                Fraction(round(ratio * q), q)
                for q in range(1, 9)
                if abs(round(ratio * q) / q - ratio) <= 0.01 * ratio
            ),
            None,
        )
        parts.append(simple if simple is not None else ratio)
    return parse_scale_factor(parts)
