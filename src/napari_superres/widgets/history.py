"""What a training has told so far, ready to be drawn; no Qt."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

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
    """Curves of one training, by plot and name, and the targets to reach.

    Attributes
    ----------
    target : measures of the high-res slices
    bands : by phase name, where the material's own fraction lies with 95 %
    rollbacks : in the order in which they came
    """

    losses: dict[str, Curve] = field(default_factory=dict)
    fractions: dict[str, Curve] = field(default_factory=dict)
    interfaces: dict[str, Curve] = field(default_factory=dict)
    mismatch: Curve = field(default_factory=Curve)
    target: Measurement | None = None
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    latest: MetricsMeasured | None = None
    rollbacks: list[RolledBack] = field(default_factory=list)

    def add(self, event: object) -> None:
        """Take in an event; those without numbers are ignored."""
        if isinstance(event, TrainingStarted):
            self.target = event.target
            self._drop_after(event.step)  # a killed run goes on from its last checkpoint
        elif isinstance(event, StepCompleted):
            _extend(self.losses, event.step, event.losses)
        elif isinstance(event, RolledBack):
            self.rollbacks.append(event)
            self._drop_after(event.to_step)
        elif isinstance(event, MetricsMeasured):
            self.latest = event
            _extend(self.fractions, event.step, event.measurement.volume_fractions)
            _extend(self.interfaces, event.step, event.measurement.interface_areas)
            if event.measurement.low_res_mismatch is not None:
                self.mismatch.add(event.step, event.measurement.low_res_mismatch)

    def errors(self) -> tuple[float, float] | None:
        """Return the latest mean errors, None before a measurement; see `mean_errors`."""
        if self.latest is None or self.target is None:
            return None
        return mean_errors(self.latest.measurement, self.target)

    def _drop_after(self, step: int) -> None:
        for curves in (self.losses, self.fractions, self.interfaces):
            for curve in curves.values():
                curve.drop_after(step)
        self.mismatch.drop_after(step)


def mean_errors(found: Measurement, target: Measurement) -> tuple[float, float]:
    """Return the mean errors of volume fractions (absolute) and interface areas (relative).

    Pairs of phases that never meet in the target are left out.
    """
    fractions = [
        abs(found.volume_fractions.get(name, 0.0) - goal)
        for name, goal in target.volume_fractions.items()
    ]
    areas = [
        abs(found.interface_areas.get(name, 0.0) - goal) / goal
        for name, goal in target.interface_areas.items()
        if goal > 0
    ]
    return _mean(fractions), _mean(areas)


def history_of_log(lines: Iterable[Mapping[str, Any]], target: Measurement | None) -> History:
    """Return the history of a run from the lines of its metrics.jsonl.

    Lines that are none of ours are left out, as are losses of runs made before they
    were written down.
    """
    history = History(target=target)
    for line in lines:
        try:
            for event in _events_of(line):
                history.add(event)
        except (KeyError, TypeError, ValueError):
            continue
    return history


def _events_of(line: Mapping[str, Any]) -> list[object]:
    """Return what a training told when it wrote a line."""
    step = int(line["step"])
    if "rolled_back_to" in line:
        rate = float(line.get("learning_rate", 0))
        return [RolledBack(step, int(line["rolled_back_to"]), str(line["reason"]), rate, 0)]
    found = Measurement(
        line["volume_fractions"],
        line["interface_areas"],
        line.get("low_res_mismatch"),
        line.get("two_point_error"),
        line.get("anisotropy"),
    )
    measured = MetricsMeasured(step, found, float(line["score"]), False)
    return [StepCompleted(step, 0.0, None, None, line.get("losses") or {}), measured]


def _extend(curves: dict[str, Curve], step: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if isfinite(value):  # a step that went wrong is told by the roll-back
            curves.setdefault(name, Curve()).add(step, float(value))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
