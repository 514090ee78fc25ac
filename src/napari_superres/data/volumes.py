"""Segmented volumes and slices: label indices, phases, voxel size.

`from_labels` is where arbitrary arrays become phases; everything behind it can
rely on uint8 indices 0 … n − 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase, to_phases, values_of
from napari_superres.errors import NotSegmentedError, SettingsError, ShapeError

Labels = NDArray[np.uint8]
VoxelSize = tuple[float, float, float]
SMALLEST, LARGEST = 1e-6, 1e7
"""Lengths in µm that a voxel can have: from a hundredth of an atom to ten metres."""


def is_length(size: float) -> bool:
    """Whether `size`, in µm, can be that of a voxel; NaN cannot."""
    return SMALLEST <= size <= LARGEST


def looks_coloured(array: NDArray[np.generic]) -> bool:
    """Whether three axes are more likely rows, columns and colours than z, y, x."""
    return array.ndim == 3 and array.shape[-1] in (3, 4) and min(array.shape[:2]) > 16


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

    def with_phases(self, phases: tuple[Phase, ...]) -> SegmentedVolume:
        """Return the same labels as indices into `phases`, which has all values of the volume."""
        if _same_values(self.phases, phases):
            return replace(self, phases=phases)
        return SegmentedVolume.from_labels(self.values, self.voxel_size, phases, self.name)

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
        SettingsError
            A voxel size that no voxel has.
        """
        volume = np.asarray(array)
        if looks_coloured(volume):
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
        _check_size(voxel_size, name)
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

    @property
    def images(self) -> list[Labels]:
        """The images of all sets."""
        return [image for images in self.sets for image in images]

    def normal_to(self, axis: int) -> tuple[Labels, ...]:
        """Return the images of planes normal to `axis` (0 z, 1 y, 2 x)."""
        return self.sets[axis if self.anisotropic else 0]

    def with_phases(self, phases: tuple[Phase, ...]) -> SegmentedSlices:
        """Return the same labels as indices into `phases`, which has all values of the slices."""
        if _same_values(self.phases, phases):
            return replace(self, phases=phases)
        sets = [[values_of(image, self.phases) for image in images] for images in self.sets]
        return SegmentedSlices.from_labels(sets, self.voxel_size, phases, self.name)

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
        NotSegmentedError, PhaseError, SettingsError
            As for `SegmentedVolume.from_labels`; phases are those of all images.
        """
        _check_size(voxel_size, name)
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
        images_left = iter(checked)
        return cls(
            tuple(tuple(next(images_left) for _ in range(count)) for count in counts),
            found,
            voxel_size,
            name,
        )


Segmented = SegmentedVolume | SegmentedSlices


def common_phases(items: Iterable[Segmented]) -> tuple[Phase, ...]:
    """Return the phases that any of the items has; the last one's names stand."""
    by_value = {phase.value: phase for item in items for phase in item.phases}
    return tuple(by_value[value] for value in sorted(by_value))


def _same_values(some: Sequence[Phase], others: Sequence[Phase]) -> bool:
    return [phase.value for phase in some] == [phase.value for phase in others]


def _check_size(voxel_size: VoxelSize | None, name: str) -> None:
    if voxel_size is not None and not all(map(is_length, voxel_size)):
        raise SettingsError(
            f"The voxel size of {name} is {voxel_size}.",
            f"Three numbers in µm are needed, from {SMALLEST:g} to {LARGEST:g}.",
            "Give none where it is unknown.",
        )


def _images(array: NDArray[np.generic], name: str) -> list[NDArray[np.generic]]:
    if looks_coloured(array):
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
