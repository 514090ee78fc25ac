"""What a training has told so far, ready to be drawn; no Qt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import SuperResError
from napari_superres.events import (
    Measurement,
    MetricsMeasured,
    PreviewReady,
    RolledBack,
    StepCompleted,
    TrainingStarted,
)
from napari_superres.measures.kinds.representativity import representativity
from napari_superres.measures.naming import phase_names
from napari_superres.widgets.parts.curves import Curve


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


MOST = 200
MOST_BYTES = 64 * 2**20


class PreviewBook:
    """Previews by step, thinned so that they never take much memory.

    When there are more than `MOST`, or more than `MOST_BYTES`, every second one goes;
    the first and the last stay.
    """

    def __init__(self, events: Iterable[PreviewReady] = ()) -> None:
        self.events: list[PreviewReady] = []
        for event in events:
            self.add(event)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def steps(self) -> list[int]:
        """Steps, rising."""
        return [event.step for event in self.events]

    @property
    def last(self) -> PreviewReady | None:
        """The latest one."""
        return self.events[-1] if self.events else None

    def add(self, event: PreviewReady) -> None:
        """Take in a preview, in place of one of the same step."""
        at = bisect_left(self.steps, event.step)
        same = at < len(self.events) and self.events[at].step == event.step
        self.events[at : at + int(same)] = [event]
        if len(self.events) > 2 and (len(self.events) > MOST or self._bytes() > MOST_BYTES):
            del self.events[1:-1:2]

    def drop_after(self, step: int) -> None:
        """Forget the previews of later steps."""
        del self.events[bisect_right(self.steps, step) :]

    def nearest(self, step: int) -> int:
        """Return the place of the latest preview at or before a step, else of the first."""
        return max(bisect_right(self.steps, step) - 1, 0)

    def _bytes(self) -> int:
        # the real slices are the same arrays in all of them
        return sum(
            image.nbytes for event in self.events for image in (*event.generated, *event.low_res)
        )


def book_text(book: PreviewBook, place: int, following: bool) -> str:
    """Return the caption over the preview at a place of the book."""
    if not len(book):
        return "Previews"
    step = f"Previews at step {book.events[place].step:,}"
    return step if following else f"{step} of {book.events[-1].step:,}"


Band = tuple[float, float]
CONFIDENCE = 0.95


def fraction_bands(high_res: SegmentedSlices) -> Mapping[str, Band]:
    """Return the 95 % interval of each phase's fraction, by phase name.

    Phases of which the slices cannot tell are left out. A generator whose fractions lie
    inside may be as near to the material as the slices can say.

    Parameters
    ----------
    high_res : slices of all axes, pooled

    Raises
    ------
    ShapeError
        Slices too small for it.
    """
    images = [image for images in high_res.sets for image in images]
    bands = {}
    for index, name in enumerate(phase_names(high_res.phases)):
        found = representativity(images, [index], CONFIDENCE)
        if isfinite(found.low) and isfinite(found.high):
            bands[name] = (found.low, found.high)
    return bands


def bands_or_none(high_res: SegmentedSlices) -> Mapping[str, Band]:
    """Return the bands; none where the slices are too small for them."""
    try:
        return fraction_bands(high_res)
    except SuperResError:
        return {}


def rollbacks_line(history: History) -> str:
    """Return how often a run was rolled back, and why the last time; empty for never."""
    if not history.rollbacks:
        return ""
    last, times = history.rollbacks[-1], len(history.rollbacks)
    often = "once" if times == 1 else f"{times} times"
    return f"Rolled back {often}, last from step {last.step:,} to {last.to_step:,}: {last.reason}."


def score_line(history: History) -> str:
    """Return the latest numbers against their targets in one line."""
    errors = history.errors()
    if errors is None or history.latest is None:
        return "Numbers appear after the first measurement."
    parts = [f"Errors: fractions {errors[0]:.3f}", f"interfaces {errors[1]:.0%}"]
    found = history.latest.measurement
    if found.low_res_mismatch is not None:
        parts.append(f"low-res {found.low_res_mismatch:.1%}")
    if found.two_point_error is not None:
        chance = history.target.two_point_error if history.target else None
        known = "" if chance is None else f" (by chance {chance:.3f})"
        parts.append(f"two-point {found.two_point_error:.3f}{known}")
    if found.anisotropy is not None:
        parts.append(f"between axes {found.anisotropy:.1%}")
    return " · ".join(parts)
