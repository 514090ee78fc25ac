"""Draw images/data-way.svg, the figure of architecture.md.

python docs/draw_data_way.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

TARGET = Path(__file__).parent / "images" / "data-way.svg"
INK, FAINT = "#1d2433", "#6b7690"
DATA, WORK, OUTSIDE = "#dbe7fb", "#fde8cd", "#eef0f4"
WIDTH, HEIGHT = 12.4, 9.7


def box(
    axes: Axes, x: float, y: float, title: str, text: str = "", width: float = 3.2,
    height: float = 1.0, colour: str = DATA,
) -> None:  # fmt: skip
    """Draw a box around (x, y) with a title and what stands below it."""
    corner = (x - width / 2, y - height / 2)
    shape = FancyBboxPatch(
        corner, width, height, "round,pad=0,rounding_size=0.12", fc=colour, ec=INK, lw=0.9
    )
    axes.add_patch(shape)
    lines = text.count("\n") + 1 if text else 0
    axes.text(
        x,
        y + (0.04 + 0.095 * lines if lines else 0),
        title,
        ha="center",
        va="center",
        color=INK,
        weight="bold",
        size=12.5,
    )
    if text:
        axes.text(x, y - 0.18, text, ha="center", va="center", color=INK, size=11)


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "",
    bend: float = 0.0, offset: tuple[float, float] = (0.12, 0.0),
) -> None:  # fmt: skip
    """Draw an arrow, with words beside its middle."""
    style = f"arc3,rad={bend}"
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=11,
            connectionstyle=style,
            color=INK,
            lw=1.1,
        )
    )
    x, y = ((a + b) / 2 + shift for a, b, shift in zip(start, end, offset, strict=True))
    axes.text(x, y, text, va="center", color=FAINT, size=11, style="italic")


def draw() -> Figure:
    """Return the figure, from what a person gives, at the top, to what they get."""
    figure = Figure((WIDTH, HEIGHT))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.set_axis_off()
    columns = (2.0, 5.6, 9.2)
    given = (
        ("low-res volume", "layer or file", "SegmentedVolume", "labels 0 … m − 1, voxel size"),
        ("high-res slices", "layers or files", "SegmentedSlices", "labels 0 … n − 1, pixel size"),
        ("settings", "form or options", "TrainingSettings", "scale factor, phase map, preset"),
    )
    for x, (name, source, kind, holds) in zip(columns, given, strict=True):
        box(axes, x, 9.1, name, source, height=0.8, colour=OUTSIDE)
        box(axes, x, 7.8, kind, holds)
        arrow(axes, (x, 8.7), (x, 8.3))
        arrow(axes, (x, 7.3), (5.6 + (x - 5.6) * 0.25, 6.72))
    box(axes, 5.6, 6.35, "check_inputs", "phases, sizes, fractions", height=0.74, colour=WORK)
    arrow(axes, (7.2, 6.35), (8.3, 6.35))
    axes.text(8.42, 6.35, "an InputError in one line,\nor findings to read", va="center",
              color=FAINT, size=11, style="italic")  # fmt: skip
    _training(axes)
    box(axes, 5.6, 2.05, "run folder", "config, inputs, metrics, checkpoints", width=3.6,
        height=0.8)  # fmt: skip
    arrow(axes, (5.6, 3.02), (5.6, 2.45), "save")
    box(axes, 5.6, 0.75, "generate", "tile by tile, each with a halo;\nnoise by seed and place",
        width=3.6, colour=WORK)  # fmt: skip
    arrow(axes, (5.6, 1.65), (5.6, 1.25))
    box(axes, 10.1, 0.75, "super-res volume", "layer, TIFF or OME-Zarr", height=0.8)
    arrow(axes, (7.4, 0.75), (8.5, 0.75))
    box(axes, 10.1, 2.05, "measures, report", "against slices, low-res, truth", height=0.8,
        colour=OUTSIDE)  # fmt: skip
    arrow(axes, (10.1, 1.15), (10.1, 1.65))
    return figure


def _training(axes: Axes) -> None:
    """Draw the loop of a training, what stops it and what it reports."""
    frame = FancyBboxPatch(
        (2.9, 3.02), 6.5, 2.5, "round,pad=0,rounding_size=0.15", fc="none", ec=INK, lw=0.9, ls="--"
    )
    axes.add_patch(frame)
    axes.text(3.05, 5.34, "train", color=INK, weight="bold", size=12.5, va="center")
    arrow(axes, (5.6, 5.98), (5.6, 5.52))
    places = {
        "sample": (4.3, 4.62, "low-res crops and\nwhat is around them;\nreal slices"),
        "step": (7.6, 4.62, "generator, discriminator;\ncoarsened again by σ,\nis it the crop?"),
        "measure": (6.0, 3.43, "fractions, interfaces, low-res mismatch, two-point"),
    }
    for name, (x, y, text) in places.items():
        flat = name == "measure"
        box(axes, x, y, name, text, width=4.4 if flat else 2.5, height=0.68 if flat else 1.12,
            colour=WORK)  # fmt: skip
    arrow(axes, (5.55, 4.62), (6.35, 4.62))
    arrow(axes, (7.5, 4.06), (7.1, 3.77))
    arrow(axes, (4.8, 3.77), (4.4, 4.06))
    box(axes, 1.25, 4.2, "events", "plots, previews,\nbars, lines", width=1.9, colour=OUTSIDE)
    arrow(axes, (2.9, 4.2), (2.2, 4.2))
    box(axes, 11.1, 4.2, "stop", "Ctrl-C, Stop and keep:\nsaves, then ends", width=2.2,
        colour=OUTSIDE)  # fmt: skip
    arrow(axes, (10.0, 4.2), (9.4, 4.2))


def main() -> None:
    """Write the figure."""
    figure = draw()
    FigureCanvasSVG(figure)
    # no date, and names that do not change: drawn again it is the same file
    with matplotlib.rc_context({"svg.hashsalt": "data-way"}):
        figure.savefig(TARGET, facecolor="white", metadata={"Date": None})


if __name__ == "__main__":
    main()
