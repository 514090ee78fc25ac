"""What a training has told so far, ready to be drawn; no Qt."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_superres.events import (
    Measurement,
    MetricsMeasured,
    RolledBack,
    StepCompleted,
    TrainingStarted,
)

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


@dataclass
class History:
    """Curves of one training, by plot and name, and the targets to reach."""

    losses: dict[str, Curve] = field(default_factory=dict)
    fractions: dict[str, Curve] = field(default_factory=dict)
    interfaces: dict[str, Curve] = field(default_factory=dict)
    mismatch: Curve = field(default_factory=Curve)
    target: Measurement | None = None
    latest: MetricsMeasured | None = None

    def add(self, event: object) -> None:
        """Take in an event; those without numbers are ignored."""
        if isinstance(event, TrainingStarted):
            self.target = event.target
        elif isinstance(event, StepCompleted):
            _extend(self.losses, event.step, event.losses)
        elif isinstance(event, RolledBack):
            for curves in (self.losses, self.fractions, self.interfaces):
                for curve in curves.values():
                    curve.drop_after(event.to_step)
            self.mismatch.drop_after(event.to_step)
        elif isinstance(event, MetricsMeasured):
            self.latest = event
            _extend(self.fractions, event.step, event.measurement.volume_fractions)
            _extend(self.interfaces, event.step, event.measurement.interface_areas)
            if event.measurement.low_res_mismatch is not None:
                self.mismatch.add(event.step, event.measurement.low_res_mismatch)

    def errors(self) -> tuple[float, float] | None:
        """Return the latest mean errors: of volume fractions (absolute), of interface
        areas (relative, pairs the target lacks left out); None before a measurement.
        """  # noqa: D205
        if self.latest is None or self.target is None:
            return None
        now = self.latest.measurement
        fractions = [
            abs(now.volume_fractions.get(name, 0.0) - goal)
            for name, goal in self.target.volume_fractions.items()
        ]
        areas = [
            abs(now.interface_areas.get(name, 0.0) - goal) / goal
            for name, goal in self.target.interface_areas.items()
            if goal > 0
        ]
        return _mean(fractions), _mean(areas)


def _extend(curves: dict[str, Curve], step: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        curves.setdefault(name, Curve()).add(step, float(value))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
