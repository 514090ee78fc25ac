"""Two volumes as one array, the first up to a cut and the second beyond it; no Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.errors import SettingsError
from napari_superres.widgets.layers.data import volume_from_layer
from napari_superres.widgets.layers.notes import layer_phases
from napari_superres.widgets.layers.scale import in_units_of
from napari_superres.widgets.layers.view import LayerView


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


def prepare_swipe(
    views: Sequence[LayerView], places: Sequence[Any]
) -> tuple[SwipeArray, tuple[Phase, ...]]:
    """Return the swipe's array and its phases."""
    sides, phases = sides_of(views)
    shape = tuple(len(axis) for axis in places[0])
    return SwipeArray(sides, places, shape), phases


def sides_of(views: Sequence[LayerView]) -> tuple[list[Side], tuple[Phase, ...]]:
    """Return two layers over the phases that either has, with the first one's names and colours."""
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

    Planes are joined when napari asks for them. The whole volume, which 3D asks for, takes
    too long for that: the last one given to `take_whole` is shown, and `missed` is called
    where that has another cut.

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
        self.missed: Callable[[], object] = lambda: None
        """Called, in any thread, when the whole is asked for and not there."""
        self._whole: NDArray[np.uint8] | None = None
        self._whole_of: tuple[int, int] | None = None

    @property
    def ready(self) -> bool:
        """Whether the whole is there with the present cut."""
        return self._whole_of == (self.axis, self.cut)

    def whole(self, axis: int, cut: int) -> NDArray[np.uint8]:
        """Return all of it with this cut (Z, Y, X); slow, meant for a thread."""
        return self._joined([np.arange(n) for n in self.shape], axis, cut)

    def take_whole(self, whole: NDArray[np.uint8], axis: int, cut: int) -> None:
        """Set what is shown in 3D."""
        self._whole, self._whole_of = whole, (axis, cut)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the whole array, joined now."""
        return np.asarray(self.whole(self.axis, self.cut), dtype)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        """Return a part; whole numbers and slices are understood."""
        keys = key if isinstance(key, tuple) else (key,)
        keys = tuple(part for part in keys if part is not Ellipsis)
        keys += (slice(None),) * (self.ndim - len(keys))
        if all(isinstance(part, slice) for part in keys):
            return self._shown_whole()[keys]
        index = [
            np.atleast_1d(np.arange(n)[part]) for n, part in zip(self.shape, keys, strict=True)
        ]
        result = self._joined(index, self.axis, self.cut)
        kept = tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in keys)
        return np.asarray(result[kept], np.uint8)

    def _shown_whole(self) -> NDArray[np.uint8]:
        if not self.ready:
            self.missed()
        return np.zeros(self.shape, np.uint8) if self._whole is None else self._whole

    def _joined(self, index: Sequence[NDArray[np.int64]], axis: int, cut: int) -> NDArray[np.uint8]:
        """Return what lies at the crossings of indices; reads of each side what is shown of it."""
        result = np.zeros([at.size for at in index], np.uint8)
        beyond = index[axis] >= cut
        for side, places, here in zip(self.sides, self.places, (~beyond, beyond), strict=True):
            kept = list(index)
            kept[axis] = index[axis][here]
            part = _taken(side, [place[at] for place, at in zip(places, kept, strict=True)])
            result[(slice(None),) * axis + (here,)] = part
        return result


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


def places_in(first: Any, second: Any) -> list[NDArray[np.int64]]:
    """Return, for each axis, the voxel of one layer at each voxel of another, −1 outside.

    Layers that do not overlap raise SettingsError; they must not be rotated against each other.
    """
    places = []
    origin = np.zeros(3)
    for axis, size in enumerate(first.data.shape):
        ends = [origin.copy(), origin.copy()]
        ends[1][axis] = size - 1
        world = (in_units_of(second, first.data_to_world(end), first.units) for end in ends)
        start, stop = (second.world_to_data(end)[axis] for end in world)
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
