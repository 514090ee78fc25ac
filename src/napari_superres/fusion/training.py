"""Training a run: a stream of events, whoever listens.

sample → step → measure → checkpoint → yield; see `step.py` for the step and
`loop.py` for what is around it. Whoever stops asking for events pauses the
training; setting `stop` ends it with everything learnt on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from napari_superres.config import Budget, TrainingSettings
from napari_superres.data.checks.held_back import hold_back
from napari_superres.data.checks.inputs import InputReport, check_inputs, needed_sides
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.events import TrainingEvent
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.step import Trainer
from napari_superres.fusion.warm_start import check_alike, warm_start
from napari_superres.runs.checkpoints import check_can_train
from napari_superres.runs.config import FUSION, HIGH_RES, LOW_RES
from napari_superres.runs.device import choose_device, keep_freed_memory, memory_warning
from napari_superres.runs.lock import run_lock
from napari_superres.runs.previews import drop_previews_after
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from napari_superres.training.failures import engine_errors
from napari_superres.training.loop import TrainingLoop


def train(
    pair: Pair,
    settings: TrainingSettings,
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a new run.

    Parameters
    ----------
    pair : the segmented volume and slices
    settings : what to train
    run_folder : new or empty folder
    budget : when to end; without limits, when `stop` is set
    stop : set it to end after the current step

    Yields
    ------
    TrainingStarted, then StepCompleted (StepProgress within long steps),
    MetricsMeasured, PreviewReady, RolledBack and CheckpointSaved as they come, at
    last TrainingFinished.

    Raises
    ------
    InputError
        Before anything is written: inputs that cannot be fused, a folder in use,
        a run to start from that does not fit.
    EngineError
        When the device fails or training diverges for good; checkpoints are kept.
    """
    low_res, high_res = pair.low_res, pair.high_res
    report = check_inputs(pair, settings)
    device = choose_device(settings.device)
    source = None if settings.warm_start is None else Path(settings.warm_start)
    if source is not None:
        _check_source(source, low_res, high_res, settings)
    with distributed.joined(device), engine_errors(device, settings.engine):
        path = Path(distributed.from_first(str(run_folder)))
        if distributed.is_first():
            Run.create(path, FUSION, settings, {LOW_RES: low_res, HIGH_RES: high_res})
        distributed.meet()
        run = Run.open(path, FUSION)
        with _held(run):
            loop = _loop(run, low_res, high_res, settings, report, device, budget, stop)
            if source is not None:
                warm_start(loop.trainer, source)
            yield from loop.events()


def resume(
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Iterator[TrainingEvent]:
    """Go on with a run from its last checkpoint, as if it had not been interrupted.

    A run that was interrupted before its first checkpoint begins anew.

    Parameters
    ----------
    run_folder : of the run
    budget : minutes count from now, steps from the run's beginning
    stop : as for `train`
    changes : engine settings to change from here on, of `SAFE_TO_CHANGE`
    device : another device than the run's settings name

    Yields
    ------
    Events as for `train`.

    Raises
    ------
    RunFolderError
        Not a run, damaged, or in use by another process.
    SettingsError
        A change that a run cannot take.
    EngineError
        As for `train`.
    """
    run = Run.open(run_folder, FUSION)
    check_can_train(run.path)
    low_res, high_res = run.low_res(), run.high_res()
    changes = changes or {}
    before = run.checkpoints()
    run = run.with_engine(changes, before[-1].step if before else 0)
    settings = run.settings
    report = check_inputs(Pair(low_res, high_res), settings)
    device = choose_device(device or settings.device)
    with distributed.joined(device), engine_errors(device, settings.engine), _held(run):
        last = distributed.from_first(max(run.checkpoints(), key=_step, default=None))
        if changes and distributed.is_first():
            run.write_config()
        loop = _loop(run, low_res, high_res, settings, report, device, budget, stop)
        if last is not None:
            loop.go_on_from(last)
        elif settings.warm_start is not None:
            warm_start(loop.trainer, Path(settings.warm_start))
        if "learning_rate" in changes:
            loop.standing.forget_rollbacks()
        if distributed.is_first():
            run.keep_lines(loop.standing.course.lines)
            drop_previews_after(run.path, loop.trainer.steps)
        yield from loop.events()


def _loop(
    run: Run[TrainingSettings],
    low_res: SegmentedVolume,
    high_res: SegmentedSlices,
    settings: TrainingSettings,
    report: InputReport,
    device: str,
    budget: Budget,
    stop: threading.Event | None,
) -> TrainingLoop:
    keep_freed_memory()
    warnings = report.warnings
    too_large = memory_warning(settings, report, device)
    if too_large is not None:
        warnings = (*warnings, too_large)
    split = hold_back(high_res, settings, needed_sides(settings))
    trainer = Trainer(low_res, split.training, settings, report, device, split.all)
    return TrainingLoop(run, trainer, Evaluator(trainer, split), budget, stop, warnings)


def _check_source(
    source: Path, low_res: SegmentedVolume, high_res: SegmentedSlices, settings: TrainingSettings
) -> None:
    other = Run.open(source, FUSION)
    check_can_train(other.path)
    other.find_checkpoint("best")
    check_alike(other, settings, low_res.phases, high_res.phases, source)


def _held(run: Run[TrainingSettings]) -> AbstractContextManager[None]:
    return run_lock(run.path) if distributed.is_first() else nullcontext()


def _step(checkpoint: Any) -> int:
    return int(checkpoint.step)
