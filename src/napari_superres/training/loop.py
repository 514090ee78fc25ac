"""The loop around the step: when to measure, save, roll back, end; a stream of events.

Of several processes the first measures, writes and reports; all take the same steps
and decide together when to end, to save and to go back. What is kept from one step to
the next, see `standing.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from napari_superres.config import Budget
from napari_superres.errors import is_out_of_memory
from napari_superres.events import (
    FinishReason,
    StepCompleted,
    StepProgress,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.step import Trainer
from napari_superres.runs.checkpoints import CheckpointInfo, taking_up
from napari_superres.runs.config import HIGH_RES, LOW_RES
from napari_superres.runs.previews import keep_preview
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from napari_superres.training.clock import Clock, annealed, mean_terms, progress, used_share
from napari_superres.training.failures import out_of_memory
from napari_superres.training.record import Standing
from napari_superres.training.watch import NOT_A_NUMBER

REPORT_SECONDS = 0.2
"""Steps faster than this are reported together."""
SIGN_OF_LIFE_SECONDS = 1.0
"""Steps slower than this are reported part by part."""
REASONS = (None, FinishReason.COMPLETED, FinishReason.SETTLED, FinishReason.STOPPED)


class TrainingLoop:
    """One stretch of training, from its start or a checkpoint to its end.

    Parameters
    ----------
    run : where everything is kept
    trainer : takes the steps
    evaluator : measures the trainer's average
    budget, stop : when to end
    warnings : what the user should know before it starts
    """

    def __init__(
        self,
        run: Run[Any],
        trainer: Trainer,
        evaluator: Evaluator,
        budget: Budget,
        stop: threading.Event | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.run, self.trainer, self.evaluator = run, trainer, evaluator
        self.budget, self.stop, self.warnings = budget, stop, warnings
        self.standing = Standing(run, trainer, evaluator)
        self.clock = Clock()
        self.first_step = trainer.steps
        self.unmeasured = False
        self.reported = self.saved = 0.0
        self.previewed = float("-inf")
        self.in_step = False
        self.history: list[dict[str, Tensor]] = []

    def go_on_from(self, checkpoint: CheckpointInfo) -> None:
        """Take up weights and state of a checkpoint."""
        with taking_up(checkpoint.folder):
            self.standing.take_up(checkpoint)
            self.clock.before = float(checkpoint.state.get("elapsed_s", 0.0))
        self.first_step = step = self.trainer.steps
        # killed after it was saved for the last time, before the last look
        self.unmeasured = checkpoint.score is None and step == self.budget.steps

    def events(self) -> Iterator[TrainingEvent]:
        """Yield the stream; time that passes while nobody asks does not count."""
        self.clock.start()
        try:
            for event in self._events():
                if distributed.is_first() or isinstance(event, TrainingFinished):
                    with self.clock.paused():
                        yield event
        except Exception as error:
            lost_memory = is_out_of_memory(error)
            if not lost_memory and not isinstance(error, distributed.PeerError):
                raise
            saved = self.standing.rescue(error, self.in_step, self.clock.elapsed())
            if not lost_memory:
                raise
            engine, device = self.trainer.engine, str(self.trainer.device)
            raise out_of_memory(device, engine, self.run.path if saved else None) from error

    def _events(self) -> Iterator[TrainingEvent]:
        trainer, networks, standing = self.trainer, self.trainer.networks, self.standing
        yield TrainingStarted(
            self.run.path,
            str(trainer.device),
            trainer.steps,
            self.evaluator.target,
            sum(p.numel() for p in networks.generator.parameters()),
            sum(p.numel() for p in networks.discriminators.parameters()),
            self.warnings,
        )
        if trainer.steps == 0 and trainer.settings.warm_start and not standing.saved:
            standing.good = True
            yield from self._save()
        while (reason := self._reason_to_end()) is None or not standing.healthy():
            if reason is not None:
                yield from self._roll_back(NOT_A_NUMBER)
                continue
            yield from self._step()
            yield from self._look()
        if self.history:
            yield self._step_completed()
        yield from self._last_look(reason)
        if not standing.saved:
            yield from self._save()
        yield TrainingFinished(reason, trainer.steps, self.clock.elapsed(), self.run.path)

    def _step(self) -> Iterator[TrainingEvent]:
        """Do one step; where it takes long, tell of its parts."""
        standing = self.standing
        terms: dict[str, Tensor] = {}
        self.in_step, standing.good = True, False
        rate, factor = standing.watch.learning_rate, self._annealed()
        self.trainer.networks.set_learning_rate(rate, factor)
        for part, values in self.trainer.parts():
            terms |= values
            if self.clock.seconds() - self.reported >= SIGN_OF_LIFE_SECONDS:
                self.reported = self.clock.seconds()
                share = self._progress()
                step, elapsed = self.trainer.steps, self.clock.elapsed()
                yield StepProgress(step, part, elapsed, share, self._left(share))
        self.in_step = False
        standing.terms |= terms
        self.history.append(terms)
        if self.clock.seconds() - self.reported >= REPORT_SECONDS:
            self.reported = self.clock.seconds()
            yield self._step_completed()

    def _look(self) -> Iterator[TrainingEvent]:
        """Preview, measure, save and roll back where it is time to."""
        engine, clock, first = self.trainer.engine, self.clock, distributed.is_first()
        save_now = False
        if first and clock.seconds() - self.previewed >= engine.preview_seconds:
            self.previewed = clock.seconds()
            preview = self.evaluator.preview(self.trainer.steps)
            high, low = self.run.kept(HIGH_RES).phases, self.run.kept(LOW_RES).phases
            keep_preview(self.run.path, preview, high, low)
            yield preview
        if self.trainer.steps % engine.measure_every == 0:
            trouble = None
            if first:
                event, trouble = self.standing.measure()
                save_now = event.is_best or self.standing.good
                yield event
            trouble = distributed.from_first(trouble)
            if trouble is not None:
                yield from self._roll_back(trouble)
                return
        due = first and clock.seconds() - self.saved >= engine.checkpoint_seconds
        if distributed.largest(save_now or due):
            yield from self._save()

    def _last_look(self, reason: FinishReason) -> Iterator[TrainingEvent]:
        """Measure where the budget ended: annealed, it is most often the best."""
        steps = self.trainer.steps
        due = steps % self.trainer.engine.measure_every != 0
        if steps == self.first_step:
            due = self.unmeasured
        if reason is FinishReason.STOPPED or not due:
            return
        if distributed.is_first():
            yield self.standing.measure()[0]
        # saved already when the clock said so, without its score
        self.standing.keeper.saved_step = None

    def _roll_back(self, reason: str) -> Iterator[TrainingEvent]:
        event = self.standing.roll_back(reason)
        self.history.clear()
        yield event
        yield from self._save()

    def _save(self) -> Iterator[TrainingEvent]:
        """Save a checkpoint, unless weights are no numbers."""
        if not self.standing.healthy():
            return
        event = self.standing.save(self.clock.elapsed())
        self.saved = self.clock.seconds()
        if event is not None:
            yield event

    def _reason_to_end(self) -> FinishReason | None:
        code = 0
        patience = self.trainer.engine.patience
        if self.stop is not None and self.stop.is_set():
            code = 3
        elif distributed.is_first():
            if patience is not None and self.standing.course.since_best >= patience:
                code = 2
            elif (self._progress() or 0) >= 1:
                code = 1
        return REASONS[distributed.largest(code)]

    def _annealed(self) -> float:
        """Return the factor on the learning rate of the next step."""
        share = used_share(self.budget, self.clock.seconds(), self.trainer.steps)
        if self.budget.minutes is not None:
            share = distributed.from_first(share)  # clocks differ, weights must not
        return annealed(share, self.trainer.engine.annealing)

    def _progress(self) -> float | None:
        return progress(self.budget, self.clock.seconds(), self.first_step, self.trainer.steps)

    def _left(self, share: float | None) -> float | None:
        return self.clock.seconds() * (1 - share) / share if share else None

    def _step_completed(self) -> StepCompleted:
        share, terms = self._progress(), mean_terms(self.history)
        self.history.clear()
        elapsed, left = self.clock.elapsed(), self._left(share)
        return StepCompleted(self.trainer.steps, elapsed, share, left, terms)
