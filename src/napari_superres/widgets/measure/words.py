"""What was measured as tables, charts, lines and files; no Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.data.files.output import write_whole_text, written_whole
from napari_superres.measures.comparison import FORMAT_VERSION, compare_summaries
from napari_superres.measures.measuring import Measured
from napari_superres.measures.rows import Row, as_csv, gap_text, number, of_slices

LONGEST_NAME = 16
WIDTH = 4.4
"""Inches of a plot, which the panel shows at its own width."""


@dataclass(frozen=True)
class Line:
    """One line of a table as it is shown.

    Attributes
    ----------
    cells : texts, one a column; one alone for a heading
    heading : whether it opens a measure
    good : whether the gap is within tolerance; None for nothing to judge
    tip : what the tolerance is
    """

    cells: tuple[str, ...]
    heading: bool = False
    good: bool | None = None
    tip: str = ""


@dataclass(frozen=True)
class Grid:
    """A table as it is shown; `gap` is the column that is coloured, −1 for none."""

    head: list[str]
    lines: list[Line]
    gap: int


def short(name: str) -> str:
    """Return a name that fits a column or a legend."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def grid_of(rows: Sequence[Row], names: Sequence[str], reference: str | None) -> Grid:
    """Return rows as texts, a heading above each measure.

    With several volumes their mean comes first, then the reference and the
    difference, the standard deviation, then each.
    """
    several = len(names) > 1
    head = ["", "mean" if several else short(names[0]) if names else ""]
    head += [short(reference.removesuffix(" slices")), "difference"] if reference else []
    head += ["± s.d.", *(short(name) for name in names)] if several else []
    lines: list[Line] = []
    before = ""
    for row in rows:
        if row.measure != before:
            lines.append(Line((row.title,), heading=True))
            before = row.measure
        cells = [f"  {row.label}", number(row.mean)]
        cells += [number(row.reference), gap_text(row)] if reference else []
        if several:
            cells.append("–" if row.sd is None else f"{row.sd:.2g}")
            cells += [number(value) for value in row.values]
        lines.append(Line(tuple(cells), good=row.good, tip=tolerance_tip(row)))
    return Grid(head, lines, 3 if reference else -1)


def tolerance_tip(row: Row) -> str:
    """Return what is taken for within tolerance."""
    if row.tolerance is None:
        return ""
    allowed = f"{row.tolerance:.3g}" if row.absolute else f"{row.tolerance:.0%}"
    return f"Within tolerance up to ± {allowed}"


def table_text(rows: Sequence[Row], names: Sequence[str], reference: str | None) -> str:
    """Return the table for the clipboard, tab-separated."""
    return as_csv(rows, names, reference, delimiter="\t")


def write_table(path: Path, finished: Measured, rows: Sequence[Row]) -> Path:
    """Write a table as CSV, or all that was measured as JSON, by the file's suffix.

    Returns the file, with .csv behind it if it had neither suffix.
    """
    if path.suffix.lower() not in (".csv", ".json"):
        path = path.with_name(path.name + ".csv")
    names = [one["name"] for one in finished.found]
    reference = finished.reference
    if path.suffix.lower() == ".json":
        text = json.dumps(as_numbers(finished), indent=1, allow_nan=False) + "\n"
    else:
        text = as_csv(rows, names, None if reference is None else reference["name"])
    write_whole_text(path, text)
    return path


def as_numbers(finished: Measured) -> dict[str, Any]:
    """Return what was measured as the dictionary that JSON files hold."""
    numbers: dict[str, Any] = {"format_version": FORMAT_VERSION, "found": list(finished.found)}
    if finished.reference is not None:
        numbers["against"] = finished.reference
        numbers["differences"] = [
            compare_summaries(one, finished.reference) for one in finished.found
        ]
    return numbers


def chart_numbers(finished: Measured) -> dict[str, Any]:
    """Return what was measured as the charts of a report take it."""
    first, *others = finished.found
    titles = {"super_res": short(first["name"])}
    items: dict[str, Any] = {"super_res": first}
    if finished.reference is not None:
        item = "high_res" if of_slices(finished.reference) else "truth"
        items[item], titles[item] = finished.reference, short(finished.reference["name"])
    return {"items": items, "realisations": others, "titles": titles}


def charts_of(finished: Measured, rows: Sequence[Row]) -> dict[str, str]:
    """Return title by key of the plots that can be drawn of what was measured."""
    first = finished.found[0]
    titles = {"bars": "Values"} if rows else {}
    if "two_point" in first:
        titles["intra"] = "Two-point, within phases"
        if len(first["phases"]) > 1:
            titles["inter"] = "Two-point, between phases"
    if "chord_length" in first:
        titles["chords"] = "Chord lengths"
    if "fourier_profile" in first:
        titles["fourier"] = "Fourier profile"
    return titles


def finished_line(finished: Measured, rows: Sequence[Row]) -> str:
    """Return the status line at the end of measuring."""
    if not finished.found:
        return "Measuring was cancelled."
    judged = [row.good for row in rows if row.good is not None]
    count = len(finished.found)
    what = finished.found[0]["name"] if count == 1 else f"{count} volumes"
    if not judged:
        return f"Measured {what}."
    within = sum(judged)
    against = finished.reference["name"] if finished.reference else ""
    return f"Measured {what}: {within} of {len(judged)} values within tolerance of {against}."


def draw_chart(key: str, finished: Measured, rows: Sequence[Row], by_axis: bool = False) -> Any:
    """Draw one of `charts_of` as a matplotlib figure."""
    from napari_superres.measures.report import charts
    from napari_superres.measures.report.charts import bars

    numbers: Mapping[str, Any] = chart_numbers(finished)
    if key == "bars":
        reference = None if finished.reference is None else finished.reference["name"]
        return bars(rows, [one["name"] for one in finished.found], reference, WIDTH)
    if key == "fourier":
        return charts.fourier(numbers, WIDTH)
    return charts.curves(numbers, key, by_axis, columns=2, width=WIDTH)


def save_chart(figure: Any, path: Path) -> Path:
    """Write a figure as PNG or SVG, by the file's suffix, on white."""
    import matplotlib as mpl

    if path.suffix.lower() not in (".png", ".svg"):
        path = path.with_name(path.name + ".png")
    with written_whole(path) as temporary, mpl.rc_context({"svg.fonttype": "none"}):
        kind = path.suffix.lower()[1:]
        figure.savefig(temporary, format=kind, dpi=200, facecolor="white")
    return path
