"""The paper's protocol: each measure on many random sub-volumes, for means and violins.

Source: Dahari et al. 2022, figure 2: 256 sub-volumes of 64³ voxels.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels
from napari_superres.errors import SettingsError
from napari_superres.measures.arrays import Sizes, as_labels
from napari_superres.measures.catalogue import SCALARS, scalars_on
from napari_superres.measures.naming import as_json, axis_names
from napari_superres.measures.summary import entry_names

SIDE = 64
COUNT = 256

PROTOCOL_MEASURES = tuple(name for name in SCALARS if name != "transport_efficiency")
"""All scalar measures but transport efficiency, which takes several times as long as the rest."""

Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Place:
    """Where a sub-volume lies.

    Attributes
    ----------
    volume : index of the volume
    part : slices of its axes
    """

    volume: int
    part: tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class SubVolumeMeasured:
    """One more sub-volume is measured.

    Attributes
    ----------
    done, total : sub-volumes
    values : by measure, (entries,) or (entries, axes)
    """

    done: int
    total: int
    values: Values


def random_places(
    shapes: Sequence[tuple[int, ...]], side: int = SIDE, count: int = COUNT, seed: int = 0
) -> list[Place]:
    """Draw the places of sub-volumes, uniformly among all that fit; they may overlap.

    Volumes (or slices) of `shapes` are drawn from alike; an axis shorter than `side` is
    used whole.
    """
    if side < 1 or count < 1:
        raise SettingsError(
            f"There are to be {count} sub-volumes of side {side}.", "Both must be at least 1."
        )
    rng = np.random.default_rng(seed)
    places = []
    for volume in rng.integers(0, len(shapes), count).tolist():
        starts = [int(rng.integers(0, max(0, size - side) + 1)) for size in shapes[volume]]
        part = tuple(
            slice(start, min(start + side, size))
            for start, size in zip(starts, shapes[volume], strict=True)
        )
        places.append(Place(volume, part))
    return places


def measure_sub_volumes(
    volumes: Sequence[Labels],
    n_phases: int,
    voxel_size: Sizes | None = None,
    side: int = SIDE,
    count: int = COUNT,
    seed: int = 0,
    measures: Collection[str] = PROTOCOL_MEASURES,
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[SubVolumeMeasured]:
    """Measure random sub-volumes, in parallel, in an order fixed by the seed.

    Parameters
    ----------
    volumes : phase indices 0 … n − 1, (Z, Y, X) each: realisations of one material
    n_phases : n, absent phases included
    voxel_size : µm along the axes; None for units of voxels
    side, count, seed : see `random_places`
    measures : names out of `SCALARS`
    threads : to work with; None for one a processor
    device : cpu, or a torch device for transport efficiencies

    Yields
    ------
    SubVolumeMeasured

    Raises
    ------
    SettingsError
        A measure that does not exist, a side or count below 1.
    ShapeError, PhaseError
        When a volume is no volume of phase indices.
    """
    unknown = sorted(set(measures) - set(SCALARS))
    if unknown:
        raise SettingsError(
            f"There is no measure {', '.join(unknown)} of sub-volumes.",
            f"Choose from {', '.join(SCALARS)}.",
        )
    arrays = [as_labels(volume, n_phases) for volume in volumes]
    ndim = arrays[0].ndim
    sizes = np.ones(ndim) if voxel_size is None else np.asarray(voxel_size, float)
    chosen = {
        name: about
        for name, about in scalars_on(device).items()
        if name in measures and (ndim == 3 or about.of_slices)
    }

    def measure(place: Place) -> Values:
        cube = np.ascontiguousarray(arrays[place.volume][place.part])
        return {name: about.compute(cube, n_phases, sizes) for name, about in chosen.items()}

    places = random_places([array.shape for array in arrays], side, count, seed)
    executor = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    try:
        for done, values in enumerate(executor.map(measure, places), start=1):
            yield SubVolumeMeasured(done, count, values)
    finally:
        executor.shutdown(cancel_futures=True)


def stack_values(measured: Sequence[SubVolumeMeasured]) -> dict[str, NDArray[np.float64]]:
    """Return, by measure, (sub-volumes, entries) or (sub-volumes, entries, axes)."""
    return {name: np.stack([one.values[name] for one in measured]) for name in measured[0].values}


def describe_values(stacked: Values, phases: Sequence[Phase]) -> dict[str, Any]:
    """Return {measure: {entry: {"mean", "sd", "values"}}}, or {measure: {entry: {axis: …}}}.

    JSON-able. Sub-volumes in which a measure is not defined are None and do not count.
    """
    result: dict[str, Any] = {}
    for name, values in stacked.items():
        entries = entry_names(SCALARS[name], phases)
        if values.ndim == 2:
            result[name] = {
                entry: _described(values[:, index]) for index, entry in enumerate(entries)
            }
        else:
            axes = axis_names(values.shape[2])
            result[name] = {
                entry: {axis: _described(values[:, index, k]) for k, axis in enumerate(axes)}
                for index, entry in enumerate(entries)
            }
    described: dict[str, Any] = as_json(result)
    return described


def _described(values: NDArray[np.float64]) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    return {
        "mean": float(known.mean()) if known.size else None,
        "sd": float(known.std(ddof=1)) if known.size > 1 else None,
        "values": values,
    }
