"""Volumes and slices over the same phases, so that an index means the same in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from napari_superres.data.label_values import values_of
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume

Segmented = SegmentedVolume | SegmentedSlices


def common_phases(items: Iterable[Segmented]) -> tuple[Phase, ...]:
    """Return the phases that any of the items has; the last one's names stand."""
    by_value = {phase.value: phase for item in items for phase in item.phases}
    return tuple(by_value[value] for value in sorted(by_value))


def with_phases(item: Segmented, phases: tuple[Phase, ...]) -> Segmented:
    """Return the same labels as indices into `phases`, which has all values of `item`."""
    if isinstance(item, SegmentedVolume):
        return volume_with_phases(item, phases)
    return slices_with_phases(item, phases)


def volume_with_phases(item: SegmentedVolume, phases: tuple[Phase, ...]) -> SegmentedVolume:
    """Return the same volume over other phases, see `with_phases`."""
    if _same_values(item, phases):
        return replace(item, phases=phases)
    return SegmentedVolume.from_labels(item.values, item.voxel_size, phases, item.name)


def slices_with_phases(item: SegmentedSlices, phases: tuple[Phase, ...]) -> SegmentedSlices:
    """Return the same slices over other phases, see `with_phases`."""
    if _same_values(item, phases):
        return replace(item, phases=phases)
    sets = [[values_of(image, item.phases) for image in images] for images in item.sets]
    return SegmentedSlices.from_labels(sets, item.voxel_size, phases, item.name)


def _same_values(item: Segmented, phases: tuple[Phase, ...]) -> bool:
    return [phase.value for phase in item.phases] == [phase.value for phase in phases]
