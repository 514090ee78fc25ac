"""The tables of a report, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from scipy import stats

from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.comparison import error_name
from napari_superres.measures.report import page
from napari_superres.measures.report.figures import ITEM_TITLES
from napari_superres.measures.rows import (
    MISMATCH_TOLERANCE,
    RELATIVE_TOLERANCE,
    TOLERANCES,
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
    spread = _spread(numbers)
    if spread:
        head.append(f"mean ± s.d. of {1 + len(numbers['realisations'])}")
    rows: list[str] = []
    for measure, about in SCALARS.items():
        found = numbers["items"]["super_res"].get(measure)
        if not found:
            continue
        unit = numbers["items"]["super_res"]["units"].get(measure, "")
        rows.append(page.group(about.title + (f" ({unit})" if unit else ""), len(head)))
        for entry, axis, _ in _leaves(found):
            cells = [escape(f"{entry.replace('|', ' | ')} {axis}".strip())]
            cells += [
                number(_at(numbers["items"][name].get(measure), entry, axis)) for name in items
            ]
            cells += [_difference(numbers, measure, name, entry, axis) for name in against]
            cells += [spread[measure, entry, axis]] if spread else []
            rows.append(page.row(cells))
    return page.table(head, rows) + _errors(numbers)


def _spread(numbers: Numbers) -> dict[tuple[str, str, str], str]:
    """Return mean and standard deviation over realisations by measure, entry and axis."""
    if not numbers["realisations"]:
        return {}
    rows = rows_of([numbers["items"]["super_res"], *numbers["realisations"]])
    return {
        (row.measure, row.entry, row.axis): number(row.mean)
        + ("" if row.sd is None else f" ± {row.sd:.2g}")
        for row in rows
    }


def _leaves(entries: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield entry, axis ("" for none) and value."""
    for entry, value in entries.items():
        if isinstance(value, Mapping):
            for axis, part in value.items():
                yield entry, axis, part
        else:
            yield entry, "", value


def _at(entries: Mapping[str, Any] | None, entry: str, axis: str) -> Any:
    value = (entries or {}).get(entry)
    if isinstance(value, Mapping):
        return value.get(axis) if axis else None
    return None if axis else value


def _difference(numbers: Numbers, measure: str, other: str, entry: str, axis: str) -> str:
    """Return a difference, marked by whether it is within tolerance."""
    gaps = numbers["differences"][f"super_res_{other}"].get(measure, {}).get(entry)
    gap = gaps.get(axis) if gaps and axis else gaps
    absolute = SCALARS[measure].absolute
    value = (gap or {}).get("difference" if absolute else "relative")
    if value is None:
        return NOTHING
    tolerance = tolerance_of(measure, numbers["items"][other], entry)
    good = abs(value) <= tolerance
    mark = '<span class="good">✓</span>' if good else '<span class="bad">✗</span>'
    return (f"{value:+.4f} " if absolute else f"{value:+.1%} ") + mark


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
