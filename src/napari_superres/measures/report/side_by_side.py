"""The comparison figure: low-res, high-res, super-res and truth at one scale, with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from numpy.typing import NDArray

from napari_superres.config import TrainingSettings
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume
from napari_superres.measures.comparison import compare_volumes
from napari_superres.measures.report import page
from napari_superres.measures.report.figures import (
    ITEM_TITLES,
    draw_markers,
    draw_scale_bar,
    draw_slice,
    phase_colours,
    phase_legend,
    save_figure,
)
from napari_superres.measures.report.numbers import ReportInputs

Triple = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Panel:
    """One label image of the figure, to scale.

    Attributes
    ----------
    labels : (rows, columns) phase indices
    phases : of the labels
    pixel_size : along rows and columns
    origin : of the first pixel's corner, relative to the super-res plane's corner
    title : above it
    elsewhere : whether it shows another place than the super-res plane
    """

    labels: Labels
    phases: tuple[Phase, ...]
    pixel_size: tuple[float, float]
    origin: tuple[float, float]
    title: str
    elsewhere: bool = False


def compare_figure(
    low_res: SegmentedVolume,
    high_res: SegmentedSlices,
    super_res: SegmentedVolume,
    truth: SegmentedVolume | None,
    path_png: Path,
    settings: TrainingSettings | None = None,
    offset: tuple[int, int, int] = (0, 0, 0),
    numbers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw inputs, result and truth side by side, at one scale, and write the figure.

    Parameters
    ----------
    low_res, high_res : the inputs of the fusion
    super_res : its result
    truth : the 3D truth on the grid of the whole super-res volume, where it is known
    path_png : file to write (.png, .svg or .pdf)
    settings : of the training: scale factor and low-res mismatch
    offset : first low-res voxel that `super_res` covers, zyx (1, 1, 1 with `crop_border`)
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
    shown = dict(numbers or compare_volumes(low_res, high_res, super_res, truth, settings, offset))
    fine: Triple = super_res.voxel_size or (1.0, 1.0, 1.0)
    coarse = coarse_voxel_size(low_res, super_res, fine, settings)
    columns = 3 + (truth is not None)
    figure = Figure(figsize=(3.1 * columns, 10.2), layout="constrained", dpi=120)
    grid = figure.add_gridspec(4, 12, height_ratios=(3.2, 3.2, 2.2, 1.5))
    for row, axis in enumerate((0, 2)):
        panels = plane_panels(low_res, high_res, super_res, truth, axis, fine, coarse, offset)
        height, length = (super_res.shape[a] * fine[a] for a in range(3) if a != axis)
        places = [
            figure.add_subplot(grid[row, column * 12 // columns : (column + 1) * 12 // columns])
            for column in range(columns)
        ]
        for axes, panel in zip(places, panels, strict=True):
            draw_slice(
                axes, panel.labels, panel.phases, panel.pixel_size, panel.title, panel.origin
            )
            axes.set(xlim=(0, length), ylim=(height, 0))
        draw_scale_bar(places[0], "µm" if super_res.voxel_size else "voxels")
    _draw_numbers(figure, grid, shown)
    legend = phase_legend(high_res.phases)
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


def coarse_voxel_size(
    low_res: SegmentedVolume,
    super_res: SegmentedVolume,
    fine: Triple,
    settings: TrainingSettings | None,
) -> Triple:
    """Return the low-res voxel size in the unit of `fine`."""
    if settings is not None:
        factors = [float(factor) for factor in settings.scale_factor]
    elif low_res.voxel_size and super_res.voxel_size:
        return low_res.voxel_size
    else:
        factors = [big / small for big, small in zip(super_res.shape, low_res.shape, strict=True)]
    z, y, x = (size * factor for size, factor in zip(fine, factors, strict=True))
    return z, y, x


def plane_panels(
    low_res: SegmentedVolume | None,
    high_res: SegmentedSlices | None,
    super_res: SegmentedVolume,
    truth: SegmentedVolume | None,
    axis: int,
    fine: Triple,
    coarse: Triple,
    offset: tuple[int, int, int],
) -> list[Panel]:
    """Return the panels of the middle plane normal to `axis`, aligned with the super-res plane.

    `fine` and `coarse` are the voxel sizes; what is None has no panel. The high-res
    slice is cut to the size of the plane; it shows another place.
    """
    start = [first * size for first, size in zip(offset, coarse, strict=True)]
    middle = super_res.shape[axis] // 2
    depth = start[axis] + (middle + 0.5) * fine[axis]
    rows, columns = (a for a in range(3) if a != axis)

    def plane(volume: SegmentedVolume, index: int, size: Triple, whole: bool, item: str) -> Panel:
        index = min(index, volume.shape[axis] - 1)
        corner = (-start[rows], -start[columns]) if whole else (0.0, 0.0)
        return Panel(
            np.take(volume.labels, index, axis),
            volume.phases,
            (size[rows], size[columns]),
            corner,
            f"{ITEM_TITLES[item]}, normal to {'zyx'[axis]}",
        )

    panels = []
    if low_res is not None:
        panels.append(plane(low_res, int(depth / coarse[axis]), coarse, True, "low_res"))
    if high_res is not None:
        images = high_res.normal_to(axis)
        image = images[min(axis, len(images) - 1)]
        wanted = (super_res.shape[rows], super_res.shape[columns])
        cut = tuple(
            slice(max(0, (have - want) // 2), max(0, (have - want) // 2) + want)
            for have, want in zip(image.shape, wanted, strict=True)
        )
        pixel = (fine[rows], fine[columns])
        title = ITEM_TITLES["high_res"]
        panels.append(Panel(image[cut], high_res.phases, pixel, (0.0, 0.0), title, elsewhere=True))
    panels.append(plane(super_res, middle, fine, False, "super_res"))
    if truth is not None:
        panels.append(plane(truth, int(depth / fine[axis]), fine, True, "truth"))
    return panels


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


LARGEST_SHOWN = 512
"""Pixels along a side, at most; of larger planes every so many are shown."""


def _voxel_sizes(inputs: ReportInputs) -> tuple[tuple[float, float, float], ...]:
    shown = inputs.super_res[0]
    fine = shown.voxel_size or (1.0, 1.0, 1.0)
    if inputs.low_res is None:
        return fine, fine
    return fine, coarse_voxel_size(inputs.low_res, shown, fine, inputs.settings)


def slices(inputs: ReportInputs, axis: int) -> str:
    """Return the panels of one plane beside each other, on the pixels of the super-res plane."""
    shown = inputs.super_res[0]
    fine, coarse = _voxel_sizes(inputs)
    panels = plane_panels(
        inputs.low_res, inputs.high_res, shown, inputs.truth, axis, fine, coarse, inputs.offset
    )
    rows, columns = (n for a, n in enumerate(shown.shape) if a != axis)
    pixel = tuple(size for a, size in enumerate(fine) if a != axis)
    return _row(
        [page.image(_on_grid(panel, (rows, columns), pixel), panel.title) for panel in panels]
    )


def realisations(inputs: ReportInputs) -> str:
    """Return a plane of each further realisation, at most four; nothing where there is one."""
    others = inputs.super_res[1:5]
    pictures = []
    for volume in others:
        plane = volume.labels[volume.shape[0] // 2]
        panel = Panel(plane, volume.phases, (1.0, 1.0), (0.0, 0.0), volume.name)
        pictures.append(page.image(_on_grid(panel, plane.shape, (1.0, 1.0)), volume.name))
    return _row(pictures) if pictures else ""


def _row(pictures: list[str]) -> str:
    """Return pictures beside each other, four to a row, as wide as they would be in a full one."""
    return f'<div class="slices">{"".join(pictures)}</div>'


def _on_grid(panel: Panel, shape: tuple[int, ...], pixel: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the colours of `panel` at the pixels of a grid; clear where it shows nothing."""
    table = np.array([to_rgba(colour) for colour in phase_colours(panel.phases)])
    places = []
    for axis in (0, 1):
        step = max(1, -(-shape[axis] // LARGEST_SHOWN))
        shown = np.minimum(np.arange(0, shape[axis], step) + 0.5 * step, shape[axis] - 0.5)
        centres = shown * pixel[axis]
        places.append(np.floor((centres - panel.origin[axis]) / panel.pixel_size[axis]).astype(int))
    inside = [(at >= 0) & (at < size) for at, size in zip(places, panel.labels.shape, strict=True)]
    taken = [np.where(known, at, 0) for known, at in zip(inside, places, strict=True)]
    colours = table[panel.labels[np.ix_(*taken)]]
    colours[~np.logical_and.outer(*inside)] = 0
    return np.asarray(colours)


def middle_planes(inputs: ReportInputs) -> dict[str, tuple[Labels, int, tuple[float, float]]]:
    """Return label image, number of phases and pixel size of each item."""
    fine, coarse = _voxel_sizes(inputs)
    planes: dict[str, tuple[Labels, int, tuple[float, float]]] = {}
    if inputs.high_res is not None:
        image = inputs.high_res.normal_to(0)[0]
        planes["high_res"] = (image, len(inputs.high_res.phases), fine[1:])
    for name, volume in inputs.volumes().items():
        size = coarse if name == "low_res" else fine
        plane = volume.labels[volume.shape[0] // 2]
        planes[name] = (plane, len(volume.phases), (size[1], size[2]))
    return {name: planes[name] for name in ITEM_TITLES if name in planes}
