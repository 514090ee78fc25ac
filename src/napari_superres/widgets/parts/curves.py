"""Curves of a live plot, of bounded length; no Qt."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

MOST_POINTS = 2000


@dataclass
class Curve:
    """One line of a plot; halved in density once it has more than `MOST_POINTS` points."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    _every: int = 1
    _seen: int = 0

    def add(self, step: int, value: float) -> None:
        """Append a point, or skip it where the curve is already dense."""
        self._seen += 1
        if self._seen % self._every:
            return
        self.steps.append(step)
        self.values.append(value)
        if len(self.steps) > MOST_POINTS:
            del self.steps[::2], self.values[::2]
            self._every *= 2

    def drop_after(self, step: int) -> None:
        """Forget the points of later steps."""
        kept = bisect_right(self.steps, step)
        del self.steps[kept:], self.values[kept:]
