"""What the Compare step shows, decided without Qt: maps in a thread, two volumes in one array."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import PhaseError, SettingsError
from napari_superres.events import FinishReason
from napari_superres.measures.agreement import AgreementMaps, agreement_maps
from napari_superres.widgets.input_roles import HIGH_RES, LOW_RES, SUPER_RES, TRUTH, role_of
from napari_superres.widgets.layer_data import layer_phases, volume_from_layer
from napari_superres.widgets.measure_plan import LayerView

ORDER = (LOW_RES, SUPER_RES, TRUTH)
"""From left to right."""


def side_by_side(layers: Sequence[Any]) -> list[Any]:
    """Return the volumes worth comparing: low-res, realisations, truth; else all volumes.

    Parameters
    ----------
    layers : in the order they were added
    """
    volumes = [one for one in layers if one.ndim == 3 and role_of(one) != HIGH_RES]
    known = [one for role in ORDER for one in volumes if role_of(one) == role]
    return known if any(role_of(one) == SUPER_RES for one in known) else known or volumes


def two_to_blink(layers: Sequence[Any]) -> tuple[Any | None, Any | None]:
    """Return the two layers that are looked at in turn unless others are chosen."""
    chosen = side_by_side(layers)
    made = [one for one in chosen if role_of(one) == SUPER_RES]
    if made and len(chosen) > 1:
        others = [one for one in chosen if one is not made[0]]
        truth = [one for one in others if role_of(one) == TRUTH]
        return made[0], (truth or others)[0]
    return (chosen[0] if chosen else None), (chosen[1] if len(chosen) > 1 else None)


@dataclass(frozen=True)
class MakingMaps:
    """Maps are being made: so many of the volumes are read, 0 to 1."""

    text: str
    progress: float


@dataclass(frozen=True, eq=False)
class MapsMade:
    """Last event: the maps of `count` realisations, None when stopped.

    Attributes
    ----------
    same : share of the voxels in which all realisations agree, 0 to 1
    mean : mean agreement, per cent
    """

    reason: FinishReason
    maps: AgreementMaps | None = None
    count: int = 0
    same: float = 0.0
    mean: float = 0.0


def map_events(
    views: Sequence[LayerView], stop: threading.Event
) -> Iterator[MakingMaps | MapsMade]:
    """Read realisations and make the maps of what they agree on.

    Yields
    ------
    MakingMaps, then MapsMade

    Raises
    ------
    SuperResError
        Fewer than two volumes, volumes of different shapes or phases.
    """
    volumes: list[SegmentedVolume] = []
    for number, view in enumerate(views):
        if stop.is_set():
            yield MapsMade(FinishReason.STOPPED)
            return
        yield MakingMaps(f"Reading {view.name}", number / (len(views) + 1))
        volumes.append(volume_from_layer(view))
    values = {tuple(phase.value for phase in volume.phases) for volume in volumes}
    if len(values) > 1:
        raise PhaseError(
            "The volumes have different label values.",
            "Realisations of one material have the same.",
            "Tick realisations of one run only.",
        )
    yield MakingMaps("Counting", len(views) / (len(views) + 1))
    n_phases = len(volumes[0].phases) if volumes else 1
    maps = agreement_maps([volume.labels for volume in volumes], n_phases)
    same, mean = float(np.mean(maps.agreement == 100)), float(maps.agreement.mean())
    yield MapsMade(FinishReason.COMPLETED, maps, len(volumes), same, mean)


def agreement_line(made: MapsMade) -> str:
    """Return what the maps say in one sentence."""
    if made.maps is None:
        return "Making maps was cancelled."
    return (
        f"{made.count} realisations agree in {made.same:.1%} of the voxels; on average "
        f"{made.mean:.1f}\u00a0% of them have the most frequent phase."
    )


@dataclass(frozen=True, eq=False)
class Side:
    """One of two volumes in a swipe.

    Attributes
    ----------
    data : shown labels (Z, Y, X), array-like
    table : (values,) uint8, common phase index + 1 of each shown label
    """

    data: Any
    table: NDArray[np.uint8]


def sides_of(views: Sequence[LayerView]) -> tuple[list[Side], tuple[Phase, ...]]:
    """Return two layers over the phases that either has; the first one's names and colours stand.

    Raises
    ------
    SuperResError
        A layer is no segmented volume.
    """
    found: list[tuple[Any, dict[int, Phase]]] = []
    for view in views:
        phases = layer_phases(view)
        if phases is not None:
            found.append((view.data, dict(enumerate(phases, 1))))
        else:
            volume = volume_from_layer(view)
            found.append((volume.labels, dict(enumerate(volume.phases))))
    by_value = {p.value: p for _, shown in reversed(found) for p in shown.values()}
    common = tuple(by_value[value] for value in sorted(by_value))
    place = {phase.value: index for index, phase in enumerate(common, 1)}
    sides = []
    for data, shown in found:
        table = np.zeros(256, np.uint8)
        for label, phase in shown.items():
            table[label] = place[phase.value]
        sides.append(Side(data, table))
    return sides, common


class SwipeArray:
    """Two volumes as one array: the first up to a cut, the second beyond it.

    Only what napari asks for, a plane or the volume, is put together.

    Parameters
    ----------
    sides : the two volumes
    places : for each side and axis, its voxel at each voxel of the array; −1
        outside of it
    shape : of the array
    """

    def __init__(
        self,
        sides: Sequence[Side],
        places: Sequence[Sequence[NDArray[np.int64]]],
        shape: tuple[int, ...],
    ) -> None:
        self.sides, self.places, self.shape = tuple(sides), tuple(places), shape
        self.ndim = len(shape)
        self.dtype = np.dtype(np.uint8)
        self.size = int(np.prod(shape))
        self.axis, self.cut = self.ndim - 1, shape[-1] // 2

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the whole array."""
        return np.asarray(self[(slice(None),) * self.ndim], dtype)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """Return a part; whole numbers and slices are understood."""
        keys = key if isinstance(key, tuple) else (key,)
        keys = tuple(part for part in keys if part is not Ellipsis)
        keys += (slice(None),) * (self.ndim - len(keys))
        index = [
            np.atleast_1d(np.arange(n)[part]) for n, part in zip(self.shape, keys, strict=True)
        ]
        first, second = (
            _taken(side, [axis[at] for axis, at in zip(places, index, strict=True)])
            for side, places in zip(self.sides, self.places, strict=True)
        )
        beyond = (index[self.axis] >= self.cut).reshape(_line(self.axis, self.ndim))
        result = np.where(beyond, second, first)
        kept = tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in keys)
        return np.asarray(result[kept], np.uint8)


def _taken(side: Side, index: Sequence[NDArray[np.int64]]) -> NDArray[np.uint8]:
    """Return common labels at the crossings of indices, 0 outside; reads only the box around."""
    if any(at.size == 0 or at.max() < 0 for at in index):
        return np.zeros([at.size for at in index], np.uint8)
    low = [int(at[at >= 0].min()) for at in index]
    box = tuple(slice(lo, int(at.max()) + 1) for lo, at in zip(low, index, strict=True))
    part = np.asarray(side.data[box])
    inner = np.ix_(*(np.maximum(at - lo, 0) for lo, at in zip(low, index, strict=True)))
    labels = side.table[part[inner]]
    for axis, at in enumerate(index):
        labels[(slice(None),) * axis + (at < 0,)] = 0
    return np.asarray(labels)


def _line(axis: int, ndim: int) -> list[int]:
    return [-1 if a == axis else 1 for a in range(ndim)]


def places_in(first: Any, second: Any) -> list[NDArray[np.int64]]:
    """Return, for each axis, the voxel of one layer at each voxel of another, −1 outside.

    Parameters
    ----------
    first, second : layers of three axes; turned against each other they cannot be compared

    Raises
    ------
    SettingsError
        They do not overlap.
    """
    places = []
    origin = np.zeros(3)
    for axis, size in enumerate(first.data.shape):
        ends = [origin.copy(), origin.copy()]
        ends[1][axis] = size - 1
        start, stop = (second.world_to_data(first.data_to_world(end))[axis] for end in ends)
        at = np.floor(np.linspace(start, stop, size) + 0.5).astype(np.int64)
        at[(at < 0) | (at >= second.data.shape[axis])] = -1
        if np.all(at < 0):
            raise SettingsError(
                f"{first.name} and {second.name} do not overlap.",
                "Two volumes of one place can be compared.",
                "Choose others, or move one of them.",
            )
        places.append(at)
    return places
