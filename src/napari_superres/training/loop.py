"""The loop around a learner: when to measure, save, roll back, end; a stream of events.

A checkpoint is saved when a measurement was the best so far or is good to roll back
to, every `checkpoint_seconds`, after a roll-back and at the end (`_look`, `_roll_back`,
`_events`); `record.py` writes it. Of several processes the first measures, writes and
reports; all take the same steps and decide together when to end, save and go back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
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
from napari_superres.runs.checkpoints import CheckpointInfo, loading
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from napari_superres.training.clock import Clock, annealed, mean_terms, progress, used_share
from napari_superres.training.failures import Changes, out_of_memory
from napari_superres.training.learner import Judge, Learner, Pace
from napari_superres.training.record import Record
from napari_superres.training.watch import NOT_A_NUMBER

REPORT_SECONDS = 0.2
"""Steps faster than this are reported together."""
PROGRESS_SECONDS = 1.0
"""Steps slower than this are reported part by part."""
REASONS = (None, FinishReason.COMPLETED, FinishReason.SETTLED, FinishReason.STOPPED)


class TrainingLoop:
    """One stretch of training, from its start or a checkpoint to its end.

    Parameters
    ----------
    run : where everything is kept
    learner, judge : what takes the steps, and what measures it
    pace : how often
    budget, stop : when to end
    warnings : what the user should know before it starts
    less_memory : changes of settings to offer where memory runs out
    """

    def __init__(
        self,
        run: Run[Any],
        learner: Learner,
        judge: Judge,
        pace: Pace,
        budget: Budget,
        stop: threading.Event | None = None,
        *,
        warnings: tuple[str, ...] = (),
        less_memory: Changes | None = None,
    ) -> None:
        self.run, self.learner, self.judge, self.pace = run, learner, judge, pace
        self.budget, self.stop, self.warnings = budget, stop, warnings
        self.less_memory = less_memory or {}
        self.record = Record(run, learner, judge, pace)
        self.clock = Clock()
        self.first_step = learner.steps
        self._reported = self._saved = 0.0
        self._previewed = float("-inf")
        self._in_step = False
        self._history: list[Mapping[str, Tensor]] = []

    def load(self, checkpoint: CheckpointInfo) -> None:
        """Load weights and state of a checkpoint."""
        with loading(checkpoint.folder):
            self.record.load(checkpoint)
            self.clock.before = float(checkpoint.state.get("elapsed_s", 0.0))
        self.first_step = self.learner.steps

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
            saved = self.record.rescue(error, self._in_step, self.clock.elapsed())
            if not lost_memory:
                raise
            run = self.run.path if saved else None
            raise out_of_memory(str(self.learner.device), self.less_memory, run) from error

    def _events(self) -> Iterator[TrainingEvent]:
        learner, record = self.learner, self.record
        yield TrainingStarted(
            self.run.path,
            str(learner.device),
            learner.steps,
            self.judge.target,
            *learner.parameters(),
            self.warnings,
        )
        if learner.steps == 0 and self.pace.from_start and not record.measured:
            yield from self._measure()
        if learner.steps == 0 and self.pace.keep_start and not record.saved:
            record.mark_good()
            yield from self._save()
        while (reason := self._reason_to_end()) is None or not record.healthy():
            if reason is not None:
                yield from self._roll_back(NOT_A_NUMBER)
                continue
            yield from self._step()
            yield from self._look()
        if self._history:
            yield self._step_completed()
        yield from self._last_look(reason)
        if not record.saved:
            yield from self._save()
        yield TrainingFinished(reason, learner.steps, self.clock.elapsed(), self.run.path)

    def _step(self) -> Iterator[TrainingEvent]:
        """Do one step; where it takes long, report its parts."""
        record = self.record
        terms: dict[str, Tensor] = {}
        self._in_step = True
        record.mark_good(False)
        self.learner.set_rate(record.watch.learning_rate, self._annealed())
        for part, values in self.learner.parts():
            terms |= values
            if self.clock.seconds() - self._reported >= PROGRESS_SECONDS:
                self._reported = self.clock.seconds()
                share = self._progress()
                step, elapsed = self.learner.steps, self.clock.elapsed()
                yield StepProgress(step, part, elapsed, share, self._left(share))
        self._in_step = False
        record.terms |= terms
        self._history.append(terms)
        if self.clock.seconds() - self._reported >= REPORT_SECONDS:
            self._reported = self.clock.seconds()
            yield self._step_completed()

    def _look(self) -> Iterator[TrainingEvent]:
        """Preview, measure, save and roll back where it is time to."""
        pace, clock, first = self.pace, self.clock, distributed.is_first()
        save_now = False
        if first and clock.seconds() - self._previewed >= pace.preview_seconds:
            self._previewed = clock.seconds()
            preview = self.judge.preview(self.learner.steps)
            self.judge.keep(self.run.path, preview)
            yield preview
        if self.learner.steps % pace.measure_every == 0:
            trouble = None
            if first:
                event, trouble = self.record.measure()
                save_now = event.is_best or self.record.good
                yield event
            trouble = distributed.from_first(trouble)
            if trouble is not None:
                yield from self._roll_back(trouble)
                return
        due = first and clock.seconds() - self._saved >= pace.checkpoint_seconds
        if distributed.largest(save_now or due):
            yield from self._save()

    def _last_look(self, reason: FinishReason) -> Iterator[TrainingEvent]:
        """Measure where the budget ended: annealed, it is most often the best."""
        step = self.learner.steps
        idle = step == self.first_step and step != self.budget.steps  # resumed beyond its budget
        measured = distributed.from_first(self.record.measured)
        if reason is FinishReason.STOPPED or measured or idle or step == 0:
            return
        yield from self._measure()
        # saved already when the clock said so, without its score
        self.record.invalidate_save()

    def _measure(self) -> Iterator[TrainingEvent]:
        if distributed.is_first():
            yield self.record.measure()[0]

    def _roll_back(self, reason: str) -> Iterator[TrainingEvent]:
        event = self.record.roll_back(reason)
        self._history.clear()
        yield event
        yield from self._save()

    def _save(self) -> Iterator[TrainingEvent]:
        """Save a checkpoint, unless weights are no numbers."""
        if not self.record.healthy():
            return
        event = self.record.save(self.clock.elapsed())
        self._saved = self.clock.seconds()
        if event is not None:
            yield event

    def _reason_to_end(self) -> FinishReason | None:
        code = 0
        patience = self.pace.patience
        if self.stop is not None and self.stop.is_set():
            code = 3
        elif distributed.is_first():
            if patience is not None and self.record.since_best >= patience:
                code = 2
            elif (self._progress() or 0) >= 1:
                code = 1
        return REASONS[distributed.largest(code)]

    def _annealed(self) -> float:
        """Return the factor on the learning rate of the next step."""
        share = used_share(self.budget, self.clock.seconds(), self.learner.steps)
        if self.budget.minutes is not None:
            share = distributed.from_first(share)  # clocks differ, weights must not
        return annealed(share, self.pace.annealing)

    def _progress(self) -> float | None:
        return progress(self.budget, self.clock.seconds(), self.first_step, self.learner.steps)

    def _left(self, share: float | None) -> float | None:
        return self.clock.seconds() * (1 - share) / share if share else None

    def _step_completed(self) -> StepCompleted:
        share, terms = self._progress(), mean_terms(self._history)
        self._history.clear()
        elapsed, left = self.clock.elapsed(), self._left(share)
        return StepCompleted(self.learner.steps, elapsed, share, left, terms)
