"""Charts of a report: violins, correlation and chord curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from napari_superres.measures.arrays import weighted_mean
from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.figures import ITEM_COLOURS, ITEM_MARKERS, ITEM_TITLES

Numbers = Mapping[str, Any]
DASHES = {"z": "-", "y": "--", "x": ":", "": "-"}


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure without background, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.set_facecolor("none")
    return figure


def tidy(axes: Axes, title: str) -> None:
    """Give axes a title and the look of the report."""
    axes.set_facecolor("none")
    axes.set_title(title, fontsize=10)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _flat(measure: str, entries: Mapping[str, Any], by_axis: bool) -> dict[str, Any]:
    """Return {label: leaf}; axes become labels, or their leaves a list to be pooled."""
    if not SCALARS[measure].per_axis:
        return dict(entries)
    if by_axis:
        return {
            f"{entry} {axis}": leaf
            for entry, axes in entries.items()
            for axis, leaf in axes.items()
        }
    return {entry: list(axes.values()) for entry, axes in entries.items()}


def _numbers_of(leaf: Any, key: str | None = None) -> list[float]:
    """Return the numbers of a leaf: one, one an axis, or the values of sub-volumes."""
    parts = leaf if isinstance(leaf, list) else [leaf]
    values: list[Any] = []
    for part in parts:
        values.extend(part[key] if key is not None else [part])
    return [value for value in values if value is not None]


def violins(numbers: Numbers, by_axis: bool) -> Figure:
    """Draw each measure's distribution over sub-volumes, with crosses for slices (figures 2, 5, 7).

    Parameters
    ----------
    numbers : of `measure_report`
    by_axis : whether axes stand by themselves (anisotropic) or are pooled
    """
    sampled = numbers["sub_volumes"]
    first = next(iter(sampled.values()))
    shown = [
        name
        for name in first
        if any(_numbers_of(leaf, "values") for leaf in _flat(name, first[name], False).values())
    ]
    columns = 2
    rows = -(-len(shown) // columns)
    figure = new_figure(10, 2.7 * rows)
    for index, measure in enumerate(shown):
        axes = figure.add_subplot(rows, columns, index + 1)
        unit = numbers["items"]["super_res"]["units"].get(measure, "")
        title = SCALARS[measure].title + (f" ({unit})" if unit else "")
        tidy(axes, title)
        _draw_violins(axes, numbers, measure, by_axis)
        if index == 0:
            axes.legend(fontsize=8, frameon=False)
    return figure


def _draw_violins(axes: Axes, numbers: Numbers, measure: str, by_axis: bool) -> None:
    sampled = numbers["sub_volumes"]
    labels = list(_flat(measure, next(iter(sampled.values()))[measure], by_axis))
    width = 0.8 / len(sampled)
    for index, (item, measures) in enumerate(sampled.items()):
        colour = ITEM_COLOURS[item]
        leaves = _flat(measure, measures[measure], by_axis)
        shift = (index - (len(sampled) - 1) / 2) * width
        drawn = {
            place + shift: _numbers_of(leaves[label], "values")
            for place, label in enumerate(labels)
            if label in leaves and _numbers_of(leaves[label], "values")
        }
        axes.plot([], [], color=colour, lw=6, alpha=0.6, label=ITEM_TITLES[item])
        if not drawn:
            continue  # an item of one phase has no chords, for example
        parts = axes.violinplot(
            list(drawn.values()), list(drawn), widths=0.9 * width, showextrema=False, showmeans=True
        )
        for body in cast("list[PolyCollection]", parts["bodies"]):
            body.set(facecolor=colour, edgecolor=colour, alpha=0.45)
        parts["cmeans"].set(color=colour, linewidth=2)
    for item in ("high_res", "low_res"):
        whole = numbers["items"].get(item, {}).get(measure)
        if whole is None or (item == "low_res" and measure != "volume_fractions"):
            continue
        leaves = _flat(measure, whole, by_axis)
        points = [
            (place, float(np.mean(_numbers_of(leaves[label]))))
            for place, label in enumerate(labels)
            if label in leaves and _numbers_of(leaves[label])
        ]
        axes.plot(
            [place for place, _ in points],
            [value for _, value in points],
            ITEM_MARKERS[item],
            color=ITEM_COLOURS[item],
            ms=7,
            mew=2,
            label=ITEM_TITLES[item],
        )
    axes.set_xticks(range(len(labels)), [label.replace("|", "\n") for label in labels], fontsize=8)
    axes.margins(x=0.08)


def curves(
    numbers: Numbers, kind: str, by_axis: bool, columns: int = 3, width: float = 10
) -> Figure:
    """Draw "intra", "inter" (two-point correlations) or "chords" of every item (figure 10).

    Parameters
    ----------
    numbers : of `measure_report`, or its items with two_point or chord_length alone
    by_axis : whether each axis has its own line, or they are averaged
    columns : panels beside each other, at most
    width : inches
    """
    measure, key, steps = {
        "intra": ("two_point", "intra", "distance"),
        "inter": ("two_point", "inter", "distance"),
        "chords": ("chord_length", "distribution", "length"),
    }[kind]
    summaries = {name: numbers["items"].get(name, {}) for name in ITEM_TITLES if name != "low_res"}
    items = {name: found[measure] for name, found in summaries.items() if measure in found}
    names = list(items["super_res"][key])
    others = [found[measure] for found in numbers.get("realisations", []) if measure in found]
    columns = min(columns, max(1, len(names)))
    rows = -(-len(names) // columns)
    figure = new_figure(width, 2.6 * rows)
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, index + 1)
        tidy(axes, name.replace("|", " | "))
        for found in others:
            if name in found[key]:
                _draw_curves(axes, "super_res", found[key][name], found[steps], by_axis, None)
        for item, found in items.items():
            if name in found[key]:
                title = title_of(numbers, item)
                _draw_curves(axes, item, found[key][name], found[steps], by_axis, title)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        unit = "µm" if numbers["items"]["super_res"]["voxel_size_um"] else "voxels"
        axes.set_xlabel(f"{'length' if kind == 'chords' else 'distance'} ({unit})", fontsize=8)
        if index == 0:
            axes.legend(fontsize=8, frameon=False)
    return figure


def title_of(numbers: Numbers, item: str) -> str:
    """Return what an item is called: its usual title, or the one that came with the numbers."""
    return str(numbers.get("titles", {}).get(item, ITEM_TITLES[item]))


def _draw_curves(
    axes: Axes, item: str, by_name: Numbers, steps: Numbers, by_axis: bool, title: str | None
) -> None:
    """Draw the curve of each axis, or their mean where the axes are alike; thin without a title."""
    lines = {axis: np.array(curve, float) for axis, curve in by_name.items()}
    alike = len({tuple(step) for step in steps.values()}) == 1
    if not by_axis and alike:
        axis = next(iter(lines))
        lines = {"": weighted_mean(list(lines.values()), [1] * len(lines))}
        steps = {"": steps[axis]}
    for index, (axis, line) in enumerate(lines.items()):
        axes.plot(
            steps[axis],
            line,
            DASHES[axis],
            color=ITEM_COLOURS[item],
            lw=0.7 if title is None else 1.6,
            alpha=0.6 if title is None else 1.0,
            label=title if index == 0 else None,  # the caption tells the dashes
        )
