"""What `measure` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TITLES = {"high_res": "slices", "truth": "truth"}
ERRORS = {
    "volume_fraction_error": "volume-fraction error, mean over phases",
    "interface_area_error": "interface-area error, mean over pairs",
}


def table(numbers: Mapping[str, Any]) -> str:
    """Return the numbers as lines of text: values, and each reference with the difference."""
    from napari_superres.measures.rows import gap_text, number, rows_of

    items = numbers["items"]
    found = [items["super_res"], *numbers["realisations"]]
    others = [key.removeprefix("super_res_") for key in numbers["differences"]]
    columns = [rows_of(found, items[name]) for name in others] or [rows_of(found)]
    titles = ["mean", "± s.d."] if len(found) > 1 else [found[0]["name"]]
    for name in others:
        titles += [items[name]["name"], "difference"]
    lines = [" " * 36 + "".join(f"{title[:14]:>16}" for title in titles)]
    before = ""
    for row, *rest in zip(*columns, strict=True):
        if row.title != before:
            lines.append(row.title)
            before = row.title
        cells = [number(row.mean)]
        if len(found) > 1:
            cells.append("–" if row.sd is None else f"{row.sd:.2g}")
        for one in (row, *rest) if others else ():
            cells += [number(one.reference), gap_text(one)]
        name = f"{row.entry} {row.axis}".rstrip()
        lines.append(f"  {name:34}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join([*lines, *_error_lines(numbers, others)])


def _error_lines(numbers: Mapping[str, Any], others: Sequence[str]) -> list[str]:
    lines = []
    for name in others:
        differences = numbers["differences"][f"super_res_{name}"]
        against = f", {TITLES[name]}" if len(others) > 1 else ""
        for key, title in ERRORS.items():
            if differences.get(key) is not None:
                lines.append(f"{title + against:50}{differences[key]:8.4f}")
    if numbers.get("low_res_mismatch") is not None:
        lines.append(f"{'low-res mismatch':50}{numbers['low_res_mismatch']:8.4f}")
    return lines
