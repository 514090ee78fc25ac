"""Training an unpaired translation: a stream of events, whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.patches.cutting import Patches, PatchGrid, cut
from napari_superres.errors import PhaseError
from napari_superres.events import TrainingEvent
from napari_superres.runs.checkpoints import check_can_train
from napari_superres.runs.device import choose_device, keep_freed_memory
from napari_superres.runs.lock import run_lock
from napari_superres.runs.run import Run, change_engine
from napari_superres.training.failures import engine_errors
from napari_superres.training.image_loop import ImageLoop
from napari_superres.training.learner import Pace
from napari_superres.translation.judge import TranslationJudge
from napari_superres.translation.settings import TRANSLATION, TranslationSettings
from napari_superres.translation.step import Trainer

LOW, HIGH = "low_res", "high_res"


def train(
    low_res: ImageSet,
    high_res: ImageSet,
    settings: TranslationSettings,
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a new run.

    Parameters
    ----------
    low_res, high_res : images of the two domains, not paired; both greyscale, or
        with the same phases
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
        Before anything is written: images that do not fit, a folder in use.
    EngineError
        When the device fails or training diverges; checkpoints are kept.
    """
    patches = cut_images(low_res, high_res, settings)
    device = choose_device(settings.device)
    run = Run.create(run_folder, TRANSLATION, settings, {LOW: low_res, HIGH: high_res})
    with run_lock(run.path):
        yield from _loop(run, high_res, patches, settings, device, budget, stop).events()


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
    run = Run.open(run_folder, TRANSLATION)
    check_can_train(run.path)
    low_res, high_res = run.images(LOW), run.images(HIGH)
    device = choose_device(device or run.settings.device)
    if changes:
        run = change_engine(run_folder, TRANSLATION, changes)
    settings = run.settings
    with run_lock(run.path):
        patches = cut_images(low_res, high_res, settings)
        loop = _loop(run, high_res, patches, settings, device, budget, stop)
        loop.go_on()
        yield from loop.events()


def cut_images(
    low_res: ImageSet, high_res: ImageSet, settings: TranslationSettings
) -> tuple[Patches, Patches]:
    """Return training patches of both domains.

    Raises
    ------
    PhaseError
        One set is greyscale and the other segmented, or their phases differ.
    ShapeError
        Images too small for a patch.
    """
    low_values, high_values = (
        [phase.value for phase in images.phases] for images in (low_res, high_res)
    )
    if low_values != high_values:
        raise PhaseError(
            f"{low_res.name} has {_kind(low_values)}, {high_res.name} has {_kind(high_values)}.",
            "Both domains need grey values, or the same label values.",
            "Segment both, or neither; the fusion maps phases onto others.",
        )
    low_grid = PatchGrid.choose(settings.engine.patch)
    high_grid = PatchGrid.choose(settings.high_res_patch)
    return cut(low_res.images, low_grid), cut(high_res.images, high_grid)


def _kind(values: list[int]) -> str:
    return f"the label values {values}" if values else "grey values"


def _loop(
    run: Run[Any],
    high_res: ImageSet,
    patches: tuple[Patches, Patches],
    settings: TranslationSettings,
    device: str,
    budget: Budget,
    stop: threading.Event | None,
) -> ImageLoop:
    keep_freed_memory()
    engine, phases = settings.engine, high_res.phases
    with engine_errors(device):
        trainer = Trainer(*patches, len(phases), settings, device)
        judge = TranslationJudge(trainer, *patches, phases)
    pace = Pace(engine.measure_every, engine.preview_seconds, engine.checkpoint_seconds)
    return ImageLoop(run, trainer, judge, pace, budget, stop)
