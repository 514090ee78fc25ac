"""Whether a training has diverged: a loss that is not a number or explodes, a missing phase.

Decisions depend on steps and measurements alone, never on the clock: a run that is
killed and resumed decides the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from napari_superres.events import Measurement

MOST_ROLLBACKS = 3
TWICE = 2
"""Measurements in a row that must look bad: one can be chance."""
ABSENT = 0.05
"""A phase with less than this share of its target fraction counts as gone: single voxels that give
a sampled low-res volume back can be 0.016 of it and nothing else."""
RARE = 0.002
"""Phases rarer than this may be missing from the measured crops by chance."""
EXPLODED = 1e4
SETTLING, FALLEN, LEARNING = 0.1, 0.15, 0.5
"""Learning rate × generator updates: before the first, a missing phase is the random start;
before the last, one that was never there may still come, unless there is but one phase after the
second."""
MUCH = 0.2
"""Share of the target that is missing at least where there is but one phase."""
NOT_A_NUMBER = "a loss is not a number"


class Watch:
    """Looks at each measurement and remembers what it needs for the next.

    Attributes
    ----------
    rollbacks : how often the run was rolled back
    good : whether the last look found nothing wrong at all
    """

    def __init__(self, target: Measurement, learning_rate: float) -> None:
        self.wanted = {
            name: share for name, share in target.volume_fractions.items() if share >= RARE
        }
        self.start_rate = learning_rate
        self.seen: set[str] = set()
        self.bad = 0
        self.rollbacks = 0
        self.good = False

    @property
    def learning_rate(self) -> float:
        """The rate to train with now."""
        return float(self.start_rate * 0.5**self.rollbacks)

    def look(
        self,
        fractions: Mapping[str, float],
        terms: Mapping[str, float],
        updates: int,
        healthy: bool,
    ) -> str | None:
        """Return what is wrong, as part of a sentence, or None to go on.

        Parameters
        ----------
        fractions : of each phase by name, 0 to 1
        terms : loss terms of the step measured
        updates : of the generator, so far
        healthy : whether all weights are finite
        """
        self.good = False
        if not healthy or not all(math.isfinite(value) for value in terms.values()):
            return NOT_A_NUMBER
        missing = {
            name
            for name, wanted in self.wanted.items()
            if fractions.get(name, 0.0) < ABSENT * wanted
        }
        path = updates * self.start_rate
        alone = len(missing) == len(self.wanted) - 1
        fallen = alone and sum(self.wanted[name] for name in missing) >= MUCH
        gone = (missing & self.seen) if path >= SETTLING else set()
        if path >= (FALLEN if fallen else LEARNING):
            gone = missing
        self.seen |= set(self.wanted) - missing
        exploded = sorted(name for name, value in terms.items() if abs(value) > EXPLODED)
        self.bad = self.bad + 1 if gone or exploded else 0
        self.good = not missing and not exploded
        if self.bad < TWICE:
            return None
        if exploded:
            return f"the loss {exploded[0]} has exploded to {terms[exploded[0]]:.1e}"
        if alone:
            (left,) = set(self.wanted) - missing
            return f"everything has become {left}"
        names = " and ".join(sorted(gone))
        return f"{names} {'has' if len(gone) == 1 else 'have'} vanished"

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"seen": sorted(self.seen), "bad": self.bad, "rollbacks": self.rollbacks}

    def load(self, state: Mapping[str, Any]) -> None:
        """Load what `state` returned."""
        self.seen = set(state.get("seen", ()))
        self.bad = int(state.get("bad", 0))
        self.rollbacks = int(state.get("rollbacks", 0))

    def roll_back(self, state: Mapping[str, Any]) -> None:
        """Load the state of the checkpoint gone back to, and count the roll-back."""
        rollbacks = self.rollbacks
        self.load(state)
        self.bad = 0
        self.rollbacks = rollbacks + 1
