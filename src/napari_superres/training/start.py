"""Start or resume a training of any kind: a stream of events.

Not asking for the next event pauses the training; setting `stop` ends it with the
weights on disk. A kind of training is a `Recipe`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from napari_superres.config import Budget
from napari_superres.events import TrainingEvent
from napari_superres.runs.checkpoints import CheckpointInfo, check_can_train
from napari_superres.runs.config import Kind, Settings
from napari_superres.runs.device import choose_device, keep_freed_memory
from napari_superres.runs.inputs import Input
from napari_superres.runs.lock import run_lock
from napari_superres.runs.previews import drop_previews_after
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from napari_superres.training.failures import engine_errors
from napari_superres.training.learner import Judge, Learner, Pace
from napari_superres.training.loop import TrainingLoop


class Recipe(Protocol[Settings]):
    """What one kind of training is made of."""

    @property
    def kind(self) -> Kind[Settings]:
        """The kind of run."""

    @property
    def settings(self) -> Settings:
        """What to train, with `device`, `seed`, `engine` and `less_memory`."""

    @property
    def pace(self) -> Pace:
        """How often it is measured, shown and saved."""

    def check(self, *, new: bool) -> None:
        """Raise an InputError where the inputs, or what a new run starts from, do not fit."""

    def sources(self) -> Mapping[str, Input]:
        """Return the inputs by role, to be kept in the run."""

    def warnings(self, device: str) -> tuple[str, ...]:
        """Return what the user should know before it starts."""

    def build(self, device: str, *, new: bool) -> tuple[Learner, Judge]:
        """Return what learns, with the weights that a new run starts from, and what measures it."""


def start(
    recipe: Recipe[Settings],
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a new run.

    Parameters
    ----------
    recipe : what to train
    run_folder : new or empty folder
    budget : when to end; without limits, when `stop` is set
    stop : set it to end after the current step

    Yields
    ------
    TrainingStarted, then StepCompleted (StepProgress within long steps), measurements,
    previews, RolledBack and CheckpointSaved as they come, at last TrainingFinished.

    Raises
    ------
    InputError
        Before anything is written: inputs that do not fit, a folder in use.
    EngineError
        When the device fails or training diverges for good; checkpoints are kept.
    """
    recipe.check(new=True)
    settings: Any = recipe.settings
    device = choose_device(settings.device)
    with distributed.joined(device), engine_errors(device, settings.less_memory()):
        path = Path(distributed.from_first(str(run_folder)))
        if distributed.is_first():
            Run.create(path, recipe.kind, recipe.settings, recipe.sources())
        distributed.meet()
        run = Run.open(path, recipe.kind)
        with _held(run.path):
            yield from _loop(run, recipe, device, budget, stop, None).events()


def resume(
    run_folder: Path,
    kind: Kind[Settings],
    recipe_of: Callable[[Run[Settings]], Recipe[Settings]],
    budget: Budget,
    stop: threading.Event | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Iterator[TrainingEvent]:
    """Go on with a run from its last checkpoint, as if it had not been interrupted.

    A run that was interrupted before its first checkpoint begins again.

    Parameters
    ----------
    run_folder, kind : of the run
    recipe_of : what to train, from the run
    budget : minutes count from now, steps from the run's beginning
    stop : as for `start`
    changes : engine settings to change from here on, of its `SAFE_TO_CHANGE`
    device : another device than the run's settings name

    Yields
    ------
    Events as for `start`.

    Raises
    ------
    RunFolderError
        Not such a run, damaged, or in use by another process.
    SettingsError
        A change that a run cannot take.
    EngineError
        As for `start`.
    """
    run = Run.open(run_folder, kind)
    check_can_train(run.path)
    changes = changes or {}
    found = run.checkpoints()
    run = run.with_engine(changes, found[-1].step if found else 0)
    settings: Any = run.settings
    device = choose_device(device or settings.device)
    recipe = recipe_of(run)
    recipe.check(new=False)
    with (
        distributed.joined(device),
        engine_errors(device, settings.less_memory()),
        _held(run.path),
    ):
        last = distributed.from_first(max(run.checkpoints(), key=_step, default=None))
        if changes and distributed.is_first():
            run.write_config()
        loop = _loop(run, recipe, device, budget, stop, last)
        if "learning_rate" in changes:
            loop.record.forget_rollbacks()
        if distributed.is_first():
            run.keep_lines(loop.record.lines)
            drop_previews_after(run.path, loop.learner.steps)
        yield from loop.events()


def _loop(
    run: Run[Settings],
    recipe: Recipe[Settings],
    device: str,
    budget: Budget,
    stop: threading.Event | None,
    checkpoint: CheckpointInfo | None,
) -> TrainingLoop:
    """Return the loop, at a checkpoint or at the beginning."""
    keep_freed_memory()
    settings: Any = recipe.settings
    learner, judge = recipe.build(device, new=checkpoint is None)
    loop = TrainingLoop(
        run,
        learner,
        judge,
        recipe.pace,
        budget,
        stop,
        warnings=recipe.warnings(device),
        less_memory=settings.less_memory(),
    )
    if checkpoint is not None:
        loop.load(checkpoint)
    return loop


def _held(run: Path) -> AbstractContextManager[None]:
    return run_lock(run) if distributed.is_first() else nullcontext()


def _step(checkpoint: CheckpointInfo) -> int:
    return checkpoint.step
