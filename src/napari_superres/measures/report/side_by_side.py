"""Pictures of low-res, high-res, super-res and truth side by side, at one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Patch

from napari_superres.data.phases import Phase, phase_colours
from napari_superres.errors import OutputError
from napari_superres.measures.comparison import compare_volumes
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report.charts import ITEM_COLOURS, ITEM_MARKERS, ITEM_TITLES
from napari_superres.measures.report.panels import Panel, coloured, plane_panels

SIDE = 192
"""High-res voxels shown along each side: few enough to see a single one."""
LEAST = 64
"""Slices smaller than this do not make the window smaller: they are shown whole in its middle."""


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw a label image to scale."""
    top, left = panel.origin
    rows, columns = panel.labels.shape
    height, width = panel.pixel_size
    axes.imshow(
        coloured(panel.labels, panel.phases),
        extent=(left, left + columns * width, top + rows * height, top),
        interpolation="nearest",
        aspect="equal",
    )
    axes.set_title(panel.title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])


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


def save_figure(figure: Figure, path: Path) -> None:
    """Write a .png, .svg or .pdf file of a figure; OutputError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"The picture {path} cannot be written: {error}.", "", "Choose another place or ending."
        ) from error


def compare_figure(
    inputs: ReportInputs, path_png: Path, numbers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Draw inputs, result and truth side by side, at one scale, and write the figure.

    Parameters
    ----------
    inputs : what there is; the first realisation is shown
    path_png : file to write (.png, .svg or .pdf)
    numbers : from `compare_volumes`; None to measure here

    Returns
    -------
    dict
        The numbers shown, see `compare_volumes`.

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    shown = dict(numbers or compare_volumes(inputs))
    super_res, fine = inputs.super_res[0], inputs.fine
    rows = {axis: plane_panels(inputs, axis) for axis in (0, 2)}
    columns = len(rows[0])
    figure = Figure(figsize=(3.1 * columns, 10.2), layout="constrained", dpi=120)
    grid = figure.add_gridspec(4, 12, height_ratios=(3.2, 3.2, 2.2, 1.5))
    for row, (axis, panels) in enumerate(rows.items()):
        height, length = (super_res.shape[a] * fine[a] for a in range(3) if a != axis)
        places = [
            figure.add_subplot(grid[row, column * 12 // columns : (column + 1) * 12 // columns])
            for column in range(columns)
        ]
        for axes, panel in zip(places, panels, strict=True):
            draw_panel(axes, panel)
            axes.set(xlim=(0, length), ylim=(height, 0))
        draw_scale_bar(places[0], "µm" if super_res.voxel_size else "voxels")
    _draw_numbers(figure, grid, shown)
    legend = phase_legend((inputs.high_res or super_res).phases)
    figure.legend(handles=legend, loc="outside upper center", ncols=len(legend), frameon=False)
    save_figure(figure, path_png)
    return shown


def _draw_numbers(figure: Figure, grid: GridSpec, shown: Mapping[str, Any]) -> None:
    items = shown["items"]
    axes = figure.add_subplot(grid[2, :6])
    draw_markers(axes, {k: v["volume_fractions"] for k, v in items.items()}, "volume fractions")
    axes.legend(fontsize=8, frameon=False, loc="upper center", ncols=len(items), columnspacing=1)
    areas = {k: v["interface_areas"] for k, v in items.items() if k != "low_res"}
    axes = figure.add_subplot(grid[2, 6:])
    draw_markers(axes, areas, "interface areas (share of voxel faces)")
    _draw_table(figure.add_subplot(grid[3, :]), shown)


def _draw_table(axes: Axes, shown: Mapping[str, Any]) -> None:
    """Draw the errors of the super-res volume as a table."""
    axes.set_axis_off()
    columns = [name.removeprefix("super_res_") for name in shown["differences"]]
    rows = {
        "volume fraction error, mean over phases": ("volume_fraction_error", "{:.4f}"),
        "interface area error, mean over pairs": ("interface_area_error", "{:.1%}"),
        "triple phase boundary error": ("triple_phase_boundary_error", "{:.1%}"),
    }
    cells = [
        [
            "–" if differences.get(key) is None else form.format(differences[key])
            for differences in shown["differences"].values()
        ]
        for key, form in rows.values()
    ]
    if shown.get("low_res_mismatch") is not None:
        rows["low-res voxels not given back"] = ("", "")
        cells.append([f"{shown['low_res_mismatch']:.2%}"] + [""] * (len(columns) - 1))
    table = axes.table(
        [[name, *line] for name, line in zip(rows, cells, strict=True)],
        colLabels=["", *(f"super-res against {ITEM_TITLES[column]}" for column in columns)],
        loc="center",
        cellLoc="center",
        colWidths=[0.36] + [0.26] * len(columns),
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.35)


def planes_figure(inputs: ReportInputs, path: Path, side: int = SIDE) -> None:
    """Draw the middle of the middle planes normal to z, y and x, a row each, at one scale.

    Low-res, super-res and truth show the same place, the high-res slice another. The
    window is no larger than the slices.

    Parameters
    ----------
    inputs : what there is; the first realisation is shown
    path : file to write (.png, .svg or .pdf)
    side : of the window, in high-res voxels

    Raises
    ------
    OutputError
        The picture cannot be written.
    """
    super_res, high_res, fine = inputs.super_res[0], inputs.high_res, inputs.fine
    rows = [plane_panels(inputs, axis) for axis in range(3)]
    columns = len(rows[0])
    if high_res is not None:
        smallest = min(min(image.shape) for image in high_res.images)
        side = min(side, max(smallest, LEAST))
    figure = Figure(figsize=(3.2 * columns, 10.4), layout="constrained", dpi=130)
    grid = figure.subplots(3, columns, squeeze=False)
    for axis, panels in enumerate(rows):
        shape = [size for a, size in enumerate(super_res.shape) if a != axis]
        pixel = [size for a, size in enumerate(fine) if a != axis]
        window = [min(side, have) * size for have, size in zip(shape, pixel, strict=True)]
        middle = [have * size / 2 for have, size in zip(shape, pixel, strict=True)]
        for axes, panel in zip(grid[axis], panels, strict=True):
            draw_panel(axes, panel)
            _show(axes, _middle_of(panel) if panel.elsewhere else middle, window)
        draw_scale_bar(grid[axis][0], "µm" if super_res.voxel_size else "voxels")
    legend = phase_legend(super_res.phases)
    figure.legend(handles=legend, loc="outside lower center", ncols=len(legend), frameon=False)
    save_figure(figure, path)


def _middle_of(panel: Panel) -> list[float]:
    return [
        start + size * pixel / 2
        for start, size, pixel in zip(
            panel.origin, panel.labels.shape, panel.pixel_size, strict=True
        )
    ]


def _show(axes: Axes, middle: list[float], window: list[float]) -> None:
    (y, x), (height, width) = middle, window
    axes.set(xlim=(x - width / 2, x + width / 2), ylim=(y + height / 2, y - height / 2))
