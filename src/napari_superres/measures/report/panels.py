"""Planes of inputs, result and truth at one scale and one place: for figures, and for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb, to_rgba
from numpy.typing import NDArray

from napari_superres.data.phases import Phase, phase_colours
from napari_superres.data.volumes import Labels, SegmentedVolume, VoxelSize
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report import page
from napari_superres.measures.report.charts import ITEM_TITLES

LARGEST_SHOWN = 512
"""Pixels along a side on a page, at most; of larger planes every so many are shown."""


def coloured(labels: Labels, phases: Sequence[Phase]) -> NDArray[np.float64]:
    """Return (rows, columns, 3) colours, 0 to 1, of a (rows, columns) label image."""
    table = np.array([to_rgb(colour) for colour in phase_colours(phases)])
    return np.asarray(table[labels])


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


def plane_panels(inputs: ReportInputs, axis: int) -> list[Panel]:
    """Return the panels of the middle plane normal to `axis`, aligned with the super-res plane.

    The high-res slice is cut to the size of the plane; it shows another place.
    """
    super_res, fine, coarse = inputs.super_res[0], inputs.fine, inputs.coarse
    start = [first * size for first, size in zip(inputs.offset, coarse, strict=True)]
    middle = super_res.shape[axis] // 2
    depth = start[axis] + (middle + 0.5) * fine[axis]
    rows, columns = (a for a in range(3) if a != axis)

    def plane(
        volume: SegmentedVolume, index: int, size: VoxelSize, whole: bool, item: str
    ) -> Panel:
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
    if inputs.low_res is not None:
        panels.append(plane(inputs.low_res, int(depth / coarse[axis]), coarse, True, "low_res"))
    if inputs.high_res is not None:
        images = inputs.high_res.normal_to(axis)
        image = images[min(axis, len(images) - 1)]
        wanted = (super_res.shape[rows], super_res.shape[columns])
        cut = tuple(
            slice(max(0, (have - want) // 2), max(0, (have - want) // 2) + want)
            for have, want in zip(image.shape, wanted, strict=True)
        )
        pixel = (fine[rows], fine[columns])
        phases, title = inputs.high_res.phases, ITEM_TITLES["high_res"]
        panels.append(Panel(image[cut], phases, pixel, (0.0, 0.0), title, elsewhere=True))
    panels.append(plane(super_res, middle, fine, False, "super_res"))
    if inputs.truth is not None:
        panels.append(plane(inputs.truth, int(depth / fine[axis]), fine, True, "truth"))
    return panels


def slices(inputs: ReportInputs, axis: int) -> str:
    """Return the panels of one plane beside each other, on the pixels of the super-res plane."""
    shape = tuple(n for a, n in enumerate(inputs.super_res[0].shape) if a != axis)
    pixel = tuple(size for a, size in enumerate(inputs.fine) if a != axis)
    panels = plane_panels(inputs, axis)
    return _row([page.image(_on_grid(panel, shape, pixel), panel.title) for panel in panels])


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
    known_places = [np.where(known, at, 0) for known, at in zip(inside, places, strict=True)]
    colours = table[panel.labels[np.ix_(*known_places)]]
    colours[~np.logical_and.outer(*inside)] = 0
    return np.asarray(colours)


def middle_planes(inputs: ReportInputs) -> dict[str, tuple[Labels, int, tuple[float, float]]]:
    """Return label image, number of phases and pixel size of each item."""
    planes: dict[str, tuple[Labels, int, tuple[float, float]]] = {}
    if inputs.high_res is not None:
        image = inputs.high_res.normal_to(0)[0]
        planes["high_res"] = (image, len(inputs.high_res.phases), inputs.fine[1:])
    for name, volume in inputs.volumes().items():
        size = inputs.coarse if name == "low_res" else inputs.fine
        plane = volume.labels[volume.shape[0] // 2]
        planes[name] = (plane, len(volume.phases), (size[1], size[2]))
    return {name: planes[name] for name in ITEM_TITLES if name in planes}
