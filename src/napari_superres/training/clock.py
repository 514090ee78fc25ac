"""Time: how long a training has worked, what share of its budget is used."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from torch import Tensor

from napari_superres.config import Budget

LEAST_RATE = 0.02
"""Share of the learning rate that annealing leaves."""


class Clock:
    """Seconds worked without pauses, after `before` seconds in earlier stretches."""

    def __init__(self, before: float = 0.0) -> None:
        self.before = before
        self.start()

    def start(self) -> None:
        """Begin this stretch now."""
        self._lost = time.monotonic()

    def seconds(self) -> float:
        """Return seconds worked in this stretch."""
        return time.monotonic() - self._lost

    def elapsed(self) -> float:
        """Return seconds worked in all."""
        return self.before + self.seconds()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out the time that passes inside."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._lost += time.monotonic() - began


def progress(budget: Budget, seconds: float, first_step: int, step: int) -> float | None:
    """Return the used share of a budget, 0 to 1, or None where it has no end.

    Minutes and `seconds` count from this stretch, which began at `first_step`; steps from the
    run's beginning.
    """
    shares = []
    if budget.minutes is not None:
        shares.append(seconds / (60 * budget.minutes))
    if budget.steps is not None:
        todo = max(budget.steps - first_step, 0)
        shares.append((step - first_step) / todo if todo else 1.0)
    # below 0 after a roll-back to before this stretch
    return min(max(0.0, *shares), 1.0) if shares else None


def used_share(budget: Budget, seconds: float, step: int) -> float:
    """Return the share of a budget that learning rates fall with; 0 where it has no end.

    Steps done before this stretch count too, unlike in `progress`.
    """
    share = 0.0
    if budget.steps is not None:
        share = step / budget.steps
    if budget.minutes is not None:
        share = max(share, seconds / (60 * budget.minutes))
    return share


def annealed(share: float, annealing: float) -> float:
    """Return the factor on the learning rate when `share` of a budget, 0 to 1, is used.

    It falls from 1 to `LEAST_RATE` in the last share `annealing` of the budget.
    """
    if annealing <= 0:
        return 1.0
    return 1 - (1 - LEAST_RATE) * min(max((share - 1 + annealing) / annealing, 0.0), 1.0)


def mean_terms(history: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
    """Return the mean of each loss term over several steps."""
    names = {name for terms in history for name in terms}
    means = {}
    for name in sorted(names):
        values = [float(terms[name]) for terms in history if name in terms]
        means[name] = sum(values) / len(values)
    return means
