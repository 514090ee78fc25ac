"""Training an unpaired translation: a stream of events, whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.patches import Patches, PatchGrid, cut
from napari_superres.errors import PhaseError
from napari_superres.events import TrainingEvent
from napari_superres.runs.config import Kind
from napari_superres.runs.inputs import Input
from napari_superres.runs.run import Run
from napari_superres.training import start as training
from napari_superres.training.learner import Pace
from napari_superres.translation.judge import TranslationJudge
from napari_superres.translation.settings import TRANSLATION, TranslationSettings
from napari_superres.translation.step import TranslationLearner

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
    recipe = TranslationRecipe(low_res, high_res, settings)
    yield from training.start(recipe, run_folder, budget, stop)


def resume(
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Iterator[TrainingEvent]:
    """Go on with a run from its last checkpoint; see `training.start.resume`."""
    yield from training.resume(run_folder, TRANSLATION, _recipe_of, budget, stop, changes, device)


@dataclass
class TranslationRecipe:
    """A translation as `training.start` trains it."""

    low_res: ImageSet
    high_res: ImageSet
    settings: TranslationSettings
    kind: Kind[TranslationSettings] = TRANSLATION

    @cached_property
    def patches(self) -> tuple[Patches, Patches]:
        """Training patches of both domains."""
        return cut_images(self.low_res, self.high_res, self.settings)

    @property
    def pace(self) -> Pace:
        """How often it is measured, shown and saved."""
        return Pace.of(self.settings.engine, from_start=True)

    def check(self, *, new: bool) -> None:
        """Raise an InputError where the domains do not fit each other or a patch."""
        _ = self.patches

    def sources(self) -> Mapping[str, Input]:
        """Return the inputs by role."""
        return {LOW: self.low_res, HIGH: self.high_res}

    def warnings(self, device: str) -> tuple[str, ...]:
        """Return what the user should know before it starts."""
        return ()

    def build(self, device: str, *, new: bool) -> tuple[TranslationLearner, TranslationJudge]:
        """Return what learns, and what measures it."""
        phases = self.high_res.phases
        learner = TranslationLearner(*self.patches, len(phases), self.settings, device)
        return learner, TranslationJudge(learner, *self.patches, phases)


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


def _recipe_of(run: Run[TranslationSettings]) -> TranslationRecipe:
    return TranslationRecipe(run.images(LOW), run.images(HIGH), run.settings)
