"""What the loop of an image run asks of synthesis and translation: a learner, a judge, a pace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.volumes import Labels
from napari_superres.events import Measurement


class Learner(Protocol):
    """What takes the steps."""

    steps: int
    device: torch.device

    def anneal(self, share: float) -> None:
        """Set the learning rate for when `share` of a budget, 0 to 1, is used."""

    def step(self) -> dict[str, Tensor]:
        """Do one step and return its loss terms."""

    def parameters(self) -> tuple[int, int]:
        """Return the learnt numbers of generators and discriminators."""

    def healthy(self) -> bool:
        """Whether every weight is finite."""

    def average_state(self) -> dict[str, Tensor]:
        """Return what is enough to generate."""

    def state(self) -> dict[str, Tensor]:
        """Return everything else that resuming needs."""

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        """Take up a state."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """A measurement: numbers and curves by name, and one score, lower is better."""

    values: Mapping[str, float]
    curves: Mapping[str, NDArray[np.float64]]
    score: float


class Judge(Protocol):
    """What measures a learner, without touching its random numbers."""

    target: Measurement

    def measure(self) -> Judgement:
        """Return how far the images are from real ones."""

    def preview(self) -> Mapping[str, tuple[Labels, ...]]:
        """Return images to look at, in named rows."""


@dataclass(frozen=True)
class Pace:
    """How often it is measured, shown and saved."""

    measure_every: int
    preview_seconds: float
    checkpoint_seconds: float
