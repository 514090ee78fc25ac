"""The phase table as data: what is shown, what is guessed, what follows from edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase, phase_colours, value_counts
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume


@dataclass(frozen=True)
class PhaseRow:
    """One high-res phase.

    Attributes
    ----------
    value, name, colour : of the phase
    fraction : share of the high-res pixels, 0 to 1
    belongs_to : label value of the low-res phase it belongs to
    """

    value: int
    name: str
    colour: str
    fraction: float
    belongs_to: int


@dataclass(frozen=True)
class PhaseTable:
    """All rows, and the low-res phases they may belong to with their fractions."""

    rows: tuple[PhaseRow, ...]
    low_res: Mapping[int, float]

    @property
    def phase_map(self) -> dict[int, int]:
        """Pairs of high-res value : low-res value."""
        return {row.value: row.belongs_to for row in self.rows}

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The high-res phases, with the names and colours of the table."""
        return tuple(Phase(row.value, row.name, row.colour) for row in self.rows)

    def changed(self, index: int, **changes: object) -> PhaseTable:
        """Return the table with one row changed."""
        rows = list(self.rows)
        rows[index] = replace(rows[index], **changes)  # type: ignore[arg-type]
        return replace(self, rows=tuple(rows))

    def low_res_phases(self, known: Sequence[Phase]) -> tuple[Phase, ...]:
        """Return the low-res phases, named and coloured like what belongs to them.

        A low-res phase takes after the high-res phase of equal value if that one
        belongs to it, else after the most frequent of those that do.
        """
        phases = []
        for phase in known:
            members = [row for row in self.rows if row.belongs_to == phase.value]
            members.sort(key=lambda row: (row.value != phase.value, -row.fraction))
            if not members:
                phases.append(phase)
                continue
            name = " + ".join(row.name for row in members)
            phases.append(Phase(phase.value, name, members[0].colour))
        return tuple(phases)

    def fractions_side_by_side(self) -> list[tuple[int, float, float]]:
        """Return (low-res value, its fraction, that of the high-res phases in it)."""
        return [
            (value, fraction, sum(r.fraction for r in self.rows if r.belongs_to == value))
            for value, fraction in self.low_res.items()
        ]


def make_table(
    low_res: SegmentedVolume, high_res: SegmentedSlices, before: PhaseTable | None = None
) -> PhaseTable:
    """Make the table of a pair of inputs, keeping what was edited `before`.

    Names, colours and the map are kept when the label values are the same ones.
    """
    low_shares = shares([low_res.labels], len(low_res.phases))
    low = {p.value: float(s) for p, s in zip(low_res.phases, low_shares, strict=True)}
    images = high_res.images
    high = shares(images, len(high_res.phases))
    values = [phase.value for phase in high_res.phases]
    guessed = guess_phase_map(dict(zip(values, high, strict=True)), low)
    rows = tuple(
        PhaseRow(
            phase.value,
            phase.name,
            colour,
            float(high[index]),
            guessed[phase.value],
        )
        for index, (phase, colour) in enumerate(
            zip(high_res.phases, phase_colours(high_res.phases), strict=True)
        )
    )
    table = PhaseTable(rows, low)
    if (
        before is None
        or [row.value for row in before.rows] != values
        or set(before.low_res) != set(low)
    ):
        return table
    kept = [
        replace(row, name=old.name, colour=old.colour, belongs_to=old.belongs_to)
        for row, old in zip(rows, before.rows, strict=True)
    ]
    return PhaseTable(tuple(kept), low)


def shares(images: Sequence[NDArray[np.uint8]], n_phases: int) -> NDArray[np.float64]:
    """Return the fraction of each phase index over all images, (n,)."""
    counts = np.sum([value_counts(image) for image in images], axis=0)[:n_phases]
    return np.asarray(counts / counts.sum(), np.float64)


def guess_phase_map(high_res: Mapping[int, float], low_res: Mapping[int, float]) -> dict[int, int]:
    """Guess the low-res phase that each high-res phase belongs to.

    Equal values belong together; where the low-res volume has other values, the
    first of both are paired in order (0, 128 with 0, 1). The rest goes where the
    fractions of the low-res phases are met best.

    Parameters
    ----------
    high_res, low_res : fraction of each label value
    """
    fixed = {value: value for value in high_res if value in low_res}
    if len(fixed) < len(low_res):
        fixed = dict(zip(sorted(high_res), sorted(low_res), strict=False))
    free = [value for value in high_res if value not in fixed]
    best: dict[int, int] = fixed
    lowest = np.inf
    if len(low_res) ** len(free) > 100_000:
        first = next(iter(low_res))
        return fixed | dict.fromkeys(free, first)
    for choice in product(low_res, repeat=len(free)):
        candidate = fixed | dict(zip(free, choice, strict=True))
        error = sum(
            abs(low_res[low] - sum(high_res[h] for h, to in candidate.items() if to == low))
            for low in low_res
        )
        if error < lowest:
            lowest, best = error, candidate
    return {value: best[value] for value in high_res}
