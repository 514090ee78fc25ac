"""Phases, the label values that files have for them, and the map from high-res to low-res."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_superres.errors import NotSegmentedError, PhaseError, ShapeError

PALETTE = ("#20242c", "#5b9bd5", "#f2c14e", "#d1495b", "#66a182", "#9d79bc", "#e08e45", "#8c8c8c")
"""Colours given to phases without one, by index: readable on dark and light, colour-blind safe."""

MAX_PHASES = 32
"""More distinct values than this are taken for a greyscale image."""

COUNTED_AT_ONCE = 2**22


@dataclass(frozen=True)
class Phase:
    """One phase of a segmented image.

    Attributes
    ----------
    value : label value in the user's files, 0 to 255
    name : as shown to the user
    colour : "#rrggbb"; empty for one of the palette, and where it is given in another way
    """

    value: int
    name: str = ""
    colour: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 255:
            raise PhaseError(
                f"A phase has the label value {self.value}.",
                "Label values must lie between 0 and 255.",
                "Renumber the labels of the segmentation.",
            )
        if not self.name:
            object.__setattr__(self, "name", f"phase {self.value}")
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.colour):
            object.__setattr__(self, "colour", "")


def phases_from_values(values: Sequence[int]) -> tuple[Phase, ...]:
    """Return unnamed phases for sorted label values, with the palette's colours."""
    return tuple(
        Phase(int(value), colour=PALETTE[index % len(PALETTE)])
        for index, value in enumerate(sorted({int(v) for v in values}))
    )


def phase_colours(phases: Sequence[Phase]) -> list[str]:
    """Return the colour "#rrggbb" of each phase, the palette's where it has none."""
    return [phase.colour or PALETTE[index % len(PALETTE)] for index, phase in enumerate(phases)]


def with_names(phases: Sequence[Phase], names: Sequence[str]) -> tuple[Phase, ...]:
    """Return `phases` with other names, in order."""
    return tuple(replace(phase, name=name) for phase, name in zip(phases, names, strict=True))


def resolve_phase_map(
    phase_map: Mapping[int, int], high_res: Sequence[Phase], low_res: Sequence[Phase]
) -> NDArray[np.int64]:
    """Turn HR value : LR value pairs into LR phase indices per HR phase index.

    Parameters
    ----------
    phase_map : mapping of high-res label value to low-res label value
    high_res, low_res : the n and m phases, in index order

    Returns
    -------
    (n,) int64
        Entry j is the index of the low-res phase that high-res phase j belongs to:
        column j of the 0/1 matrix M of p_LR = M · p_HR has its one in that row.

    Raises
    ------
    PhaseError
        Fewer high-res than low-res phases, a high-res phase without a pair, an
        unknown value, or a low-res phase that no high-res phase belongs to.
    """
    high_values = [phase.value for phase in high_res]
    low_values = [phase.value for phase in low_res]
    if len(high_values) < len(low_values):
        raise PhaseError(
            f"The high-res slice has {len(high_values)} phases {listed(high_values)}; "
            f"the low-res volume has {len(low_values)} {listed(low_values)}.",
            "The slice needs at least as many.",
            "Use slices in which every phase of the volume can be seen, "
            "or merge phases of the volume.",
        )
    _check_known("names high-res", phase_map, high_values)
    missing = [value for value in high_values if value not in phase_map]
    if missing:
        raise PhaseError(
            f"The phase map says nothing of high-res {listed(missing)}.",
            "Every high-res phase needs the low-res phase it belongs to.",
            "Add pairs such as --phase-map " + ",".join(f"{v}:{v}" for v in high_values) + ".",
        )
    _check_known("points to low-res", phase_map.values(), low_values)
    unmapped = [value for value in low_values if value not in phase_map.values()]
    if unmapped:
        raise PhaseError(
            f"No high-res phase belongs to low-res {listed(unmapped)}.",
            "Every low-res phase needs at least one high-res phase.",
            "Correct the phase map.",
        )
    return np.array([low_values.index(phase_map[value]) for value in high_values], np.int64)


def _check_known(says: str, values: Iterable[int], known: Sequence[int]) -> None:
    strange = sorted(set(values) - set(known))
    if strange:
        raise PhaseError(
            f"The phase map {says} {listed(strange)}, not among {listed(known)}.",
            "Pairs are high-res value : low-res value.",
        )


def listed(values: Iterable[int]) -> str:
    """Return label values as a message shows them: "(0, 1, 2)"."""
    return "(" + ", ".join(map(str, values)) + ")"


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
