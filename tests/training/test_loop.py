"""The loop around any learner, with one that only counts."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from napari_superres.config import Budget
from napari_superres.errors import DivergenceError
from napari_superres.events import (
    CheckpointSaved,
    ImagesMeasured,
    ImagesReady,
    Measurement,
    TrainingFinished,
)
from napari_superres.runs.run import Run
from napari_superres.training.learner import Judgement, Pace
from napari_superres.training.loop import TrainingLoop

OFTEN = Pace(measure_every=2, preview_seconds=1e6, checkpoint_seconds=1e-6, from_start=True)


class Counter:
    """A learner whose weight is the number of its steps."""

    device = torch.device("cpu")

    def __init__(self, diverges_at: float = math.inf) -> None:
        self.steps, self.diverges_at = 0, diverges_at
        self.weight = torch.zeros(1)

    @property
    def updates(self) -> int:
        return self.steps

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        self.steps += 1
        diverged = self.steps >= self.diverges_at
        self.weight = torch.tensor([math.nan if diverged else float(self.steps)])
        yield "count", {"loss": self.weight.sum()}

    def set_rate(self, rate: float, annealed: float = 1.0) -> None: ...

    def start_over(self, again: int) -> None:
        self.steps = 0

    def seed_random(self, again: int = 0) -> None: ...

    def free_gradients(self) -> None: ...

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
        score = 10.0 - float(self.learner.weight)
        return Judgement(
            score,
            {},
            {"gap": 0.5},
            lambda step, best: ImagesMeasured(step, {"gap": 0.5}, {}, score, best),
        )

    def preview(self, step: int) -> ImagesReady:
        return ImagesReady(step, {})

    def keep(self, run: Path, preview: object) -> None: ...

    def picture(self) -> None: ...


def a_loop(run: Path, learner: Counter, budget: Budget, stop: Any = None) -> TrainingLoop:
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    folder: Run[Any] = Run(run, None, None)  # type: ignore[arg-type]
    return TrainingLoop(folder, learner, Better(learner), OFTEN, budget, stop)


def again(run: Path, steps: int) -> TrainingLoop:
    """Return a loop that goes on from the last checkpoint."""
    loop = a_loop(run, Counter(), Budget(steps=steps))
    loop.load(loop.run.checkpoints()[-1])
    loop.run.keep_lines(loop.record.lines)
    return loop


def steps_in(loop: TrainingLoop) -> list[int]:
    return [line["step"] for line in loop.run.measurements()]


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    loop = a_loop(tmp_path, Counter(diverges_at=4), Budget(steps=8))
    with pytest.raises(DivergenceError, match="step 4"):
        list(loop.events())
    assert [info.step for info in loop.run.checkpoints()] == [1, 2, 3]
    *_, last = again(tmp_path, 8).events()
    assert isinstance(last, TrainingFinished)
    assert last.step == 8


def test_a_run_stopped_before_its_first_step_is_not_measured_twice_there(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    list(a_loop(tmp_path, Counter(), Budget(steps=2), stop).events())
    second = again(tmp_path, 2)
    list(second.events())
    assert steps_in(second) == [0, 2]


def test_the_end_of_a_budget_is_measured_and_saved_with_its_score(tmp_path: Path) -> None:
    loop = a_loop(tmp_path, Counter(), Budget(steps=3))
    events = list(loop.events())
    assert [e.step for e in events if isinstance(e, ImagesMeasured)] == [0, 2, 3]
    saved = [e for e in events if isinstance(e, CheckpointSaved)]
    assert (saved[-1].step, saved[-1].is_best) == (3, True)
    assert loop.run.find_checkpoint("best").score == 7.0
