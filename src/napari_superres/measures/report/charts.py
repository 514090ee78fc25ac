"""Charts of a report: violins, curves, bars, Fourier profiles and maps.

Drawn without pyplot, so that no window system is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from napari_superres.data.volumes import Labels
from napari_superres.measures.arrays import weighted_mean
from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.kinds.fourier import log_magnitude
from napari_superres.measures.rows import Row, titled

Numbers = Mapping[str, Any]
ITEM_TITLES = {
    "low_res": "low-res",
    "high_res": "high-res slice",
    "super_res": "super-res",
    "truth": "truth",
}
ITEM_COLOURS = {
    "low_res": "#8c8c8c",
    "high_res": "#d1495b",
    "super_res": "#2e78b8",
    "truth": "#3f8f63",
}
ITEM_MARKERS = {"low_res": "s", "high_res": "x", "super_res": "o", "truth": "D"}
DASHES = {"z": "-", "y": "--", "x": ":", "": "-"}

ROW, TITLE = 0.2, 0.62
"""Inches of height that a bar and a panel's title with its axis take."""
ABOVE = 0.08
"""Inches between a panel and its title."""


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


def ink(figure: Figure, colour: str) -> None:
    """Give all texts, ticks and frames of a figure one colour."""
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    for text in (text for legend in legends if legend for text in legend.get_texts()):
        text.set_color(colour)
    for axes in figure.axes:
        texts = [axes.title, axes.xaxis.label, axes.yaxis.label]
        for text in [*texts, *axes.get_xticklabels(), *axes.get_yticklabels()]:
            text.set_color(colour)
        for spine in axes.spines.values():
            spine.set_edgecolor(colour)
        axes.tick_params(color=colour, labelcolor=colour)


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
        tidy(axes, titled(measure, unit))
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
            place + shift: values
            for place, label in enumerate(labels)
            if (values := _numbers_of(leaves.get(label, []), "values"))
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
        points = {
            place: float(np.mean(values))
            for place, label in enumerate(labels)
            if (values := _numbers_of(leaves.get(label, [])))
        }
        axes.plot(
            list(points),
            list(points.values()),
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
            label=title if index == 0 else None,  # the caption explains the dashes
        )


def bars(
    rows: Sequence[Row], names: Sequence[str], reference: str | None = None, width: float = 4.4
) -> Figure:
    """Draw a panel for each measure: a bar for each number, a line for the reference.

    Parameters
    ----------
    rows : of `rows_of`
    names : of the volumes; with several, bars are means, with their standard deviations
    reference : name of what the lines stand for; None for none
    width : inches
    """
    shown = [row for row in rows if row.mean is not None]
    measures = list(dict.fromkeys(row.measure for row in shown))
    panels = [[row for row in shown if row.measure == measure] for measure in measures]
    heights = [TITLE + ROW * len(panel) for panel in panels]
    figure = new_figure(width, sum(heights, 0.35))
    if not panels:
        return figure
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for index, panel in enumerate(panels):
        axes = figure.add_subplot(grid[index])
        _draw_bars(axes, panel)
        title = axes.set_title(panel[0].title, fontsize=9, x=0.01, ha="left")
        # from the figure's left edge: beside long names of phases it would be cut off
        across = blended_transform_factory(figure.transFigure, axes.transAxes)
        title.set_transform(across + ScaledTranslation(0, ABOVE, figure.dpi_scale_trans))
    what = names[0] if len(names) == 1 else f"mean of {len(names)} ± s.d."
    keys: list[Artist] = [Patch(color=ITEM_COLOURS["super_res"], label=what)]
    if reference is not None:
        keys.append(Line2D([], [], color=ITEM_COLOURS["high_res"], lw=2.5, label=reference))
    figure.legend(handles=keys, fontsize=8, frameon=False, ncols=2, loc="outside upper right")
    return figure


def _draw_bars(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set_facecolor("none")
    for place, row in enumerate(rows):
        axes.barh(
            place, row.mean or 0, 0.66, color=ITEM_COLOURS["super_res"], xerr=row.sd, ecolor="0.5"
        )
        if row.reference is not None:
            reach = (place - 0.45, place + 0.45)
            axes.plot((row.reference,) * 2, reach, color=ITEM_COLOURS["high_res"], lw=2.5)
    axes.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def fourier(numbers: Numbers, width: float = 10) -> Figure:
    """Draw the Fourier profiles of every item (figure 18, c and d), `width` in inches."""
    figure = new_figure(width, 3.2)
    axes = figure.add_subplot()
    sized = numbers["items"]["super_res"]["voxel_size_um"] is not None
    tidy(axes, "ring mean of the log magnitude")
    for item in (name for name in ITEM_TITLES if name in numbers["items"]):
        summary = numbers["items"][item]
        profiles = summary.get("fourier_profile", {})
        known = summary["voxel_size_um"] is not None
        if known != sized or (item == "low_res" and not sized):
            continue  # its frequencies are in another unit
        for index, profile in enumerate(profiles.values()):
            axes.plot(
                profile["frequency"],
                np.array(profile["magnitude"], float),
                color=ITEM_COLOURS[item],
                lw=1.4,
                alpha=0.9,
                label=title_of(numbers, item) if index == 0 else None,
            )
    axes.set_xlabel(f"spatial frequency (1/{'µm' if sized else 'voxel'})", fontsize=8)
    axes.set_ylabel("log10 of the root power density", fontsize=8)
    axes.set(xlim=(0, None))
    axes.legend(fontsize=8, frameon=False)
    return figure


def fourier_maps(images: Mapping[str, tuple[Labels, int, tuple[float, float]]]) -> Figure:
    """Draw log magnitude maps of (label image, n phases, pixel size) by item (figure 18, b)."""
    figure = new_figure(2.6 * len(images), 2.7)
    reach = max(0.5 / min(size) for _, _, size in images.values())
    maps = {item: log_magnitude(image, n, size) for item, (image, n, size) in images.items()}
    known = np.concatenate([spectrum[np.isfinite(spectrum)] for spectrum in maps.values()])
    darkest, brightest = np.quantile(known, (0.05, 1)) if known.size else (0, 1)
    for index, (item, spectrum) in enumerate(maps.items()):
        axes = figure.add_subplot(1, len(images), index + 1)
        height, width = (0.5 / size for size in images[item][2])
        axes.imshow(
            spectrum,
            extent=(-width, width, height, -height),
            cmap="magma",
            vmin=darkest,
            vmax=brightest,
            interpolation="nearest",
        )
        axes.set(xlim=(-reach, reach), ylim=(reach, -reach), xticks=[], yticks=[])
        axes.set_facecolor("black")
        axes.set_title(ITEM_TITLES[item], fontsize=10)
    return figure
