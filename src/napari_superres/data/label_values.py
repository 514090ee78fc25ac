"""From the user's label values to phase indices and back, and how often each occurs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import MAX_PHASES, Phase, phases_from_values
from napari_superres.errors import NotSegmentedError, PhaseError, ShapeError

COUNTED_AT_ONCE = 2**22


def to_phases(
    arrays: Sequence[NDArray[np.generic]], phases: Sequence[Phase] | None, name: str
) -> tuple[list[NDArray[np.uint8]], tuple[Phase, ...]]:
    """Turn arrays of label values into uint8 indices of common phases.

    Arrays keep their shapes; phases are ordered by label value. Without `phases` to expect,
    there is one for every value that is present.
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
    return [indices_of(array.astype(np.uint8, copy=False), expected) for array in arrays], expected


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


def value_counts(array: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each of the values 0 to 255 occurs, (256,).

    Counts in parts: NumPy makes eight bytes of each voxel that it counts.
    """
    counts = np.zeros(256, np.int64)
    flat = array.reshape(-1)
    for start in range(0, flat.size, COUNTED_AT_ONCE):
        counts += np.bincount(flat[start : start + COUNTED_AT_ONCE], minlength=256)
    return counts


def indices_of(values: NDArray[np.uint8], phases: Sequence[Phase]) -> NDArray[np.uint8]:
    """Return phase indices of label values, same shape; of a value without a phase, 0."""
    table = np.zeros(256, np.uint8)
    table[[phase.value for phase in phases]] = np.arange(len(phases))
    return table[values]


def values_of(labels: NDArray[np.uint8], phases: Sequence[Phase]) -> NDArray[np.uint8]:
    """Return the user's label values for phase indices, same shape, uint8."""
    return np.array([phase.value for phase in phases], np.uint8)[labels]
