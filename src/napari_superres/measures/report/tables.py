"""The tables of a report, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import groupby
from typing import Any

from scipy import stats

from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.comparison import error_name
from napari_superres.measures.report import page
from napari_superres.measures.report.charts import ITEM_TITLES
from napari_superres.measures.rows import (
    MISMATCH_TOLERANCE,
    RELATIVE_TOLERANCE,
    TOLERANCES,
    Row,
    number,
    rows_of,
    tolerance_of,
)

Numbers = Mapping[str, Any]

NOTHING = "–"


def cards(numbers: Numbers) -> str:
    """Return the errors that a super-res volume is judged by."""
    shown = []
    for key, differences in numbers["differences"].items():
        other = ITEM_TITLES[key.removeprefix("super_res_")]
        fractions = differences["volume_fraction_error"]
        areas = differences["interface_area_error"]
        if fractions is not None:
            good = fractions <= TOLERANCES["volume_fractions"]
            shown.append(page.card(f"{fractions:.4f}", f"volume fraction error, {other}", good))
        if areas is not None:
            good = areas <= RELATIVE_TOLERANCE
            shown.append(page.card(f"{areas:.1%}", f"interface area error, {other}", good))
    mismatch = numbers.get("low_res_mismatch")
    if mismatch is not None:
        good = mismatch <= MISMATCH_TOLERANCE
        shown.append(page.card(f"{mismatch:.2%}", "low-res voxels not given back", good))
    return f'<div class="cards">{"".join(shown)}</div>'


def scalar_table(numbers: Numbers) -> str:
    """Return all scalar measures of all items, with the differences of super-res."""
    items = [name for name in ITEM_TITLES if name in numbers["items"]]
    against = [name.removeprefix("super_res_") for name in numbers["differences"]]
    head = ["", *(ITEM_TITLES[name] for name in items), *(f"Δ {ITEM_TITLES[n]}" for n in against)]
    realisations = numbers["realisations"]
    if realisations:
        head.append(f"mean ± s.d. of {1 + len(realisations)}")
    rows: list[str] = []
    found = rows_of([numbers["items"]["super_res"], *realisations])
    for title, group in groupby(found, key=lambda row: row.title):
        rows.append(page.group(title, len(head)))
        for row in group:
            cells = [escape(row.label)]
            cells += [number(_at(numbers["items"][name], row)) for name in items]
            cells += [_difference(numbers, name, row) for name in against]
            if realisations:
                cells.append(number(row.mean) + ("" if row.sd is None else f" ± {row.sd:.2g}"))
            rows.append(page.row(cells))
    return page.table(head, rows) + _errors(numbers)


def _at(summary: Mapping[str, Any], row: Row) -> Any:
    value = summary.get(row.measure, {}).get(row.entry)
    if isinstance(value, Mapping):
        return value.get(row.axis) if row.axis else None
    return None if row.axis else value


def _difference(numbers: Numbers, other: str, row: Row) -> str:
    """Return a difference, marked by whether it is within tolerance."""
    gaps = numbers["differences"][f"super_res_{other}"].get(row.measure, {}).get(row.entry)
    gap = gaps.get(row.axis) if gaps and row.axis else gaps
    value = (gap or {}).get("difference" if row.absolute else "relative")
    if value is None:
        return NOTHING
    good = abs(value) <= tolerance_of(row.measure, numbers["items"][other], row.entry)
    mark = '<span class="good">✓</span>' if good else '<span class="bad">✗</span>'
    return (f"{value:+.4f} " if row.absolute else f"{value:+.1%} ") + mark


def _errors(numbers: Numbers) -> str:
    """Return the mean errors by measure."""
    head = [
        "mean error",
        *(ITEM_TITLES[n.removeprefix("super_res_")] for n in numbers["differences"]),
    ]
    rows = []
    for measure, about in SCALARS.items():
        values = [gaps.get(error_name(measure)) for gaps in numbers["differences"].values()]
        if any(value is not None for value in values):
            form = "{:.4f}" if about.absolute else "{:.1%}"
            cells = [NOTHING if value is None else form.format(value) for value in values]
            rows.append(page.row([about.title, *cells]))
    values = [gaps.get("two_point_rmse") for gaps in numbers["differences"].values()]
    if any(value is not None for value in values):
        rows.append(page.row(["two-point correlation within phases, RMSE", *map(number, values)]))
    return page.table(head, rows) if rows else ""


def representativity_table(numbers: Numbers) -> str:
    """Return the intervals of the material's fractions, from slices and volumes."""
    head = ["", "fraction", "material’s fraction", "integral range", "independent samples",
            "× as many for ± 0.01"]  # fmt: skip
    rows = []
    for name, title in ITEM_TITLES.items():
        summary = numbers["items"].get(name, {})
        entries = summary.get("representativity")
        if not entries:
            continue
        unit = "µm" if summary["voxel_size_um"] else "voxels"
        rows.append(page.group(title, len(head)))
        for entry, about in entries.items():
            rows.append(page.row([escape(entry), *_representativity_cells(about, unit)]))
    return page.table(head, rows)


def _representativity_cells(about: Mapping[str, Any], unit: str) -> list[str]:
    if about["low"] is None:
        return [number(about["fraction"]), *[NOTHING] * 4]
    spread = about["fraction"] * (1 - about["fraction"]) / about["samples"]
    quantile = stats.norm.ppf((1 + about["confidence"]) / 2)
    return [
        number(about["fraction"]),
        f"{about['low']:.3f} to {about['high']:.3f}",
        f"{about['integral_range']:.3g} {unit}",
        f"{about['samples']:.0f}",
        f"{spread * (quantile / 0.01) ** 2:.2g}",
    ]


def settings_table(numbers: Numbers) -> str:
    """Return settings, options, tolerances and versions."""
    rows = []
    groups = {
        "training": numbers["settings"] or {},
        "report": numbers["options"],
        "tolerances": {SCALARS[name].title: value for name, value in TOLERANCES.items()}
        | {"others, relative": f"{RELATIVE_TOLERANCE:.0%}"}
        | {"volume fraction, against slices": "as above, or half their interval if larger"}
        | {"low-res voxels not given back": f"{MISMATCH_TOLERANCE:.0%}"},
        "versions": numbers["versions"],
    }
    for title, entries in groups.items():
        if entries:
            rows.append(page.group(title, 2))
        for name, value in entries.items():
            if name != "engine":
                rows.append(page.row([escape(name.replace("_", " ")), escape(_plain(value))]))
    return page.table(["", ""], rows)


def _plain(value: Any) -> str:
    """Return a setting as a person writes it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}:{part}" for key, part in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    return NOTHING if value is None else str(value)
