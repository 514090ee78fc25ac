"""What a training has measured so far, by name and ready to be drawn; no Qt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.events import (
    ImagesMeasured,
    ImagesReady,
    Measurement,
    MetricsMeasured,
    PreviewReady,
    RolledBack,
    StepCompleted,
    TrainingStarted,
)
from napari_superres.widgets.parts.curves import Curve
from napari_superres.words import IMAGE_NUMBERS, mean_errors, measured_parts

Band = tuple[float, float]
Preview = PreviewReady | ImagesReady
Curves = dict[str, Curve]
_NUMBERS = ("low_res_mismatch", "two_point_error", "anisotropy")


@dataclass
class History:
    """Curves of one training, by name, and the targets to reach.

    Attributes
    ----------
    losses, fractions, interfaces : over steps, by loss, phase and pair of phases
    values : over steps, all other numbers, such as "low_res_mismatch" or "r_t"
    profiles : curves of the latest measurement, such as "two-point dark real"
    target : measures of the high-res slices
    bands : by phase name, where the material's own fraction lies with 95 %
    latest : measurement
    rollbacks : in the order in which they came
    """

    losses: Curves = field(default_factory=dict)
    fractions: Curves = field(default_factory=dict)
    interfaces: Curves = field(default_factory=dict)
    values: Curves = field(default_factory=dict)
    profiles: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    target: Measurement | None = None
    bands: Mapping[str, Band] = field(default_factory=dict)
    latest: MetricsMeasured | ImagesMeasured | None = None
    rollbacks: list[RolledBack] = field(default_factory=list)
    _scores: list[tuple[float, int]] = field(default_factory=list)

    @property
    def best(self) -> int | None:
        """Step of the least score, None before a measurement."""
        return min(self._scores)[1] if self._scores else None

    @property
    def mismatch(self) -> Curve:
        """Share of the low-res voxels that are not given back."""
        return self.values.get("low_res_mismatch", Curve())

    def add(self, event: object) -> None:
        """Take in an event; those without numbers are ignored."""
        match event:
            case TrainingStarted():
                self.target = event.target
                self._drop_after(event.step)  # a killed run goes on from its last checkpoint
            case StepCompleted():
                _extend(self.losses, event.step, event.losses)
            case RolledBack():
                self.rollbacks.append(event)
                self._drop_after(event.to_step)
            case MetricsMeasured():
                found = event.measurement
                _extend(self.fractions, event.step, found.volume_fractions)
                _extend(self.interfaces, event.step, found.interface_areas)
                self._measured(event, {name: getattr(found, name) for name in _NUMBERS})
            case ImagesMeasured():
                self.profiles = event.curves
                self._measured(event, event.values)

    def errors(self) -> tuple[float, float] | None:
        """Return the latest mean errors, None before a measurement; see `mean_errors`."""
        if not isinstance(self.latest, MetricsMeasured) or self.target is None:
            return None
        return mean_errors(self.latest.measurement, self.target)

    def profiles_of(self, kind: str) -> Curves:
        """Return the latest curves of a kind, "two-point" or "histogram", by distance or bin.

        Of two phases the first has all there is to see.
        """
        names = [name for name in self.profiles if name.split(" ")[0] == kind]
        phases = list(dict.fromkeys(name.removeprefix(kind).rpartition(" ")[0] for name in names))
        shown = phases[:1] if len(phases) == 2 else phases
        found = {}
        for name in names:
            phase, _, item = name.removeprefix(kind).rpartition(" ")
            if phase in shown:
                values = self.profiles[name].tolist()
                found[f"{phase.strip()} {item}".strip()] = Curve(list(range(len(values))), values)
        return found

    def _measured(
        self, event: MetricsMeasured | ImagesMeasured, values: Mapping[str, float | None]
    ) -> None:
        self.latest = event
        self._scores.append((event.score, event.step))
        known = {name: value for name, value in values.items() if value is not None}
        _extend(self.values, event.step, known)

    def _drop_after(self, step: int) -> None:
        for curves in (self.losses, self.fractions, self.interfaces, self.values):
            for curve in curves.values():
                curve.drop_after(step)
        self._scores = [one for one in self._scores if one[1] <= step]


def history_of_log(
    lines: Iterable[Mapping[str, Any]], target: Measurement | None = None
) -> History:
    """Return the history of a run from the lines of its metrics.jsonl.

    Lines that are none of ours are left out, as are losses of runs made before they
    were written down.
    """
    history = History(target=target)
    for line in lines:
        try:
            for event in list(_events_of(line)):
                history.add(event)
        except (KeyError, TypeError, ValueError):
            continue
    return history


def _events_of(line: Mapping[str, Any]) -> Iterator[object]:
    """Yield what a training reported when it wrote a line."""
    values = dict(line)
    step = int(values.pop("step"))
    if "rolled_back_to" in values:
        rate = float(values.get("learning_rate", 0))
        yield RolledBack(step, int(values["rolled_back_to"]), str(values["reason"]), rate, 0)
        return
    score = float(values.pop("score"))
    yield StepCompleted(step, 0.0, None, None, values.pop("losses", None) or {})
    if "volume_fractions" in values:
        known = {name: values.get(name) for name in Measurement.__dataclass_fields__}
        yield MetricsMeasured(step, Measurement(**known), score, False)  # type: ignore[arg-type]
    else:
        numbers = {name: float(value) for name, value in values.items()}
        yield ImagesMeasured(step, numbers, {}, score, False)


def _extend(curves: Curves, step: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if isfinite(value):  # a step that went wrong is shown by the roll-back
            curves.setdefault(name, Curve()).add(step, float(value))


MOST = 200
MOST_BYTES = 64 * 2**20


class PreviewBook:
    """Previews by step, thinned so that they never take much memory.

    When there are more than `MOST`, or more than `MOST_BYTES`, every second one goes;
    the first and the last stay.
    """

    def __init__(self, events: Iterable[Preview] = ()) -> None:
        self.events: list[Preview] = []
        for event in events:
            self.add(event)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def steps(self) -> list[int]:
        """Steps, rising."""
        return [event.step for event in self.events]

    @property
    def last(self) -> Preview | None:
        """The latest one."""
        return self.events[-1] if self.events else None

    def add(self, event: Preview) -> None:
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
        return sum(image.nbytes for event in self.events for image in _own_images(event))


def _own_images(event: Preview) -> list[NDArray[np.uint8]]:
    """Return the images that no other preview shares: the real slices are the same arrays."""
    if isinstance(event, PreviewReady):
        return [*event.generated, *event.low_res]
    return [image for row in event.rows.values() for image in row]


def book_text(book: PreviewBook, place: int, following: bool) -> str:
    """Return the caption over the preview at a place of the book."""
    if not len(book):
        return "Previews"
    step = f"Previews at step {book.events[place].step:,}"
    return step if following else f"{step} of {book.events[-1].step:,}"


def rollbacks_line(history: History) -> str:
    """Return how often a run was rolled back, and why the last time; empty for never."""
    if not history.rollbacks:
        return ""
    last, times = history.rollbacks[-1], len(history.rollbacks)
    often = "once" if times == 1 else f"{times} times"
    return f"Rolled back {often}, last from step {last.step:,} to {last.to_step:,}: {last.reason}."


def named_values(history: History, names: Sequence[str]) -> Curves:
    """Return the curves that there are of these values, under the names people read."""
    known = [name for name in names if name in history.values]
    return {IMAGE_NUMBERS[name][0]: history.values[name] for name in known}


def score_line(history: History) -> str:
    """Return the latest numbers in one line, against their targets where these are known."""
    if history.latest is None:
        return "Numbers appear after the first measurement."
    numbers = " · ".join(measured_parts(history.latest, history.target))
    if isinstance(history.latest, ImagesMeasured):
        return f"Gap to real images: {numbers}. Best at step {history.best:,}."
    return numbers[:1].upper() + numbers[1:]
