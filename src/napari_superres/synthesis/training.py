"""Training a style-based generator: a stream of events, whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.patches import Patches, patches_of
from napari_superres.events import TrainingEvent
from napari_superres.runs.config import Kind
from napari_superres.runs.inputs import Input
from napari_superres.runs.run import Run
from napari_superres.synthesis.judge import StyleJudge
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings
from napari_superres.synthesis.step import StyleLearner
from napari_superres.training import start as training
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
    yield from training.start(StyleRecipe(images, settings), run_folder, budget, stop)


def resume(
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Iterator[TrainingEvent]:
    """Go on with a run from its last checkpoint; see `training.start.resume`."""
    yield from training.resume(run_folder, SYNTHESIS, _recipe_of, budget, stop, changes, device)


@dataclass
class StyleRecipe:
    """A synthesis as `training.start` trains it."""

    images: ImageSet
    settings: SynthesisSettings
    kind: Kind[SynthesisSettings] = SYNTHESIS

    @cached_property
    def patches(self) -> tuple[Patches, Patches]:
        """Training and held-out patches."""
        return cut_images(self.images, self.settings)

    @property
    def pace(self) -> Pace:
        """How often it is measured, shown and saved."""
        return Pace.of(self.settings.engine, from_start=True)

    def check(self, *, new: bool) -> None:
        """Raise a ShapeError where no patch fits."""
        _ = self.patches

    def sources(self) -> Mapping[str, Input]:
        """Return the inputs by role."""
        return {INPUT: self.images}

    def warnings(self, device: str) -> tuple[str, ...]:
        """Return what the user should know before it starts."""
        count = len(self.patches[0])
        few = f"Only {count} training patches: look at the memorisation check."
        return (few,) if count < FEW_PATCHES else ()

    def build(self, device: str, *, new: bool) -> tuple[StyleLearner, StyleJudge]:
        """Return what learns, and what measures it."""
        learner = StyleLearner(self.patches[0], len(self.images.phases), self.settings, device)
        return learner, StyleJudge(learner, *self.patches, self.images.phases)


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


def _recipe_of(run: Run[SynthesisSettings]) -> StyleRecipe:
    return StyleRecipe(run.images(INPUT), run.settings)
