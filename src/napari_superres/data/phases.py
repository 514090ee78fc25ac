"""Phases and the map from high-res to low-res phases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_superres.errors import PhaseError

PALETTE = ("#20242c", "#5b9bd5", "#f2c14e", "#d1495b", "#66a182", "#9d79bc", "#e08e45", "#8c8c8c")
"""Colours given to phases without one, by index: readable on dark and light, colour-blind safe."""

MAX_PHASES = 32
"""More distinct values than this are taken for a greyscale image."""


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
    """Return unnamed phases for sorted label values, with the palette's colours.

    Raises
    ------
    PhaseError
        When a value is outside 0 to 255.
    """
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
