"""The loop that synthesis and translation share, with a learner that only counts."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from napari_superres.config import Budget
from napari_superres.errors import DivergenceError
from napari_superres.events import CheckpointSaved, ImagesMeasured, Measurement, TrainingFinished
from napari_superres.runs.run import Run
from napari_superres.training.image_loop import ImageLoop
from napari_superres.training.learner import Judgement, Pace

OFTEN = Pace(measure_every=2, preview_seconds=1e6, checkpoint_seconds=1e-6)


class Counter:
    """A learner whose weight is the number of its steps."""

    device = torch.device("cpu")

    def __init__(self, diverges_at: float = math.inf) -> None:
        self.steps, self.diverges_at = 0, diverges_at
        self.weight = torch.zeros(1)

    def anneal(self, share: float) -> None: ...

    def step(self) -> dict[str, Tensor]:
        self.steps += 1
        diverged = self.steps >= self.diverges_at
        self.weight = torch.tensor([math.nan if diverged else float(self.steps)])
        return {"loss": self.weight.sum()}

    def parameters(self) -> tuple[int, int]:
        return 1, 0

    def healthy(self) -> bool:
        return bool(torch.isfinite(self.weight).all())

    def average_state(self) -> dict[str, Tensor]:
        return {"weight": self.weight}

    def state(self) -> dict[str, Tensor]:
        return {"steps": torch.tensor([self.steps])}

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        self.steps, self.weight = steps, average["weight"]


class Better:
    """A judge to whom every step is better than the one before."""

    target = Measurement({}, {})

    def __init__(self, learner: Counter) -> None:
        self.learner = learner

    def measure(self) -> Judgement:
        return Judgement({"gap": 0.5}, {}, 10.0 - float(self.learner.weight))

    def preview(self) -> dict[str, Any]:
        return {}


def a_loop(run: Path, learner: Counter, budget: Budget, stop: Any = None) -> ImageLoop:
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    folder = Run(run, None, None)  # type: ignore[arg-type]
    return ImageLoop(folder, learner, Better(learner), OFTEN, budget, stop)


def steps_in(loop: ImageLoop) -> list[int]:
    return [line["step"] for line in loop.run.measurements()]


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    loop = a_loop(tmp_path, Counter(diverges_at=4), Budget(steps=8))
    with pytest.raises(DivergenceError, match="step 4"):
        list(loop.events())
    assert [info.step for info in loop.run.checkpoints()] == [1, 2, 3]
    again = a_loop(tmp_path, Counter(), Budget(steps=8))
    again.go_on()
    *_, last = again.events()
    assert isinstance(last, TrainingFinished)
    assert last.step == 8


def test_a_run_stopped_before_its_first_step_is_not_measured_twice_there(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    list(a_loop(tmp_path, Counter(), Budget(steps=2), stop).events())
    again = a_loop(tmp_path, Counter(), Budget(steps=2))
    again.go_on()
    list(again.events())
    assert steps_in(again) == [0, 2]


def test_the_end_of_a_budget_is_measured_and_saved_with_its_score(tmp_path: Path) -> None:
    loop = a_loop(tmp_path, Counter(), Budget(steps=3))
    events = list(loop.events())
    assert [e.step for e in events if isinstance(e, ImagesMeasured)] == [0, 2, 3]
    saved = [e for e in events if isinstance(e, CheckpointSaved)]
    assert (saved[-1].step, saved[-1].is_best) == (3, True)
    assert loop.run.find_checkpoint("best").score == 7.0
