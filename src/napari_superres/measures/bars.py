"""Bars of measures over volumes, with the reference's value as a line across each."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from napari_superres.measures.charts import new_figure
from napari_superres.measures.figures import ITEM_COLOURS
from napari_superres.measures.rows import Row

ROW, TITLE = 0.2, 0.62
"""Inches of height that a bar and a panel's title with its axis take."""
ABOVE = 0.08
"""Inches between a panel and its title."""


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
        _draw(axes, panel)
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


def _draw(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set_facecolor("none")
    for place, row in enumerate(rows):
        axes.barh(
            place, row.mean or 0, 0.66, color=ITEM_COLOURS["super_res"], xerr=row.sd, ecolor="0.5"
        )
        if row.reference is not None:
            reach = (place - 0.45, place + 0.45)
            axes.plot((row.reference,) * 2, reach, color=ITEM_COLOURS["high_res"], lw=2.5)
    labels = [f"{row.entry.replace('|', ' | ')} {row.axis}".strip() for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlim(left=0)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
