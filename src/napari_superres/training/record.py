"""Where a training stands: what was measured, whether it is good, what was saved, the way back.

Of several processes the first measures and logs; all save and go back together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from napari_superres.errors import DivergenceError, SuperResError
from napari_superres.events import CheckpointSaved, MetricsMeasured, RolledBack
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.step import Trainer
from napari_superres.runs.checkpoints import (
    CheckpointInfo,
    drop_after,
    load_checkpoint,
    save_checkpoint,
)
from napari_superres.runs.previews import drop_previews_after
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from napari_superres.training.clock import Course
from napari_superres.training.failures import free_memory
from napari_superres.training.watch import MOST_ROLLBACKS, Watch

GOOD_EVERY = 10
"""Measurements, at most, between checkpoints to roll back to, while all is good."""


class Standing:
    """What the measurements of a training have come to, and the checkpoints that hold it.

    Parameters
    ----------
    run : where everything is kept
    trainer : what is measured, saved and taken back
    evaluator : measures the trainer's average

    Attributes
    ----------
    good : whether a checkpoint of this step may be rolled back to
    terms : latest value of each loss term
    """

    def __init__(self, run: Run[Any], trainer: Trainer, evaluator: Evaluator) -> None:
        self.run, self.trainer, self.evaluator = run, trainer, evaluator
        self.watch = Watch(evaluator.target, trainer.engine.learning_rate)
        self.course = Course()
        self.keeper = Keeper(run, trainer, evaluator)
        self.good = False
        self.measured: Mapping[str, Any] | None = None
        self.terms: dict[str, Tensor] = {}

    @property
    def saved(self) -> bool:
        """Whether there is a checkpoint of this step."""
        return self.keeper.saved_step == self.trainer.steps

    def take_up(self, checkpoint: CheckpointInfo) -> None:
        """Take up weights and state of a checkpoint."""
        trainer, state = self.trainer, checkpoint.state
        trainer.load(*load_checkpoint(checkpoint.folder), checkpoint.step)
        self.course = Course.of(state, self.run)
        self.watch.load(state.get("watch") or {})
        self.terms = {
            # as exact as they were written
            name: torch.tensor(float(value), dtype=torch.float64)
            for name, value in (state.get("losses") or {}).items()
        }
        trainer.networks.set_learning_rate(self.watch.learning_rate)
        self.keeper.saved_step = trainer.steps

    def forget_rollbacks(self) -> None:
        """Count roll-backs anew, and train at the learning rate of the settings."""
        self.watch.rollbacks = 0
        self.trainer.networks.set_learning_rate(self.watch.learning_rate)

    def measure(self) -> tuple[MetricsMeasured, str | None]:
        """Measure and log this step; return what is wrong too, or None to go on."""
        trainer, course = self.trainer, self.course
        measurement, score = self.evaluator.measure()
        better = score < course.best
        course.best = min(course.best, score)
        course.since_best = 0 if better else course.since_best + 1
        losses = self._losses()
        trouble = self.watch.look(
            measurement,
            losses,
            trainer.steps // trainer.engine.critic_steps,
            trainer.networks.healthy(),
        )
        course.since_good += 1
        self.good = self.watch.good and (better or course.since_good >= GOOD_EVERY)
        if self.good:
            course.since_good = 0
        self.measured = {"step": trainer.steps, "score": score} | asdict(measurement)
        self._log(self.measured | {"losses": losses})
        return MetricsMeasured(trainer.steps, measurement, score, better), trouble

    def roll_back(self, reason: str) -> RolledBack:
        """Go back to the last good checkpoint, or the beginning, with other random numbers.

        Raises
        ------
        DivergenceError
            It was gone back too often.
        """
        trainer, watch, step = self.trainer, self.watch, self.trainer.steps
        if watch.rollbacks >= MOST_ROLLBACKS:
            raise DivergenceError(
                f"Training diverged at step {step}: {reason}, after {MOST_ROLLBACKS} roll-backs.",
                "Earlier checkpoints of the run are whole.",
                f"Resume with --set learning_rate={watch.learning_rate / 2:.1e}, or train again "
                "with another seed.",
            )
        target = distributed.from_first(self.keeper.last_good())
        state = {"course": Course().state()} if target is None else target.state
        if target is None:
            trainer.start_over(watch.rollbacks + 1)
        else:
            trainer.load(*load_checkpoint(target.folder), target.step)
        lines, self.course = self.course.lines, Course.of(state)
        self.course.lines = lines
        watch.roll_back(state.get("watch") or {})
        trainer.networks.set_learning_rate(watch.learning_rate)
        trainer.seed_random(watch.rollbacks)
        self.terms, self.measured, self.good = {}, state.get("measurement"), target is not None
        if distributed.is_first():
            line = {"step": step, "rolled_back_to": trainer.steps, "reason": reason}
            self._log(line | {"learning_rate": watch.learning_rate})
            drop_after(self.run.path / "checkpoints", trainer.steps)
            drop_previews_after(self.run.path, trainer.steps)
        left = MOST_ROLLBACKS - watch.rollbacks
        return RolledBack(step, trainer.steps, reason, watch.learning_rate, left)

    def save(self, elapsed_s: float) -> CheckpointSaved | None:
        """Save a checkpoint of this step; only the first process tells of it."""
        return self.keeper.save(self._state(elapsed_s), self.measured, self.course.best)

    def rescue(self, error: Exception, in_step: bool, elapsed_s: float) -> bool:
        """Save after a failure; return whether there is a checkpoint."""
        self.good = False
        return self.keeper.rescue(error, lambda: self._state(elapsed_s), self._healthy, in_step)

    def healthy(self) -> bool:
        """Whether every loss and every weight of all processes is a number."""
        return not distributed.largest(not self._healthy())

    def _healthy(self) -> bool:
        finite = [torch.isfinite(value).all() for value in self.terms.values()]
        return all(bool(one) for one in finite) and self.trainer.networks.healthy()

    def _losses(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.terms.items()}

    def _log(self, line: Mapping[str, Any]) -> None:
        self.run.append_line(line)
        self.course.lines += 1

    def _state(self, elapsed_s: float) -> dict[str, Any]:
        return {
            "elapsed_s": elapsed_s,
            "good": self.good,
            "watch": self.watch.state(),
            "course": self.course.state(),
            "losses": self._losses(),
        }


@dataclass
class Keeper:
    """Saves a trainer's state in a run folder.

    Attributes
    ----------
    saved_step : of the latest checkpoint; None before the first
    """

    run: Run[Any]
    trainer: Trainer
    evaluator: Evaluator
    saved_step: int | None = None

    def save(
        self, state: Mapping[str, Any], measured: Mapping[str, Any] | None, best: float
    ) -> CheckpointSaved | None:
        """Save a checkpoint with its numbers and picture. All processes call it together.

        Parameters
        ----------
        state : what state.json holds beside step and numbers
        measured : the latest measurement
        best : lowest score so far
        """
        trainer, step = self.trainer, self.trainer.steps
        tensors = trainer.state()
        self.saved_step = step
        if not distributed.is_first():
            return None
        numbers = measured if measured and measured["step"] == step else None
        score = numbers["score"] if numbers else None
        if numbers is None and step > 0:
            # no score: what is measured when the clock says so must not become the best
            measurement, passing = self.evaluator.measure()
            numbers = {"step": step, "score": passing} | asdict(measurement)
        folder = save_checkpoint(
            self.run.path / "checkpoints",
            trainer.networks.average.state_dict(),
            tensors,
            {"step": step, "score": score, "measurement": numbers, **state},
            self.evaluator.picture(),
        )
        return CheckpointSaved(step, folder, score is not None and score <= best)

    def rescue(
        self,
        error: Exception,
        state: Callable[[], Mapping[str, Any]],
        healthy: Callable[[], bool],
        in_step: bool,
    ) -> bool:
        """Free memory and save after a failure; return whether there is a checkpoint.

        Parameters
        ----------
        error : what has happened
        state : gives what `save` is given
        healthy : whether the weights are worth saving
        in_step : whether it happened within a step, which then does not count
        """
        distributed.leave(error)
        trainer = self.trainer
        trainer.networks.forget_gradients()
        free_memory(error)
        if not distributed.is_first():
            return False
        trainer.steps -= int(in_step)
        # what fails here is told by the error already, and earlier checkpoints are whole
        with suppress(RuntimeError, MemoryError, SuperResError):
            if self.saved_step != trainer.steps and healthy():
                whole = {"step": trainer.steps, "score": None, "measurement": None, **state()}
                average = trainer.networks.average.state_dict()
                save_checkpoint(self.run.path / "checkpoints", average, trainer.state(), whole)
        return bool(self.run.checkpoints())

    def last_good(self) -> CheckpointInfo | None:
        """Return the latest checkpoint to go back to; the first process decides."""
        if not distributed.is_first():
            return None
        good = [info for info in self.run.checkpoints() if info.state.get("good")]
        return good[-1] if good else None
