"""Training a style-based generator: a stream of events, whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.patches.cutting import Patches, patches_of
from napari_superres.events import TrainingEvent
from napari_superres.runs.checkpoints import check_can_train
from napari_superres.runs.device import choose_device, keep_freed_memory
from napari_superres.runs.lock import run_lock
from napari_superres.runs.run import Run, change_engine
from napari_superres.synthesis.judge import StyleJudge
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings
from napari_superres.synthesis.step import Trainer
from napari_superres.training.failures import engine_errors
from napari_superres.training.image_loop import ImageLoop
from napari_superres.training.learner import Pace

INPUT = "real"
FEW_PATCHES = 50


def train(
    images: ImageSet,
    settings: SynthesisSettings,
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a new run.

    Parameters
    ----------
    images : real images, greyscale or segmented
    settings : what to learn
    run_folder : new or empty folder
    budget : when to end; without limits, when `stop` is set
    stop : set it to end after the current step

    Yields
    ------
    TrainingStarted, then StepCompleted, ImagesMeasured, ImagesReady and
    CheckpointSaved as they come, at last TrainingFinished.

    Raises
    ------
    InputError
        Before anything is written: images too small for a patch, a folder in use.
    EngineError
        When the device fails or training diverges; checkpoints are kept.
    """
    patches = cut_images(images, settings)
    device = choose_device(settings.device)
    run = Run.create(run_folder, SYNTHESIS, settings, {INPUT: images})
    with run_lock(run.path):
        yield from _loop(run, images, patches, settings, device, budget, stop).events()


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
    changes : engine settings to change from here on: the batch
    device : another device than the run's settings name

    Yields
    ------
    Events as for `train`.

    Raises
    ------
    RunFolderError
        Not such a run, damaged, or in use by another process.
    SettingsError
        A change that a run cannot take.
    EngineError
        As for `train`.
    """
    run = Run.open(run_folder, SYNTHESIS)
    check_can_train(run.path)
    images = run.images(INPUT)
    device = choose_device(device or run.settings.device)
    if changes:
        run = change_engine(run_folder, SYNTHESIS, changes)
    settings = run.settings
    with run_lock(run.path):
        patches = cut_images(images, settings)
        loop = _loop(run, images, patches, settings, device, budget, stop)
        loop.go_on()
        yield from loop.events()


def cut_images(images: ImageSet, settings: SynthesisSettings) -> tuple[Patches, Patches]:
    """Return training and held-out patches of a run.

    Raises
    ------
    ShapeError
        When none fit.
    """
    return patches_of(images.images, settings.grid, settings.held_out, settings.seed)


def describe_patches(images: ImageSet, settings: SynthesisSettings) -> str:
    """Say what a training will see."""
    training, held_out = cut_images(images, settings)
    kind = f"{len(images.phases)} phases" if images.segmented else "grey values"
    line = f"{kind}, {settings.grid.describe(len(training))}"
    return f"{line}, {len(held_out)} held out" if len(held_out) else line


def _loop(
    run: Run[Any],
    images: ImageSet,
    patches: tuple[Patches, Patches],
    settings: SynthesisSettings,
    device: str,
    budget: Budget,
    stop: threading.Event | None,
) -> ImageLoop:
    keep_freed_memory()
    training, held_out = patches
    engine = settings.engine
    with engine_errors(device):
        trainer = Trainer(training, len(images.phases), settings, device)
        judge = StyleJudge(trainer, training, held_out, images.phases)
    warnings: tuple[str, ...] = ()
    if len(training) < FEW_PATCHES:
        warnings = (f"Only {len(training)} training patches: look at the memorisation check.",)
    pace = Pace(engine.measure_every, engine.preview_seconds, engine.checkpoint_seconds)
    return ImageLoop(run, trainer, judge, pace, budget, stop, warnings)
