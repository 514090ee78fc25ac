"""Training a fusion: what it is made of, and its start and resumption.

sample → step → measure → checkpoint → yield: `step.py` has the step, `evaluation.py`
what is measured, `training/loop.py` what is around them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_superres.config import Budget, TrainingSettings
from napari_superres.data.checks.held_back import hold_back
from napari_superres.data.checks.inputs import InputReport, check_inputs, needed_sides
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.events import TrainingEvent
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.material import Material
from napari_superres.fusion.memory import memory_warning
from napari_superres.fusion.networks.trained import FusionNetworks
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.warm_start import check_start, start_from
from napari_superres.runs.config import FUSION, HIGH_RES, LOW_RES, Kind
from napari_superres.runs.inputs import Input
from napari_superres.runs.run import Run
from napari_superres.training import start as training
from napari_superres.training.learner import Pace


def train(
    pair: Pair,
    settings: TrainingSettings,
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
    report: InputReport | None = None,
) -> Iterator[TrainingEvent]:
    """Train a new run.

    Parameters
    ----------
    pair : the segmented low-res volume and high-res slices
    settings : what to train
    run_folder : new or empty folder
    budget : when to end; without limits, when `stop` is set
    stop : set it to end after the current step
    report : of `check_inputs`, where the caller has shown it already: its warnings do not
        come again

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
    recipe = FusionRecipe(pair, settings, report)
    yield from training.start(recipe, run_folder, budget, stop)


def resume(
    run_folder: Path,
    budget: Budget,
    stop: threading.Event | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> Iterator[TrainingEvent]:
    """Go on with a run from its last checkpoint; see `training.start.resume`."""
    yield from training.resume(run_folder, FUSION, _recipe_of, budget, stop, changes, device)


@dataclass
class FusionRecipe:
    """A fusion as `training.start` trains it.

    Parameters
    ----------
    pair, settings : what to train
    checked : the report of the inputs, where the caller has shown it already
    """

    pair: Pair
    settings: TrainingSettings
    checked: InputReport | None = None
    kind: Kind[TrainingSettings] = FUSION

    @cached_property
    def report(self) -> InputReport:
        """What the checks of the inputs found."""
        return self.checked or check_inputs(self.pair, self.settings)

    @property
    def pace(self) -> Pace:
        """How often it is measured, shown and saved."""
        return Pace.of(self.settings.engine, keep_start=self.settings.warm_start is not None)

    def check(self, *, new: bool) -> None:
        """Raise an InputError where the inputs, or the run to start from, do not fit."""
        _ = self.report
        if new and self.settings.warm_start is not None:
            check_start(Path(self.settings.warm_start), self.settings, self.pair)

    def sources(self) -> Mapping[str, Input]:
        """Return the inputs by role."""
        return {LOW_RES: self.pair.low_res, HIGH_RES: self.pair.high_res}

    def warnings(self, device: str) -> tuple[str, ...]:
        """Return what the user should know before it starts."""
        shown = self.checked is not None
        too_large = memory_warning(self.settings, self.report, device)
        found = () if shown else self.report.warnings
        return found if too_large is None else (*found, too_large)

    def build(self, device: str, *, new: bool) -> tuple[FusionLearner, Evaluator]:
        """Return learner and judge; slices are held back for the judge."""
        low_res, high_res = self.pair.low_res, self.pair.high_res
        split = hold_back(high_res, self.settings, needed_sides(self.settings))
        learner = self.learner(device, Pair(low_res, split.training), split.all)
        if new and self.settings.warm_start is not None:
            start_from(learner.networks, Path(self.settings.warm_start))
        return learner, Evaluator(learner, split, low_res.phases)

    def learner(
        self, device: str, pair: Pair | None = None, known: SegmentedSlices | None = None
    ) -> FusionLearner:
        """Return what learns from a pair, that of the recipe where none is given."""
        pair = pair or self.pair
        phases = len(pair.low_res.phases), len(pair.high_res.phases)
        networks = FusionNetworks(self.settings, *phases, device)
        material = Material(pair, self.settings, self.report, networks.generator, device, known)
        return FusionLearner(material, networks, self.settings)


def _recipe_of(run: Run[TrainingSettings]) -> FusionRecipe:
    return FusionRecipe(Pair(run.low_res(), run.high_res()), run.settings)
