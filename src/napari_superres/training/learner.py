"""What the training loop asks of whatever learns: a learner, a judge, a pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.events import (
    ImagesMeasured,
    ImagesReady,
    Measurement,
    MetricsMeasured,
    PreviewReady,
)

Preview = PreviewReady | ImagesReady


class Learner(Protocol):
    """What takes the steps.

    Attributes
    ----------
    steps : done so far
    device : where it computes
    """

    steps: int
    device: torch.device

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Do one step, part by part; yield the name and loss terms of each part done."""

    @property
    def updates(self) -> int:
        """Return how often the generator was updated."""

    def parameters(self) -> tuple[int, int]:
        """Return the number of parameters of generators and discriminators."""

    def set_rate(self, rate: float, annealed: float = 1.0) -> None:
        """Set the learning rate of the next step to `rate` × `annealed`."""

    def healthy(self) -> bool:
        """Whether every weight is finite."""

    def average_state(self) -> dict[str, Tensor]:
        """Return what is enough to generate."""

    def state(self) -> dict[str, Tensor]:
        """Return everything else that resuming needs."""

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        """Load what `average_state` and `state` returned after `steps`."""

    def start_over(self, again: int) -> None:
        """Begin with new weights; `again` counts how often, so that others come."""

    def seed_random(self, again: int = 0) -> None:
        """Seed the random numbers; `again` counts how often, so that others come."""

    def free_gradients(self) -> None:
        """Free the memory of the gradients."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """A measurement of a learner.

    Attributes
    ----------
    score : lower is better
    fractions : of each phase by name, 0 to 1: what the divergence watch looks at
    values : what metrics.jsonl keeps, by name
    event : from step and whether it is the best so far, what is reported
    """

    score: float
    fractions: Mapping[str, float]
    values: Mapping[str, Any]
    event: Callable[[int, bool], MetricsMeasured | ImagesMeasured]


class Judge(Protocol):
    """What measures a learner, without touching its random numbers.

    Attributes
    ----------
    target : what the material itself measures
    """

    target: Measurement

    def measure(self) -> Judgement:
        """Return how far the averaged generator is from the material."""

    def preview(self, step: int) -> Preview:
        """Return images to look at."""

    def keep(self, run: Path, preview: Preview) -> None:
        """Write a preview into a run folder, where its kind keeps them."""

    def picture(self) -> NDArray[np.uint8] | None:
        """Return a thumbnail for a checkpoint, (rows, columns, 3)."""


@dataclass(frozen=True)
class Pace:
    """How often it is measured, shown and saved, and how fast it learns.

    Attributes
    ----------
    measure_every : steps
    preview_seconds, checkpoint_seconds : between two
    learning_rate : before annealing and roll-backs
    annealing : last share of the budget in which the rate falls
    patience : measurements without a better one after which it ends; None for no limit
    from_start : whether it is measured before its first step
    keep_start : whether its first weights are saved, as those of another run are worth
    """

    measure_every: int
    preview_seconds: float
    checkpoint_seconds: float
    learning_rate: float = 1e-3
    annealing: float = 0.0
    patience: int | None = None
    from_start: bool = False
    keep_start: bool = False

    @classmethod
    def of(cls, engine: Any, *, from_start: bool = False, keep_start: bool = False) -> Pace:
        """Return the pace that engine settings of any kind ask for."""
        return cls(
            engine.measure_every,
            engine.preview_seconds,
            engine.checkpoint_seconds,
            engine.learning_rate,
            engine.annealing,
            engine.patience,
            from_start,
            keep_start,
        )
