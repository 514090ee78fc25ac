"""The report: one HTML file that compares inputs, super-res volumes and truth.

`measure_report` measures, `write_report` draws; the numbers between them are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from napari_superres.data.files.output import (
    check_writable,
    make_folder,
    refused,
    write_whole_text,
)
from napari_superres.data.phases import phase_colours
from napari_superres.errors import OutputError
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report import charts, page
from napari_superres.measures.report.panels import middle_planes, realisations, slices
from napari_superres.measures.report.tables import (
    cards,
    representativity_table,
    scalar_table,
    settings_table,
)

MEASURES_TEXT = (
    "Whole volumes, and all slices together. Differences are super-res less the other, in "
    "percent of the other where the measure has no natural scale. ✓ and ✗ tell whether they "
    "are within tolerance (see the end). Areas per volume of slices assume an isotropic material."
)
REALISATIONS_TEXT = (
    " Of several realisations the first is compared; their mean and standard deviation stand last."
)


def check_place(path: Path) -> None:
    """Raise an OutputError, before anything is measured, where no report can be written."""
    if path.suffix.lower() == ".json":
        raise OutputError(
            f"The report is to be called {path.name}, as its numbers would be.",
            "A page such as report.html, with report.json beside it, is written.",
            f"Write {path.with_suffix('.html').name}.",
        )
    check_writable(path)


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
        When they cannot be written, see `check_place`.
    """
    folder = path.with_name(f"{path.stem}-figures") if figures else None
    written = [path, path.with_suffix(".json"), *([folder] if folder else [])]
    make_folder(path.parent if folder is None else folder)
    with refused(path):
        text = page.page("Super-res report", list(_sections(inputs, numbers, folder)))
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
        *(slices(inputs, axis) for axis in range(3)),
        realisations(inputs),
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
        page.chart(charts.fourier_maps(middle_planes(inputs)), "fourier-maps", "", folder),
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
