"""The report: one HTML file that compares inputs, super-res volumes and truth.

`measure_report` measures, `write_report` draws; the numbers between them are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

from napari_superres.data.output import write_whole_text
from napari_superres.data.volumes import Labels
from napari_superres.errors import OutputError
from napari_superres.measures import charts, page
from napari_superres.measures.figures import ITEM_TITLES, phase_colours
from napari_superres.measures.report_numbers import (
    ReportInputs,
    ReportMeasured,
    ReportOptions,
    ReportProgress,
    measure_report,
)
from napari_superres.measures.report_tables import (
    cards,
    representativity_table,
    scalar_table,
    settings_table,
)
from napari_superres.measures.side_by_side import (
    Panel,
    coarse_voxel_size,
    compare_figure,
    plane_panels,
)

__all__ = [
    "ReportInputs",
    "ReportMeasured",
    "ReportOptions",
    "ReportProgress",
    "compare_figure",
    "measure_report",
    "write_report",
]

LARGEST_SHOWN = 512

MEASURES_TEXT = (
    "Whole volumes, and all slices together. Differences are super-res less the other, in "
    "percent of the other where the measure has no natural scale. ✓ and ✗ tell whether they "
    "are within tolerance (see the end). Areas per volume of slices assume an isotropic material."
)
REALISATIONS_TEXT = (
    " Of several realisations the first is compared; their mean and standard deviation stand last."
)


def write_report(
    path: Path, inputs: ReportInputs, numbers: Mapping[str, Any], figures: bool = False
) -> list[Path]:
    """Write the report, and its numbers beside it.

    Parameters
    ----------
    path : of the HTML file; the numbers go to the same name with .json
    inputs : what was measured
    numbers : of `measure_report`
    figures : whether to write each chart as PNG and SVG too, into a folder named
        after the file

    Returns
    -------
    list of Path
        The files and folders written.

    Raises
    ------
    OutputError
        When they cannot be written.
    """
    folder = path.with_name(f"{path.stem}-figures") if figures else None
    written = [path, path.with_suffix(".json"), *([folder] if folder else [])]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if folder is not None:
            folder.mkdir(exist_ok=True)
        text = page.page("Super-res report", list(_sections(inputs, numbers, folder)))
    except OSError as error:
        raise OutputError(
            f"The report cannot be written to {path}: {error.strerror or error}.",
            action="Choose another folder, or free space.",
        ) from error
    write_whole_text(path, text)
    write_whole_text(written[1], json.dumps(numbers, indent=1, allow_nan=False) + "\n")
    return written


def _sections(
    inputs: ReportInputs, numbers: Mapping[str, Any], folder: Path | None
) -> Iterator[str]:
    """Yield the parts of the page, top to bottom."""
    shown = inputs.super_res[0]
    by_axis = bool(inputs.settings and inputs.settings.anisotropic)
    options = numbers["options"]
    size = " × ".join(str(side) for side in shown.shape)
    yield f"<h1>{escape(shown.name)}</h1><p>{size} voxels, measured {numbers['created'][:10]}.</p>"
    yield cards(numbers)
    yield page.section(
        "Slices",
        "The middle planes at one scale and at one place; the high-res slices show another place.",
        _legend(inputs),
        *(_slices(inputs, axis) for axis in range(3)),
        _realisations(inputs),
    )
    yield page.section(
        "Measures",
        MEASURES_TEXT + (REALISATIONS_TEXT if numbers["realisations"] else ""),
        scalar_table(numbers),
    )
    if numbers["sub_volumes"]:
        what = "Each axis by itself." if by_axis else "The axes are pooled."
        caption = (
            f"{options['sub_volumes']} random sub-volumes of {options['sub_volume_side']}³ voxels "
            f"each (seed {options['seed']}). Bars: means; markers: whole slices and volumes. {what}"
        )
        figure = charts.violins(numbers, by_axis)
        yield page.section("Sub-volumes", caption, page.chart(figure, "violins", "", folder))
    yield from _curves(numbers, by_axis, folder)
    yield page.section(
        "Fourier magnitudes",
        "How much detail there is at each spatial frequency, the mean over the phases’ maps. "
        "Low-res holds nothing beyond its own voxels.",
        page.chart(charts.fourier_maps(_middle_planes(inputs)), "fourier-maps", "", folder),
        page.chart(charts.fourier(numbers), "fourier-profiles", "", folder),
    )
    if "high_res" in numbers["items"]:
        yield page.section(
            "Representativity",
            "The interval in which the material’s own fraction lies, from the images alone "
            "(ImageRep, Dahari et al. 2025), at 95 % confidence.",
            representativity_table(numbers),
        )
    yield page.section("Settings and versions", "", settings_table(numbers))


def _curves(numbers: Mapping[str, Any], by_axis: bool, folder: Path | None) -> Iterator[str]:
    mean = "along z (solid), y (dashed), x (dotted)" if by_axis else "the mean over the axes"
    for kind, title, text in (
        (
            "intra",
            "Two-point correlations within phases",
            "Probability that two voxels a distance apart are both of the phase",
        ),
        (
            "inter",
            "Two-point correlations between phases",
            "Probability that of two voxels a "
            "distance apart the first is of one phase and the second of the other",
        ),
        (
            "chords",
            "Chord lengths",
            "Probability that a voxel of the phase lies in a chord of the "
            "length; chords cut by the faces are left out, which the fewer the larger the volume",
        ),
    ):
        if kind == "inter" and len(numbers["items"]["super_res"]["phases"]) < 2:
            continue
        figure = charts.curves(numbers, kind, by_axis)
        yield page.section(title, f"{text}; {mean}.", page.chart(figure, kind, "", folder))


def _legend(inputs: ReportInputs) -> str:
    phases = inputs.super_res[0].phases
    entries = (
        f'<span><i style="background:{colour}"></i>{escape(phase.name)}</span>'
        for phase, colour in zip(phases, phase_colours(phases), strict=True)
    )
    return f'<div class="legend">{"".join(entries)}</div>'


def _voxel_sizes(inputs: ReportInputs) -> tuple[tuple[float, float, float], ...]:
    shown = inputs.super_res[0]
    fine = shown.voxel_size or (1.0, 1.0, 1.0)
    if inputs.low_res is None:
        return fine, fine
    return fine, coarse_voxel_size(inputs.low_res, shown, fine, inputs.settings)


def _slices(inputs: ReportInputs, axis: int) -> str:
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


def _realisations(inputs: ReportInputs) -> str:
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
        centres = (np.arange(0, shape[axis], step) + 0.5 * step) * pixel[axis]
        places.append(np.floor((centres - panel.origin[axis]) / panel.pixel_size[axis]).astype(int))
    inside = [(at >= 0) & (at < size) for at, size in zip(places, panel.labels.shape, strict=True)]
    taken = [np.where(known, at, 0) for known, at in zip(inside, places, strict=True)]
    colours = table[panel.labels[np.ix_(*taken)]]
    colours[~np.logical_and.outer(*inside)] = 0
    return np.asarray(colours)


def _middle_planes(inputs: ReportInputs) -> dict[str, tuple[Labels, int, tuple[float, float]]]:
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
