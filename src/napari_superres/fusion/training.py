"""Training a run: a stream of events, whoever listens.

sample → step → measure → checkpoint → yield; see `step.py` for the step.
Whoever stops asking for events pauses the training; setting `stop` ends it with
everything learnt on disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_superres.config import Budget, TrainingSettings
from napari_superres.data.checks import check_inputs
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import DivergenceError, EngineError, OutOfMemoryError, SuperResError
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    MetricsMeasured,
    StepCompleted,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.step import Trainer, mean_terms
from napari_superres.runs.checkpoints import load_tensors, save_checkpoint
from napari_superres.runs.device import choose_device, keep_freed_memory
from napari_superres.runs.folder import RunFolder

REPORT_SECONDS = 0.2
"""Steps faster than this are reported together."""


def train(
    low_res: SegmentedVolume,
    high_res: SegmentedSlices,
    settings: TrainingSettings,
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a new run.

    Parameters
    ----------
    low_res, high_res : the segmented pair
    settings : what to train
    run_folder : new or empty folder
    budget : when to end; without limits, when `stop` is set
    stop : set it to end after the current step

    Yields
    ------
    TrainingStarted, then StepCompleted, MetricsMeasured, PreviewReady and
    CheckpointSaved as they come, at last TrainingFinished.

    Raises
    ------
    InputError
        Before anything is written: inputs that cannot be fused, a folder in use.
    EngineError
        When the device fails or training diverges; checkpoints are kept.
    """
    report = check_inputs(low_res, high_res, settings)
    device = choose_device(settings.device)
    run = RunFolder.create(run_folder, low_res, high_res, settings)
    keep_freed_memory()
    with _engine_errors(device):
        trainer = Trainer(low_res, high_res, settings, report, device)
        yield from _Session(run, trainer, high_res, budget, stop).events(report.warnings)


def resume(
    run_folder: Path, budget: Budget, stop: threading.Event | None = None
) -> Iterator[TrainingEvent]:
    """Go on with a run from its last checkpoint, as if it had not been interrupted.

    Parameters, events and errors as for `train`; `budget.minutes` count from now,
    `budget.steps` from the run's beginning.

    Raises
    ------
    RunFolderError
        Not a run, or one without a whole checkpoint.
    """
    run = RunFolder.open(run_folder)
    low_res, high_res = run.low_res(), run.high_res()
    settings = run.config.settings
    report = check_inputs(low_res, high_res, settings)
    device = choose_device(settings.device)
    checkpoint = run.find_checkpoint("last")
    keep_freed_memory()
    with _engine_errors(device):
        trainer = Trainer(low_res, high_res, settings, report, device)
        trainer.load(
            load_tensors(checkpoint.folder, "generator"),
            load_tensors(checkpoint.folder, "training"),
            checkpoint.step,
        )
        run.forget_measurements_after(checkpoint.step)
        session = _Session(run, trainer, high_res, budget, stop)
        session.elapsed_before = float(checkpoint.state.get("elapsed_s", 0.0))
        session.best = min((line["score"] for line in run.measurements()), default=float("inf"))
        yield from session.events(report.warnings)


class _Clock:
    """Seconds worked, pauses left out."""

    def __init__(self) -> None:
        self.lost = 0.0

    def seconds(self) -> float:
        return time.monotonic() - self.lost

    @contextmanager
    def paused(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.lost += time.monotonic() - began


@dataclass
class _Session:
    """One stretch of training, from its start or a checkpoint to its end."""

    run: RunFolder
    trainer: Trainer
    high_res: SegmentedSlices
    budget: Budget
    stop: threading.Event | None
    elapsed_before: float = 0.0
    best: float = float("inf")
    measured: dict[str, Any] | None = None
    history: list[dict[str, Tensor]] = field(default_factory=list)

    def events(self, warnings: tuple[str, ...]) -> Iterator[TrainingEvent]:
        """Yield the stream; time that passes while nobody asks does not count."""
        self.clock = _Clock()
        for event in self._events(warnings):
            with self.clock.paused():
                yield event

    def _events(self, warnings: tuple[str, ...]) -> Iterator[TrainingEvent]:
        trainer, engine, clock = self.trainer, self.trainer.engine, self.clock
        evaluator = Evaluator(trainer, self.high_res)
        self.began, self.first_step = clock.seconds(), trainer.steps
        yield TrainingStarted(
            self.run.path,
            str(trainer.device),
            trainer.steps,
            evaluator.target,
            sum(p.numel() for p in trainer.networks.generator.parameters()),
            sum(p.numel() for p in trainer.networks.discriminators.parameters()),
            warnings,
        )
        reported = saved = clock.seconds()
        previewed = float("-inf")
        saved_step = trainer.steps
        while (reason := self._reason_to_end()) is None:
            self.history.append(trainer.step())
            if clock.seconds() - reported >= REPORT_SECONDS:
                reported = clock.seconds()
                yield self._step_completed()
            if clock.seconds() - previewed >= engine.preview_seconds:
                previewed = clock.seconds()
                yield evaluator.preview(trainer.steps)
            better = False
            if trainer.steps % engine.measure_every == 0:
                measured = self._measure(evaluator)
                better = measured.is_best
                yield measured
            if better or clock.seconds() - saved >= engine.checkpoint_seconds:
                yield self._save()
                saved, saved_step = clock.seconds(), trainer.steps
        if self.history:
            yield self._step_completed()
        if saved_step != trainer.steps or not self.run.checkpoints():
            yield self._save()
        yield TrainingFinished(reason, trainer.steps, self._elapsed(), self.run.path)

    def _elapsed(self) -> float:
        return self.elapsed_before + self._seconds()

    def _seconds(self) -> float:
        return self.clock.seconds() - self.began

    def _reason_to_end(self) -> FinishReason | None:
        if self.stop is not None and self.stop.is_set():
            return FinishReason.STOPPED
        return FinishReason.COMPLETED if (self._progress() or 0) >= 1 else None

    def _progress(self) -> float | None:
        """Return the used share of the budget, or None where it has no end."""
        shares = []
        if self.budget.minutes is not None:
            shares.append(self._seconds() / (60 * self.budget.minutes))
        if self.budget.steps is not None:
            todo = max(self.budget.steps - self.first_step, 0)
            done = self.trainer.steps - self.first_step
            shares.append(done / todo if todo else 1.0)
        return min(max(shares), 1.0) if shares else None

    def _step_completed(self) -> StepCompleted:
        progress = self._progress()
        seconds = self._seconds()
        left = seconds * (1 - progress) / progress if progress else None
        terms = mean_terms(self.history)
        self.history.clear()
        if any(value != value for value in terms.values()) or not self.trainer.networks.healthy():
            raise DivergenceError(
                f"Training diverged at step {self.trainer.steps}: a loss is not a number.",
                "Earlier checkpoints of the run are whole.",
                "Resume it, or train again with another seed or a lower learning rate.",
            )
        return StepCompleted(self.trainer.steps, self._elapsed(), progress, left, terms)

    def _measure(self, evaluator: Evaluator) -> MetricsMeasured:
        measurement, score = evaluator.measure()
        is_best = score < self.best
        self.best = min(self.best, score)
        self.measured = {"step": self.trainer.steps, "score": score} | asdict(measurement)
        self.run.append_measurement(self.measured)
        return MetricsMeasured(self.trainer.steps, measurement, score, is_best)

    def _save(self) -> CheckpointSaved:
        step = self.trainer.steps
        measured = self.measured if self.measured and self.measured["step"] == step else None
        folder = save_checkpoint(
            self.run.path / "checkpoints",
            self.trainer.networks.average.state_dict(),
            self.trainer.state(),
            {
                "step": step,
                "elapsed_s": self._elapsed(),
                "score": measured["score"] if measured else None,
                "measurement": measured,
            },
        )
        is_best = measured is not None and measured["score"] <= self.best
        return CheckpointSaved(step, folder, is_best)


@contextmanager
def _engine_errors(device: str) -> Iterator[None]:
    """Turn the failures of torch into errors that say what to do."""
    try:
        yield
    except SuperResError:
        raise
    except torch.OutOfMemoryError as error:
        raise _out_of_memory(device) from error
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError) or "alloc" in text or "out of memory" in text:
            raise _out_of_memory(device) from error
        raise EngineError(
            f"Training failed on {device}: {text.splitlines()[0] if text else error!r}.",
            "",
            "Checkpoints of the run are whole; resume it, or try --device cpu.",
        ) from error


def _out_of_memory(device: str) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"The memory of {device} has no room for a training step.",
        "A smaller batch or crop needs less.",
        "Close other programs, or lower the settings batch and crop.",
    )
