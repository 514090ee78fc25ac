"""All measures of one volume or set of slices as one JSON-able dictionary with units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError
from napari_superres.measures.fractions import phase_counts
from napari_superres.measures.interfaces import face_counts
from napari_superres.measures.triple import phase_triples, triple_edge_counts

Summary = dict[str, Any]

QUICK_MEASURES = ("volume_fractions", "interface_areas", "triple_phase_boundary")
"""Measures that take about a second on 512³ voxels."""


def phase_names(phases: Sequence[Phase]) -> list[str]:
    """Return a name for each phase, made unique by the label value where need be.

    "|" is kept for pairs and triples.
    """
    names = [phase.name.replace("|", "/") for phase in phases]
    return [
        name if names.count(name) == 1 else f"{name} ({phase.value})"
        for name, phase in zip(names, phases, strict=True)
    ]


def pair_names(phases: Sequence[Phase]) -> dict[tuple[int, int], str]:
    """Return "a|b" for each pair of phase indices a < b."""
    names = phase_names(phases)
    return {(a, b): f"{names[a]}|{names[b]}" for a, b in combinations(range(len(names)), 2)}


def triple_names(phases: Sequence[Phase]) -> list[str]:
    """Return "a|b|c" for each triple, in the order of `phase_triples`."""
    names = phase_names(phases)
    return ["|".join(names[index] for index in triple) for triple in phase_triples(len(names))]


def measure_labels(
    labels: Labels | Sequence[Labels],
    phases: Sequence[Phase],
    voxel_size: Sequence[float] | None = None,
    name: str = "volume",
    measures: Collection[str] = QUICK_MEASURES,
) -> Summary:
    """Measure a volume, a slice, or several images of one material.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1, or a sequence of (Y, X)
        images, which are counted together
    phases : the n phases, absent ones included
    voxel_size : µm along the axes of `labels`; None when unknown
    name : what is measured, for tables
    measures : names out of `MEASURES`

    Returns
    -------
    dict
        JSON-able: name, shape, voxel_size_um, phases, and an entry for each measure.
        Phases go by name, pairs by "a|b" and triples by "a|b|c" in index order.

    Raises
    ------
    ShapeError, PhaseError
        When `labels` are no phase indices.
    SettingsError
        A measure that does not exist.
    """
    unknown = sorted(set(measures) - set(MEASURES))
    if unknown:
        raise SettingsError(
            f"There is no measure {', '.join(unknown)}.", f"Choose from {', '.join(MEASURES)}."
        )
    images = [labels] if isinstance(labels, np.ndarray) else list(labels)
    summary: Summary = {
        "name": name,
        "shape": list(images[0].shape) if len(images) == 1 else [list(i.shape) for i in images],
        "voxel_size_um": None if voxel_size is None else [float(size) for size in voxel_size],
        "phases": [
            {"value": phase.value, "name": unique, "colour": phase.colour}
            for phase, unique in zip(phases, phase_names(phases), strict=True)
        ],
    }
    for measure in MEASURES:
        if measure in measures:
            summary[measure] = MEASURES[measure](images, phases)
    return summary


def measure_volume(volume: SegmentedVolume, measures: Collection[str] = QUICK_MEASURES) -> Summary:
    """Measure a segmented volume; see `measure_labels`."""
    return measure_labels(volume.labels, volume.phases, volume.voxel_size, volume.name, measures)


def measure_slices(slices: SegmentedSlices, measures: Collection[str] = QUICK_MEASURES) -> Summary:
    """Measure high-res slices; the sets of an anisotropic material count equally.

    Each axis lies in two of three sets, so the mean over the sets stands beside
    the measure of a volume.
    """
    if not slices.anisotropic:
        size = pixel_size(slices, 0)
        return measure_labels(slices.sets[0], slices.phases, size, slices.name, measures)
    parts = [
        measure_labels(images, slices.phases, pixel_size(slices, axis), slices.name, measures)
        for axis, images in enumerate(slices.sets)
    ]
    mean = {
        measure: _mean_of([part[measure] for part in parts])
        for measure in MEASURES
        if measure in measures
    }
    return parts[0] | mean | {"shape": [part["shape"] for part in parts]}


def pixel_size(slices: SegmentedSlices, axis: int) -> tuple[float, float] | None:
    """Return µm along rows and columns of the slices normal to `axis`."""
    if slices.voxel_size is None:
        return None
    rows, columns = (size for a, size in enumerate(slices.voxel_size) if a != axis)
    return rows, columns


def _mean_of(values: Sequence[Any]) -> Any:
    """Return the mean of equal nested dictionaries of numbers."""
    if isinstance(values[0], Mapping):
        return {key: _mean_of([value[key] for value in values]) for key in values[0]}
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def _volume_fractions(images: Sequence[Labels], phases: Sequence[Phase]) -> dict[str, float]:
    counts = np.sum([phase_counts(image, len(phases)) for image in images], axis=0)
    return _named(phase_names(phases), counts / counts.sum())


def _interface_areas(images: Sequence[Labels], phases: Sequence[Phase]) -> dict[str, float]:
    counted = [face_counts(image, len(phases)) for image in images]
    counts = np.sum([pairs for pairs, _ in counted], axis=0)
    total = max(1, sum(faces for _, faces in counted))
    return {name: float(counts[pair] / total) for pair, name in pair_names(phases).items()}


def _triple_phase_boundary(images: Sequence[Labels], phases: Sequence[Phase]) -> dict[str, float]:
    counted = [triple_edge_counts(image, len(phases)) for image in images]
    counts = np.sum([triples.sum(axis=0) for triples, _ in counted], axis=0)
    total = max(1, sum(int(edges.sum()) for _, edges in counted))
    return _named(triple_names(phases), counts / total)


def _named(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}


MEASURES: dict[str, Callable[[Sequence[Labels], Sequence[Phase]], Any]] = {
    "volume_fractions": _volume_fractions,
    "interface_areas": _interface_areas,
    "triple_phase_boundary": _triple_phase_boundary,
}
"""What `measure_labels` can measure, by name."""
