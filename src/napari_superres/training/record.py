"""The record of a training: what was measured, whether it is good, what was saved.

Checkpoints are written by `Record.save`, and after a failure by `Record.rescue`; when,
says `loop.py`. Of several processes the first measures, logs and writes; all save and go
back together.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from napari_superres.errors import DivergenceError, SuperResError
from napari_superres.events import CheckpointSaved, ImagesMeasured, MetricsMeasured, RolledBack
from napari_superres.runs.checkpoints import (
    CheckpointInfo,
    drop_after,
    load_checkpoint,
    save_checkpoint,
)
from napari_superres.runs.previews import drop_previews_after
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from napari_superres.training.failures import free_memory
from napari_superres.training.learner import Judge, Learner, Pace
from napari_superres.training.watch import MOST_ROLLBACKS, Watch

GOOD_EVERY = 10
"""Measurements, at most, between checkpoints to roll back to, while all is good."""
NEVER = float("inf")


class Record:
    """What the measurements of a training have come to, and the checkpoints that hold it.

    Parameters
    ----------
    run : where everything is kept
    learner : what is measured, saved and rolled back
    judge : measures it
    pace : its learning rate

    Attributes
    ----------
    best : lowest score so far; infinite before the first
    since_best : measurements since
    since_good : measurements since a checkpoint that can be rolled back to
    lines : lines in metrics.jsonl
    terms : latest value of each loss term
    """

    def __init__(self, run: Run[Any], learner: Learner, judge: Judge, pace: Pace) -> None:
        self.run, self.learner, self.judge = run, learner, judge
        self.watch = Watch(judge.target, pace.learning_rate)
        self.best, self.since_best, self.since_good, self.lines = NEVER, 0, 0, 0
        self.terms: dict[str, Tensor] = {}
        self._good = False
        self._measured: Mapping[str, Any] | None = None
        self._saved_step: int | None = None

    @property
    def good(self) -> bool:
        """Whether a checkpoint of this step may be rolled back to."""
        return self._good

    @property
    def saved(self) -> bool:
        """Whether there is a checkpoint of this step."""
        return self._saved_step == self.learner.steps

    @property
    def measured(self) -> bool:
        """Whether this step was measured, for its score."""
        return self._numbers() is not None

    def mark_good(self, good: bool = True) -> None:
        """Say whether a checkpoint of this step may be rolled back to."""
        self._good = good

    def invalidate_save(self) -> None:
        """Let this step be saved again: there is more to say of it."""
        self._saved_step = None

    def load(self, checkpoint: CheckpointInfo) -> None:
        """Load weights and state of a checkpoint."""
        learner, state = self.learner, checkpoint.state
        learner.load(*load_checkpoint(checkpoint.folder), checkpoint.step)
        self._load_counts(state)
        if "course" not in state:
            self._count_lines(checkpoint.step)
        self.watch.load(state.get("watch") or {})
        self.terms = {
            # as exact as they were written
            name: torch.tensor(float(value), dtype=torch.float64)
            for name, value in (state.get("losses") or {}).items()
        }
        if checkpoint.score is not None:
            numbers = {"step": checkpoint.step, "score": checkpoint.score}
            self._measured = state.get("measurement") or numbers
        learner.set_rate(self.watch.learning_rate)
        self._saved_step = learner.steps

    def forget_rollbacks(self) -> None:
        """Train at the learning rate of the settings again, with all roll-backs left."""
        self.watch.rollbacks = 0
        self.learner.set_rate(self.watch.learning_rate)

    def measure(self) -> tuple[MetricsMeasured | ImagesMeasured, str | None]:
        """Measure and log this step; return what is wrong too, or None to go on."""
        learner = self.learner
        judged = self.judge.measure()
        better = judged.score < self.best
        self.best = min(self.best, judged.score)
        self.since_best = 0 if better else self.since_best + 1
        losses = self._losses()
        trouble = self.watch.look(judged.fractions, losses, learner.updates, learner.healthy())
        self.since_good += 1
        self._good = self.watch.good and (better or self.since_good >= GOOD_EVERY)
        if self._good:
            self.since_good = 0
        self._measured = {"step": learner.steps, "score": judged.score, **judged.values}
        self._log(self._measured | {"losses": losses})
        return judged.event(learner.steps, better), trouble

    def roll_back(self, reason: str) -> RolledBack:
        """Go back to the last good checkpoint, or the beginning, with other random numbers.

        Raises
        ------
        DivergenceError
            It was rolled back too often.
        """
        learner, watch, step = self.learner, self.watch, self.learner.steps
        if watch.rollbacks >= MOST_ROLLBACKS:
            raise DivergenceError(
                f"Training diverged at step {step}: {reason}, after {MOST_ROLLBACKS} roll-backs.",
                "Earlier checkpoints of the run are whole.",
                f"Resume with --set learning_rate={watch.learning_rate / 2:.1e}, or train again "
                "with another seed.",
            )
        target = distributed.from_first(self._last_good())
        state: Mapping[str, Any] = {} if target is None else target.state
        if target is None:
            learner.start_over(watch.rollbacks + 1)
        else:
            learner.load(*load_checkpoint(target.folder), target.step)
        lines = self.lines
        self._load_counts(state)
        self.lines = lines
        watch.roll_back(state.get("watch") or {})
        learner.set_rate(watch.learning_rate)
        learner.seed_random(watch.rollbacks)
        self.terms, self._measured = {}, state.get("measurement")
        self._good = target is not None
        if distributed.is_first():
            line = {"step": step, "rolled_back_to": learner.steps, "reason": reason}
            self._log(line | {"learning_rate": watch.learning_rate})
            drop_after(self.run.path / "checkpoints", learner.steps)
            drop_previews_after(self.run.path, learner.steps)
        left = MOST_ROLLBACKS - watch.rollbacks
        return RolledBack(step, learner.steps, reason, watch.learning_rate, left)

    def save(self, elapsed_s: float) -> CheckpointSaved | None:
        """Write a checkpoint of this step. All processes call it; the first returns an event."""
        learner, step = self.learner, self.learner.steps
        tensors = learner.state()
        self._saved_step = step
        if not distributed.is_first():
            return None
        numbers = self._numbers()
        score = numbers["score"] if numbers else None
        if numbers is None and step > 0:
            # no score: what is measured when the clock says so must not become the best
            passing = self.judge.measure()
            numbers = {"step": step, "score": passing.score, **passing.values}
        folder = save_checkpoint(
            self.run.path / "checkpoints",
            learner.average_state(),
            tensors,
            {"step": step, "score": score, "measurement": numbers, **self._state(elapsed_s)},
            self.judge.picture(),
        )
        return CheckpointSaved(step, folder, score is not None and score <= self.best)

    def rescue(self, error: Exception, in_step: bool, elapsed_s: float) -> bool:
        """Free memory and save after a failure; return whether there is a checkpoint.

        Parameters
        ----------
        error : what has happened
        in_step : whether it happened within a step, which then does not count
        """
        learner = self.learner
        self._good = False
        distributed.leave(error)
        learner.free_gradients()
        free_memory(error)
        if not distributed.is_first():
            return False
        learner.steps -= int(in_step)
        # the error is reported already when this fails too, and earlier checkpoints are whole
        with suppress(RuntimeError, MemoryError, SuperResError):
            if not self.saved and self._healthy():
                state = {"step": learner.steps, "score": None, "measurement": None}
                save_checkpoint(
                    self.run.path / "checkpoints",
                    learner.average_state(),
                    learner.state(),
                    state | self._state(elapsed_s),
                )
        return bool(self.run.checkpoints())

    def healthy(self) -> bool:
        """Whether every loss and every weight of all processes is a number."""
        return not distributed.largest(not self._healthy())

    def _healthy(self) -> bool:
        finite = [torch.isfinite(value).all() for value in self.terms.values()]
        return all(bool(one) for one in finite) and self.learner.healthy()

    def _last_good(self) -> CheckpointInfo | None:
        """Return the latest checkpoint to go back to; the first process decides."""
        if not distributed.is_first():
            return None
        good = [info for info in self.run.checkpoints() if info.state.get("good")]
        return good[-1] if good else None

    def _numbers(self) -> Mapping[str, Any] | None:
        """Return the measurement of this step, where there is one."""
        known = self._measured
        return known if known and known["step"] == self.learner.steps else None

    def _losses(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.terms.items()}

    def _log(self, line: Mapping[str, Any]) -> None:
        self.run.append_line(line)
        self.lines += 1

    def _state(self, elapsed_s: float) -> dict[str, Any]:
        return {
            "elapsed_s": elapsed_s,
            "good": self._good,
            "watch": self.watch.state(),
            "course": {
                "best": self.best if self.best < NEVER else None,
                "since_best": self.since_best,
                "since_good": self.since_good,
                "lines": self.lines,
            },
            "losses": self._losses(),
        }

    def _load_counts(self, state: Mapping[str, Any]) -> None:
        kept = state.get("course") or {}
        best = kept.get("best")
        self.best = NEVER if best is None else float(best)
        self.since_best, self.since_good, self.lines = (
            int(kept.get(name, 0)) for name in ("since_best", "since_good", "lines")
        )

    def _count_lines(self, step: int) -> None:
        """Read from the log what the oldest checkpoints do not keep."""
        done = [line for line in self.run.log() if line["step"] <= step]
        self.best = min((line["score"] for line in done if "score" in line), default=NEVER)
        self.lines = len(done)
