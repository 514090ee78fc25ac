"""What a training on images has told so far, ready to be drawn; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.events import ImagesMeasured, StepCompleted, TrainingStarted
from napari_superres.widgets.parts.curves import Curve

_WORDS = {
    "fraction_gap": ("fractions", "{:.3f}"),
    "surface_gap": ("surface", "{:.1%}"),
    "length_gap": ("λ", "{:.1%}"),
    "two_point_rmse": ("two-point", "{:.4f}"),
    "bicubic_two_point_rmse": ("two-point of bicubic", "{:.4f}"),
    "histogram_gap": ("grey histogram", "{:.1%}"),
    "given_back_rmse": ("low-res given back", "{:.4f}"),
    "r_t": ("r_t", "{:.2f}"),
    "p": ("p", "{:.2f}"),
}
"""How numbers are named and written, in the order in which they are told."""


@dataclass
class ImageHistory:
    """Curves of one training, by name.

    Attributes
    ----------
    losses, values : over steps
    curves : of the latest measurement, such as "two-point dark real"
    best : step of the least score, None before a measurement
    """

    losses: dict[str, Curve] = field(default_factory=dict)
    values: dict[str, Curve] = field(default_factory=dict)
    curves: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    latest: Mapping[str, float] = field(default_factory=dict)
    best: int | None = None
    _least: float = float("inf")

    def add(self, event: object) -> None:
        """Take in an event; those without numbers are ignored."""
        if isinstance(event, TrainingStarted):
            for curves in (self.losses, self.values):  # a resumed run does some steps again
                for curve in curves.values():
                    curve.drop_after(event.step)
        elif isinstance(event, StepCompleted):
            _extend(self.losses, event.step, event.losses)
        elif isinstance(event, ImagesMeasured):
            self.curves = event.curves
            self._measured(event.step, event.values, event.score)

    def add_lines(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Take in the lines of a run's metrics.jsonl."""
        for line in lines:
            values = {k: float(v) for k, v in line.items() if k not in ("step", "score")}
            self._measured(int(line["step"]), values, float(line["score"]))

    def _measured(self, step: int, values: Mapping[str, float], score: float) -> None:
        self.latest = values
        _extend(self.values, step, values)
        if score < self._least:
            self._least, self.best = score, step

    def line(self) -> str:
        """Return the latest numbers in one line."""
        if not self.latest:
            return "Numbers appear after the first measurement."
        parts = [
            f"{words} {text.format(self.latest[name])}"
            for name, (words, text) in _WORDS.items()
            if name in self.latest
        ]
        return f"Gap to real images: {' · '.join(parts)}. Best at step {self.best:,}."

    def some(self, names: Sequence[str]) -> dict[str, Curve]:
        """Return curves of these values that there are, under the names people read."""
        return {_WORDS[name][0]: self.values[name] for name in names if name in self.values}

    def compared(self, kind: str) -> dict[str, Curve]:
        """Return the latest curves of a kind, "two-point" or "histogram", by distance or bin.

        Of two phases the first tells all.
        """
        names = [name for name in self.curves if name.split(" ")[0] == kind]
        phases = list(dict.fromkeys(name.removeprefix(kind).rpartition(" ")[0] for name in names))
        shown = phases[:1] if len(phases) == 2 else phases
        found = {}
        for name in names:
            phase, _, item = name.removeprefix(kind).rpartition(" ")
            if phase in shown:
                values = self.curves[name].tolist()
                found[f"{phase.strip()} {item}".strip()] = Curve(list(range(len(values))), values)
        return found


def _extend(curves: dict[str, Curve], step: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        curves.setdefault(name, Curve()).add(step, float(value))
