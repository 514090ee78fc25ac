"""A table of measures: a row for each number, beside its reference, as objects and as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.comparison import common_names, renamed, same_unit
from napari_superres.measures.summary import Summary

TOLERANCES = {"volume_fractions": 0.02, "percolating_fraction": 0.05, "transport_efficiency": 0.02}
"""Largest difference that is within tolerance, of measures that are compared by difference."""

RELATIVE_TOLERANCE = 0.15
"""Of the others, relative to the reference."""

MISMATCH_TOLERANCE = 0.05


@dataclass(frozen=True)
class Row:
    """One number of each measured volume, beside the reference's.

    Attributes
    ----------
    measure : name out of `SCALARS`
    entry : phase, pair "a|b" or triple "a|b|c"
    axis : "z", "y", "x", or "" where the measure has no axes
    unit : "" for none
    values : of each volume; None where it is not defined, or in another unit than the first's
    reference : of the reference; None for none
    tolerance : largest gap that is within tolerance; None without a reference
    """

    measure: str
    entry: str
    axis: str
    unit: str
    values: tuple[float | None, ...]
    reference: float | None
    tolerance: float | None

    @property
    def title(self) -> str:
        """What the measure is called, with its unit."""
        return titled(self.measure, self.unit)

    @property
    def label(self) -> str:
        """Entry and axis, for tables and charts."""
        return f"{self.entry.replace('|', ' | ')} {self.axis}".strip()

    @property
    def absolute(self) -> bool:
        """Whether the gap is a difference, not a share of the reference."""
        return SCALARS[self.measure].absolute

    @property
    def mean(self) -> float | None:
        """The mean of the volumes that have a value."""
        known = [value for value in self.values if value is not None]
        return float(np.mean(known)) if known else None

    @property
    def sd(self) -> float | None:
        """The standard deviation over the volumes; None for less than two."""
        known = [value for value in self.values if value is not None]
        return float(np.std(known, ddof=1)) if len(known) > 1 else None

    @property
    def gap(self) -> float | None:
        """Mean less reference, or as a share of the reference, see `absolute`."""
        if self.mean is None or self.reference is None:
            return None
        difference = self.mean - self.reference
        if self.absolute:
            return difference
        return difference / self.reference if self.reference else None

    @property
    def good(self) -> bool | None:
        """Whether the gap is within tolerance; None where there is nothing to judge."""
        if self.gap is None or self.tolerance is None:
            return None
        return abs(self.gap) <= self.tolerance


def titled(measure: str, unit: str) -> str:
    """Return what a measure is called, with its unit where it has one."""
    return SCALARS[measure].title + (f" ({unit})" if unit else "")


def rows_of(found: Sequence[Summary], reference: Summary | None = None) -> list[Row]:
    """Return the scalar measures of one or several volumes as rows.

    Parameters
    ----------
    found : summaries of realisations, at least one; its first gives names and order
    reference : summary to compare with

    Raises
    ------
    PhaseError
        Two of them have no label value in common.
    """
    first = found[0]
    others = [(summary, common_names(first, summary)) for summary in found]
    rows = []
    for measure in (name for name in SCALARS if name in first):
        for entry, axis in _places(first[measure]):
            values = tuple(
                _value(one, names, measure, entry, axis) if same_unit(first, one, measure) else None
                for one, names in others
            )
            wanted = tolerance = None
            if reference is not None and _comparable(first, reference, measure, axis):
                names = common_names(first, reference)
                wanted = _value(reference, names, measure, entry, axis)
                tolerance = tolerance_of(measure, reference, renamed(entry, names))
            unit = first["units"].get(measure, "")
            rows.append(Row(measure, entry, axis, unit, values, wanted, tolerance))
    return rows


def _comparable(found: Summary, reference: Summary, measure: str, axis: str) -> bool:
    # the axes of a slice are not those of a volume
    alike = not axis or reference["axes"] == found["axes"]
    return alike and measure in reference and same_unit(found, reference, measure)


def _places(entries: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for entry, value in entries.items():
        if isinstance(value, Mapping):
            yield from ((entry, axis) for axis in value)
        else:
            yield entry, ""


def _value(
    summary: Summary, names: Mapping[str, str], measure: str, entry: str, axis: str
) -> float | None:
    value = summary.get(measure, {}).get(renamed(entry, names))
    if isinstance(value, Mapping):
        return value.get(axis)
    return None if axis else value


def number(value: float | None) -> str:
    """Return four digits that count; an en dash for nothing."""
    if value is None:
        return "–"
    return f"{value:.4f}" if 0.1 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"


def gap_text(row: Row) -> str:
    """Return the gap with its sign, and a mark for whether it is within tolerance."""
    if row.gap is None:
        return "–"
    text = f"{row.gap:+.4f}" if row.absolute else f"{row.gap:+.1%}"
    return text if row.good is None else f"{text} {'✓' if row.good else '✗'}"


def as_csv(
    rows: Sequence[Row],
    names: Sequence[str],
    reference: str | None = None,
    delimiter: str = ",",
) -> str:
    """Return rows as text for a spreadsheet, all digits kept.

    Parameters
    ----------
    names : of the volumes, in the order of `Row.values`
    reference : name of the reference; None for none
    delimiter : a comma, or a tab
    """
    several = len(names) > 1
    head = ["measure", "unit", "entry", "axis", *names]
    head += ["mean", "standard deviation"] if several else []
    head += [reference, "difference", "kind", "tolerance", "within"] if reference else []
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        cells: list[Any] = [SCALARS[row.measure].title, row.unit, row.entry, row.axis, *row.values]
        cells += [row.mean, row.sd] if several else []
        if reference:
            kind = "absolute" if row.absolute else "relative"
            within = None if row.good is None else "yes" if row.good else "no"
            cells += [row.reference, row.gap, kind, row.tolerance, within]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return buffer.getvalue()


def tolerance_of(measure: str, reference: Mapping[str, Any], entry: str) -> float:
    """Return the largest difference of an entry of `reference` that is within tolerance.

    Relative, unless the measure is absolute. For a volume fraction of slices it is at
    least half the slices' own interval, where that was measured.
    """
    tolerance = TOLERANCES.get(measure, RELATIVE_TOLERANCE)
    about = reference.get("representativity", {}).get(entry, {})
    if measure != "volume_fractions" or not of_slices(reference) or about.get("low") is None:
        return tolerance
    return max(tolerance, float(about["high"] - about["low"]) / 2)


def of_slices(summary: Mapping[str, Any]) -> bool:
    """Whether a summary is of slices, not of a volume."""
    return len(summary["axes"]) == 2 or isinstance(summary["shape"][0], list)
