"""A picture to look at: low-res, high-res and super-res side by side, in three planes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report.figures import (
    draw_scale_bar,
    draw_slice,
    phase_legend,
    save_figure,
)
from napari_superres.measures.report.panels import Panel, plane_panels

SIDE = 192
"""High-res voxels shown along each side: few enough to see a single one."""
LEAST = 64
"""Slices smaller than this do not make the window smaller: they are shown whole in its middle."""


def planes_figure(inputs: ReportInputs, path: Path, title: str = "", side: int = SIDE) -> None:
    """Draw the middle of the middle planes normal to z, y and x, a row each, at one scale.

    Low-res, super-res and truth show the same place, the high-res slice another. The
    window is no larger than the slices.

    Parameters
    ----------
    inputs : what there is; the first realisation is shown
    path : file to write (.png, .svg or .pdf)
    title : above the picture
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
        smallest = min(min(image.shape) for images in high_res.sets for image in images)
        side = min(side, max(smallest, LEAST))
    figure = Figure(figsize=(3.2 * columns, 10.4), layout="constrained", dpi=130)
    grid = figure.subplots(3, columns, squeeze=False)
    for axis, panels in enumerate(rows):
        shape = [size for a, size in enumerate(super_res.shape) if a != axis]
        pixel = [size for a, size in enumerate(fine) if a != axis]
        window = [min(side, have) * size for have, size in zip(shape, pixel, strict=True)]
        middle = [have * size / 2 for have, size in zip(shape, pixel, strict=True)]
        for axes, panel in zip(grid[axis], panels, strict=True):
            draw_slice(
                axes, panel.labels, panel.phases, panel.pixel_size, panel.title, panel.origin
            )
            _show(axes, _middle_of(panel) if panel.elsewhere else middle, window)
        draw_scale_bar(grid[axis][0], "µm" if super_res.voxel_size else "voxels")
    legend = phase_legend(super_res.phases)
    figure.legend(handles=legend, loc="outside lower center", ncols=len(legend), frameon=False)
    if title:
        figure.suptitle(title, fontsize=11)
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
