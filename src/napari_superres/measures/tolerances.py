"""How far a measure may be from its reference before it is marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOLERANCES = {"volume_fractions": 0.02, "percolating_fraction": 0.05, "transport_efficiency": 0.02}
"""Largest difference that is within tolerance, of measures that are compared by difference."""

RELATIVE_TOLERANCE = 0.15
"""Of the others, relative to the reference."""

MISMATCH_TOLERANCE = 0.05


def tolerance_of(measure: str, reference: Mapping[str, Any], entry: str) -> float:
    """Return the largest difference of an entry that is within tolerance.

    Parameters
    ----------
    measure : name out of `SCALARS`; relative differences are judged unless it is absolute
    reference : summary that it is compared with
    entry : its name in `reference`

    Returns
    -------
    float
        Of a volume fraction of slices at least half the slices' own interval,
        where that was measured.
    """
    tolerance = TOLERANCES.get(measure, RELATIVE_TOLERANCE)
    about = reference.get("representativity", {}).get(entry, {})
    if measure != "volume_fractions" or not of_slices(reference) or about.get("low") is None:
        return tolerance
    return max(tolerance, float(about["high"] - about["low"]) / 2)


def of_slices(summary: Mapping[str, Any]) -> bool:
    """Whether a summary is of slices, not of a volume."""
    return len(summary["axes"]) == 2 or isinstance(summary["shape"][0], list)
