"""Pictures of a report: planes of low-res, high-res, super-res and truth at one scale."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.measures import page
from napari_superres.measures.figures import ITEM_TITLES, phase_colours
from napari_superres.measures.report_numbers import ReportInputs
from napari_superres.measures.side_by_side import Panel, coarse_voxel_size, plane_panels

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
