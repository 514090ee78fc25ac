"""Segmented volumes and slices: label indices, phases, voxel size.

`from_labels` is where arbitrary arrays become phases; everything behind it can
rely on uint8 indices 0 … n − 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import MAX_PHASES, Phase, phases_from_values
from napari_superres.errors import NotSegmentedError, PhaseError, ShapeError

Labels = NDArray[np.uint8]
VoxelSize = tuple[float, float, float]

COUNTED_AT_ONCE = 2**22


@dataclass(frozen=True, eq=False)
class SegmentedVolume:
    """A segmented volume.

    Attributes
    ----------
    labels : (Z, Y, X) uint8
        Phase indices 0 … n − 1 into `phases`.
    phases : the n phases, ordered by label value
    voxel_size : µm along z, y, x, or None when unknown
    name : for messages and layers
    """

    labels: Labels
    phases: tuple[Phase, ...]
    voxel_size: VoxelSize | None = None
    name: str = "volume"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        z, y, x = self.labels.shape
        return z, y, x

    @property
    def values(self) -> Labels:
        """The user's own label values, (Z, Y, X) uint8."""
        return values_of(self.labels, self.phases)

    @classmethod
    def from_labels(
        cls,
        array: object,
        voxel_size: VoxelSize | None = None,
        phases: Sequence[Phase] | None = None,
        name: str = "volume",
    ) -> SegmentedVolume:
        """Make a volume from an array of label values of any integral dtype.

        Parameters
        ----------
        array : (Z, Y, X) array-like of label values
        voxel_size : µm along z, y, x
        phases : the phases to expect; None to take the values that are present

        Raises
        ------
        ShapeError
            Not three axes, or one of them empty.
        NotSegmentedError
            Colours, fractions, or more values than a segmentation has.
        PhaseError
            A value that `phases` does not have, or one outside 0 to 255.
        """
        volume = np.asarray(array)
        if volume.ndim == 3 and volume.shape[-1] in (3, 4) and min(volume.shape[:2]) > 16:
            raise NotSegmentedError(
                f"{name} has shape {volume.shape}, which looks like a colour image.",
                "A segmented volume with axes z, y, x is needed.",
                "Segment it first.",
            )
        if volume.ndim != 3:
            raise ShapeError(
                f"{name} has {volume.ndim} axes, shape {volume.shape}.",
                "A low-res volume needs three axes: z, y, x.",
                "Load the whole stack, or choose another layer.",
            )
        checked, found = to_phases([volume], phases, name)
        return cls(checked[0], found, voxel_size, name)


@dataclass(frozen=True, eq=False)
class SegmentedSlices:
    """Segmented high-res slices of one material.

    Attributes
    ----------
    sets : one set of images for an isotropic material; three for an anisotropic
        one, of the planes normal to z, y and x. Each image is (rows, columns)
        uint8 with phase indices 0 … n − 1; rows and columns are the two
        remaining axes in zyx order.
    phases : the n phases of all sets, ordered by label value
    voxel_size : µm of the high-res grid along z, y, x, or None when unknown
    name : for messages and layers
    """

    sets: tuple[tuple[Labels, ...], ...]
    phases: tuple[Phase, ...]
    voxel_size: VoxelSize | None = None
    name: str = "slices"

    @property
    def anisotropic(self) -> bool:
        """Whether there is a set for each axis."""
        return len(self.sets) == 3

    def normal_to(self, axis: int) -> tuple[Labels, ...]:
        """Return the images of planes normal to `axis` (0 z, 1 y, 2 x)."""
        return self.sets[axis if self.anisotropic else 0]

    @classmethod
    def from_labels(
        cls,
        sets: Sequence[Sequence[object]],
        voxel_size: VoxelSize | None = None,
        phases: Sequence[Phase] | None = None,
        name: str = "slices",
    ) -> SegmentedSlices:
        """Make slices from arrays of label values, (rows, columns) or stacks of these.

        Raises
        ------
        ShapeError
            Not one or three sets, an empty set, or images without two axes.
        NotSegmentedError, PhaseError
            As for `SegmentedVolume.from_labels`; phases are those of all images.
        """
        if len(sets) not in (1, 3):
            raise ShapeError(
                f"There are {len(sets)} sets of high-res slices.",
                "One is needed for an isotropic material, three (normal to z, y, x) "
                "for an anisotropic one.",
            )
        flat: list[NDArray[np.generic]] = []
        counts = []
        for arrays in sets:
            images = [image for array in arrays for image in _images(np.asarray(array), name)]
            if not images:
                raise ShapeError(f"{name} holds no image.", "At least one slice is needed.")
            counts.append(len(images))
            flat.extend(images)
        checked, found = to_phases(flat, phases, name)
        taken = iter(checked)
        return cls(
            tuple(tuple(next(taken) for _ in range(count)) for count in counts),
            found,
            voxel_size,
            name,
        )


def _images(array: NDArray[np.generic], name: str) -> list[NDArray[np.generic]]:
    if array.ndim == 3 and array.shape[-1] in (3, 4) and min(array.shape[:2]) > 16:
        raise NotSegmentedError(
            f"{name} has shape {array.shape}, a colour image.",
            "A segmented slice holds one label value a pixel.",
            "Segment it first.",
        )
    if array.ndim == 2:
        return [array]
    if array.ndim == 3:
        return list(array)
    raise ShapeError(
        f"{name} has {array.ndim} axes, shape {array.shape}.",
        "High-res slices need two axes, or three for a stack of slices.",
    )


def to_phases(
    arrays: Sequence[NDArray[np.generic]], phases: Sequence[Phase] | None, name: str
) -> tuple[list[Labels], tuple[Phase, ...]]:
    """Turn arrays of label values into uint8 indices of common phases.

    Parameters
    ----------
    arrays : label values, any shape
    phases : the phases to expect; None to take every value that is present

    Returns
    -------
    indices : uint8 arrays of the same shapes
    phases : ordered by label value

    Raises
    ------
    ShapeError, NotSegmentedError, PhaseError
    """
    present: set[int] = set()
    for array in arrays:
        if array.size == 0:
            raise ShapeError(f"{name} is empty, shape {array.shape}.", "It needs voxels.")
        present |= _label_values(array, name)
        if len(present) > MAX_PHASES:
            raise NotSegmentedError(
                f"{name} has {len(present)} different values: a greyscale image.",
                f"A segmented image with at most {MAX_PHASES} phases is needed.",
                "Segment it first, for example by thresholds.",
            )
    expected = (
        phases_from_values(sorted(present))
        if phases is None
        else tuple(sorted(phases, key=lambda phase: phase.value))
    )
    values = [phase.value for phase in expected]
    strange = sorted(present - set(values))
    if strange:
        raise PhaseError(
            f"{name} has the label values {strange}, not among its phases {values}.",
            "Every value needs a phase.",
        )
    table = np.zeros(256, np.uint8)
    table[values] = np.arange(len(values), dtype=np.uint8)
    return [table[array.astype(np.uint8, copy=False)] for array in arrays], expected


def _label_values(array: NDArray[np.generic], name: str) -> set[int]:
    if array.dtype.kind == "b":
        return set(np.unique(array).astype(int).tolist())
    if array.dtype.kind in "iu" and array.dtype.itemsize == 1 and array.dtype.kind == "u":
        return set(np.flatnonzero(value_counts(array.astype(np.uint8, copy=False))).tolist())
    if array.dtype.kind not in "iuf":
        raise NotSegmentedError(
            f"{name} holds values of type {array.dtype}.", "Integer label values are needed."
        )
    values = np.unique(array)
    odd = values[~np.isfinite(values) | (values != np.round(values))]
    if odd.size:
        raise NotSegmentedError(
            f"{name} holds values such as {odd[0]:.4g}.",
            "Integer label values are needed.",
            "Segment it first.",
        )
    if len(values) > MAX_PHASES:
        return set(range(len(values)))
    for value in (int(values[0]), int(values[-1])):
        Phase(value)
    return {int(value) for value in values}


def value_counts(array: Labels) -> NDArray[np.int64]:
    """Return how often each of the values 0 to 255 occurs, (256,).

    Counts in parts: NumPy makes eight bytes of each voxel that it counts.
    """
    counts = np.zeros(256, np.int64)
    flat = array.reshape(-1)
    for start in range(0, flat.size, COUNTED_AT_ONCE):
        counts += np.bincount(flat[start : start + COUNTED_AT_ONCE], minlength=256)
    return counts


def values_of(labels: Labels, phases: Sequence[Phase]) -> Labels:
    """Return the user's label values for phase indices, same shape, uint8."""
    return np.array([phase.value for phase in phases], np.uint8)[labels]
