"""All measures of a volume or of slices as one JSON-able dictionary with units."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, Segmented, SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError
from napari_superres.measures.arrays import as_labels, weighted_mean
from napari_superres.measures.catalogue import SCALARS, Measure, scalars_on
from napari_superres.measures.curves import CURVES
from napari_superres.measures.kinds.representativity import representativity
from napari_superres.measures.naming import (
    as_json,
    axis_names,
    by_axis,
    pair_names,
    phase_names,
    triple_names,
)

Summary = dict[str, Any]
Images = Sequence[Labels]
Values = NDArray[np.float64]
_Segmented = TypeVar("_Segmented", bound=Segmented)

MEASURES = (*SCALARS, *CURVES, "representativity")
"""What `measure_labels` can measure, by name."""

QUICK_MEASURES = ("volume_fractions", "interface_areas", "triple_phase_boundary")
"""Measures that take about a second on 512³ voxels."""

WITHOUT_TRANSPORT = tuple(name for name in MEASURES if name != "transport_efficiency")


def measure_labels(
    labels: Labels | Sequence[Labels],
    phases: Sequence[Phase],
    voxel_size: Sequence[float] | None = None,
    name: str = "volume",
    measures: Collection[str] = QUICK_MEASURES,
    device: str = "cpu",
) -> Summary:
    """Measure a volume, a slice, or several images of one material.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1, or a sequence of (Y, X)
        images, which are counted together
    phases : the n phases, absent ones included
    voxel_size : µm along the axes of `labels`; None when unknown
    name : what is measured, for tables
    measures : names out of `MEASURES`; what slices do not have is left out
    device : cpu, or a torch device for transport efficiencies

    Returns
    -------
    dict
        JSON-able: name, shape, axes, voxel_size_um, phases, units, and an entry for each
        measure. Phases go by name, pairs by "a|b" and triples by "a|b|c" in index
        order; then axes, where the measure has them. None where a measure is not
        defined (for example of an absent phase). Of slices, areas per volume are
        4/π times the perimeters per area, as in an isotropic material.

    Raises
    ------
    ShapeError, PhaseError
        When `labels` are no phase indices.
    SettingsError
        A measure that does not exist.
    """
    _check_names(measures)
    several = [labels] if isinstance(labels, np.ndarray) else list(labels)
    images = [as_labels(image, len(phases)) for image in several]
    ndim = images[0].ndim
    sizes = np.ones(ndim) if voxel_size is None else np.asarray(voxel_size, float)
    length = "voxel" if voxel_size is None else "µm"
    summary: Summary = {"name": name} | _about(images, phases, voxel_size)
    for measure in (known for known in MEASURES if known in measures):
        if measure in SCALARS and ndim == 2 and not SCALARS[measure].of_slices:
            continue
        if measure in SCALARS:
            summary[measure] = _scalar(scalars_on(device)[measure], images, phases, sizes)
            summary["units"][measure] = SCALARS[measure].unit_in(length)
        elif measure in CURVES:
            summary[measure] = as_json(CURVES[measure](images, phases, sizes))
        else:
            summary[measure] = _representativity(images, phases, sizes)
    return summary


def _check_names(measures: Collection[str]) -> None:
    unknown = sorted(set(measures) - set(MEASURES))
    if unknown:
        raise SettingsError(
            f"There is no measure {', '.join(unknown)}.", f"Choose from {', '.join(MEASURES)}."
        )


def _about(images: Images, phases: Sequence[Phase], voxel_size: Sequence[float] | None) -> Summary:
    shapes = [list(image.shape) for image in images]
    return {
        "shape": shapes[0] if len(shapes) == 1 else shapes,
        "axes": axis_names(images[0].ndim),
        "voxel_size_um": None if voxel_size is None else [float(size) for size in voxel_size],
        "phases": [
            {"value": phase.value, "name": unique, "colour": phase.colour}
            for phase, unique in zip(phases, phase_names(phases), strict=True)
        ],
        "units": {},
    }


def measure_item(
    item: Segmented, measures: Collection[str] = QUICK_MEASURES, device: str = "cpu"
) -> Summary:
    """Measure a volume or slices."""
    if isinstance(item, SegmentedVolume):
        return measure_volume(item, measures, device)
    return measure_slices(item, measures)


def measure_volume(
    volume: SegmentedVolume, measures: Collection[str] = QUICK_MEASURES, device: str = "cpu"
) -> Summary:
    """Measure a segmented volume; see `measure_labels`."""
    return measure_labels(
        volume.labels, volume.phases, volume.voxel_size, volume.name, measures, device
    )


def measure_slices(slices: SegmentedSlices, measures: Collection[str] = QUICK_MEASURES) -> Summary:
    """Measure high-res slices; the sets of an anisotropic material count equally.

    Each axis lies in two of three sets, so the mean over the sets stands beside
    the measure of a volume; what belongs to an axis is the mean over its two sets.
    """
    parts = [
        measure_labels(images, slices.phases, pixel_size(slices, axis), slices.name, measures)
        for axis, images in enumerate(slices.sets)
    ]
    if not slices.anisotropic:
        return parts[0]
    about = {key: parts[0][key] for key in ("name", "phases", "units")}
    whole = about | {
        "shape": [part["shape"] for part in parts],
        "axes": "zyx",
        "voxel_size_um": None if slices.voxel_size is None else list(slices.voxel_size),
    }
    for measure in (known for known in MEASURES if known in parts[0]):
        if measure == "representativity":
            images = slices.images
            sizes = np.array(slices.voxel_size or (1.0, 1.0, 1.0))  # each axis lies in two sets
            whole[measure] = _representativity(images, slices.phases, sizes)
        else:
            found = [part[measure] for part in parts]
            whole[measure] = _mean_of(
                [_with_true_axes(one, axis) for axis, one in enumerate(found)]
            )
    return whole


def _with_true_axes(value: Any, normal: int) -> Any:
    """Rename the rows and columns of slices normal to an axis by what they are in the volume."""
    if not isinstance(value, Mapping):
        return value
    rows, columns = (name for axis, name in enumerate("zyx") if axis != normal)
    names = {"image": "zyx"[normal], "y": rows, "x": columns}
    if set(value) not in ({"image"}, {"y", "x"}):  # phases, one of which may be called x
        return {key: _with_true_axes(part, normal) for key, part in value.items()}
    return {names[key]: _with_true_axes(part, normal) for key, part in value.items()}


def sized_as(item: _Segmented, volume: SegmentedVolume) -> _Segmented:
    """Return what is of unknown voxel size with that of the volume on whose grid it lies."""
    return item if item.voxel_size else replace(item, voxel_size=volume.voxel_size)


def pixel_size(slices: SegmentedSlices, axis: int) -> tuple[float, float] | None:
    """Return µm along rows and columns of the slices normal to `axis`."""
    if slices.voxel_size is None:
        return None
    rows, columns = (size for a, size in enumerate(slices.voxel_size) if a != axis)
    return rows, columns


def _mean_of(values: Sequence[Any]) -> Any:
    """Return the mean of like nested dictionaries of numbers, over those that have an entry."""
    if isinstance(values[0], Mapping):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _mean_of([v[key] for v in values if key in v]) for key in keys}
    if isinstance(values[0], list):
        return [_mean_of(points) for points in zip(*values, strict=True)]
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def _scalar(measure: Measure, images: Images, phases: Sequence[Phase], sizes: Values) -> Any:
    if len(images) == 1:
        values = measure.compute(images[0], len(phases), sizes)
    else:
        found = [measure.compute(image, len(phases), sizes) for image in images]
        values = weighted_mean(found, [measure.weight_of(image.shape) for image in images])
    names = entry_names(measure, phases)
    if measure.per_axis:
        return as_json(by_axis(names, values))
    return as_json(dict(zip(names, values, strict=True)))


def entry_names(measure: Measure, phases: Sequence[Phase]) -> list[str]:
    """Return the names of what a measure has numbers for."""
    if measure.entries == "phase":
        return phase_names(phases)
    return list(pair_names(phases).values()) if measure.entries == "pair" else triple_names(phases)


def _representativity(images: Images, phases: Sequence[Phase], sizes: Values) -> Any:
    edge = float(np.prod(sizes) ** (1 / sizes.size))
    entries = {}
    for index, name in enumerate(phase_names(phases)):
        found = representativity(images, [index])
        entries[name] = {
            "fraction": found.fraction,
            "low": found.low,
            "high": found.high,
            "confidence": found.confidence,
            "integral_range": edge * found.integral_range,
            "samples": found.samples,
        }
    return as_json(entries)
