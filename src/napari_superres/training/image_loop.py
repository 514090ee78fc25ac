"""The loop around a step that learns from images: measure, preview, save, end.

Synthesis and translation share it. It is the fusion's loop without roll-backs and
without several processes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from napari_superres.config import Budget
from napari_superres.errors import DivergenceError
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    ImagesMeasured,
    ImagesReady,
    StepCompleted,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.runs.checkpoints import load_checkpoint, save_checkpoint, taking_up
from napari_superres.runs.run import Run
from napari_superres.training.clock import Clock, mean_terms, progress, used_share
from napari_superres.training.failures import engine_errors
from napari_superres.training.learner import Judge, Learner, Pace

REPORT_SECONDS = 0.2
"""Steps faster than this are reported together."""


class ImageLoop:
    """One stretch of training, from its start or a checkpoint to its end.

    Parameters
    ----------
    run, learner, judge : where, what, and by what it is measured
    pace : how often
    budget, stop : when to end
    warnings : what the user should know before it starts
    """

    def __init__(
        self,
        run: Run[Any],
        learner: Learner,
        judge: Judge,
        pace: Pace,
        budget: Budget,
        stop: threading.Event | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.run, self.learner, self.judge, self.pace = run, learner, judge, pace
        self.budget, self.stop, self.warnings = budget, stop, warnings
        self.clock = Clock()
        self.first_step = learner.steps
        self.best = float("inf")
        self.score: float | None = None
        self.saved_step: int | None = None
        self.measured_step: int | None = None
        self.history: list[dict[str, Tensor]] = []

    def go_on(self) -> None:
        """Take up weights and state of the run's last checkpoint; without one begin anew."""
        found = self.run.checkpoints()
        if not found:
            self.run.keep_lines(0)
            return
        checkpoint = found[-1]
        with taking_up(checkpoint.folder):
            self.learner.load(*load_checkpoint(checkpoint.folder), checkpoint.step)
            self.clock.before = float(checkpoint.state.get("elapsed_s", 0.0))
        self.run.keep_lines(sum(line["step"] <= checkpoint.step for line in self.run.log()))
        lines = self.run.measurements()
        self.best = min((line["score"] for line in lines), default=float("inf"))
        if lines:
            self.measured_step, self.score = lines[-1]["step"], lines[-1]["score"]
        self.first_step = self.saved_step = checkpoint.step

    def events(self) -> Iterator[TrainingEvent]:
        """Yield the stream; time that passes while nobody asks does not count.

        Raises
        ------
        EngineError
            When the device fails or training diverges; checkpoints are kept.
        """
        self.clock.start()
        with engine_errors(str(self.learner.device)):
            for event in self._events():
                with self.clock.paused():
                    yield event

    def _events(self) -> Iterator[TrainingEvent]:
        learner, clock = self.learner, self.clock
        yield TrainingStarted(
            self.run.path,
            str(learner.device),
            learner.steps,
            self.judge.target,
            *learner.parameters(),
            self.warnings,
        )
        if learner.steps == 0 and self.measured_step is None:
            yield self._measure()
        reported = saved = clock.seconds()
        previewed = float("-inf")
        while (reason := self._reason_to_end()) is None:
            learner.anneal(used_share(self.budget, clock.seconds(), learner.steps))
            self.history.append(learner.step())
            if clock.seconds() - reported >= REPORT_SECONDS:
                reported = clock.seconds()
                yield self._step_completed()
            if clock.seconds() - previewed >= self.pace.preview_seconds:
                previewed = clock.seconds()
                yield ImagesReady(learner.steps, self.judge.preview())
            better = False
            if learner.steps % self.pace.measure_every == 0:
                measured = self._measure()
                better = measured.is_best
                yield measured
            if better or clock.seconds() - saved >= self.pace.checkpoint_seconds:
                yield self._save()
                saved = clock.seconds()
        if self.history:
            yield self._step_completed()
        if reason is FinishReason.COMPLETED and self.measured_step != learner.steps:
            # annealed, it is most often the best
            yield self._measure()
            self.saved_step = None
        if self.saved_step != learner.steps:
            yield self._save()
        yield TrainingFinished(reason, learner.steps, clock.elapsed(), self.run.path)

    def _reason_to_end(self) -> FinishReason | None:
        if self.stop is not None and self.stop.is_set():
            return FinishReason.STOPPED
        return FinishReason.COMPLETED if (self._progress() or 0) >= 1 else None

    def _progress(self) -> float | None:
        return progress(self.budget, self.clock.seconds(), self.first_step, self.learner.steps)

    def _step_completed(self) -> StepCompleted:
        share, seconds = self._progress(), self.clock.seconds()
        terms = mean_terms(self.history)
        self.history.clear()
        self._check(terms)
        left = seconds * (1 - share) / share if share else None
        return StepCompleted(self.learner.steps, self.clock.elapsed(), share, left, terms)

    def _check(self, terms: Mapping[str, float]) -> None:
        """Raise a DivergenceError where a loss or a weight is no number."""
        if any(not math.isfinite(v) for v in terms.values()) or not self.learner.healthy():
            raise DivergenceError(
                f"Training diverged at step {self.learner.steps}: a loss or weight is no number.",
                "Earlier checkpoints of the run are whole.",
                "Resume it, or train again with another seed or a lower learning rate.",
            )

    def _measure(self) -> ImagesMeasured:
        judged, step = self.judge.measure(), self.learner.steps
        is_best = judged.score < self.best
        self.best, self.score = min(self.best, judged.score), judged.score
        self.measured_step = step
        line: dict[str, Any] = {"step": step, "score": judged.score, **judged.values}
        self.run.append_line(line)
        return ImagesMeasured(step, judged.values, judged.curves, judged.score, is_best)

    def _save(self) -> CheckpointSaved:
        self._check({})  # steps may have come since the last report
        step = self.learner.steps
        score = self.score if step == self.measured_step else None
        folder = save_checkpoint(
            self.run.path / "checkpoints",
            self.learner.average_state(),
            self.learner.state(),
            {"step": step, "elapsed_s": self.clock.elapsed(), "score": score},
        )
        self.saved_step = step
        return CheckpointSaved(step, folder, score is not None and score <= self.best)
