"""Figures of measures and slices; drawn without pyplot, so that no window system is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_superres.data.phases import Phase, phase_colours
from napari_superres.data.volumes import Labels
from napari_superres.errors import OutputError

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


def coloured(labels: Labels, phases: Sequence[Phase]) -> NDArray[np.float64]:
    """Return (rows, columns, 3) colours, 0 to 1, of a (rows, columns) label image."""
    table = np.array([to_rgb(colour) for colour in phase_colours(phases)])
    return np.asarray(table[labels])


def draw_scale_bar(axes: Axes, unit: str) -> None:
    """Draw a bar of about a quarter of the width, with its length, into the lower left corner."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    width, height = right - left, top - bottom
    power = 10 ** np.floor(np.log10(width / 4))
    length = next(step for step in (5, 2, 1) if step * power <= width / 4) * power
    x, y = left + 0.06 * width, bottom + 0.07 * height
    for colour, thickness in (("white", 5.0), ("black", 2.5)):
        axes.plot([x, x + length], [y, y], color=colour, lw=thickness, solid_capstyle="butt")
    axes.text(
        x + length / 2,
        y + 0.03 * height,
        f"{length:g} {unit}",
        ha="center",
        va="bottom",
        fontsize=8,
        bbox={"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
    )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def phase_legend(phases: Sequence[Phase]) -> list[Patch]:
    """Return legend entries of the phases."""
    return [
        Patch(facecolor=colour, edgecolor="0.5", label=phase.name)
        for phase, colour in zip(phases, phase_colours(phases), strict=True)
    ]


def draw_markers(axes: Axes, values: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Draw one column of markers an entry, one marker an item.

    Parameters
    ----------
    values : item ("low_res", "high_res", …) to entry (a phase, a pair) to value
    """
    entries = list(dict.fromkeys(name for item in values.values() for name in item))
    shift = 0.11 * (np.arange(len(values)) - (len(values) - 1) / 2)
    for offset, (item, numbers) in zip(shift, values.items(), strict=True):
        places = [index + offset for index, name in enumerate(entries) if name in numbers]
        axes.plot(
            places,
            [numbers[name] for name in entries if name in numbers],
            ITEM_MARKERS[item],
            color=ITEM_COLOURS[item],
            ms=7,
            mew=2 if item == "high_res" else 1,
            label=ITEM_TITLES[item],
        )
    axes.set_xticks(range(len(entries)), [name.replace("|", "\n") for name in entries], fontsize=8)
    axes.set_xlim(-0.5, len(entries) - 0.5)
    highest = max((value for numbers in values.values() for value in numbers.values()), default=0)
    axes.set_ylim(0, 1.3 * highest or 1)  # room for the legend
    axes.set_title(title, fontsize=10)
    axes.tick_params(axis="y", labelsize=8)
    axes.grid(axis="y", alpha=0.3)
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


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as what the file's ending says, .png, .svg or .pdf.

    Raises
    ------
    OutputError
        It cannot be written, or its ending is of no picture.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The picture {path} cannot be written: {error}.", "", "Choose another place or ending."
        ) from error
