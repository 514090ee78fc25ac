"""Every kind of training, tiny: what the tests of all kinds have in common asks of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.config import Budget, FrozenModel
from napari_superres.events import TrainingEvent
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.training import FusionRecipe
from napari_superres.fusion.training import resume as resume_fusion
from napari_superres.synthesis.judge import StyleJudge
from napari_superres.synthesis.step import StyleLearner
from napari_superres.synthesis.training import StyleRecipe
from napari_superres.synthesis.training import resume as resume_synthesis
from napari_superres.training.start import start
from napari_superres.translation.judge import TranslationJudge
from napari_superres.translation.step import TranslationLearner
from napari_superres.translation.training import TranslationRecipe
from napari_superres.translation.training import resume as resume_translation
from tests.fusion import materials as fusion
from tests.synthesis import materials as synthesis
from tests.translation import materials as translation


@dataclass(frozen=True)
class KindOfTraining:
    """How a kind of training is started and resumed, and what its steps and measures are."""

    name: str
    settings: FrozenModel
    recipe: Callable[[Any], Any]
    resume: Callable[..., Iterator[TrainingEvent]]
    learner: type
    judge: type

    def train(
        self, run: Path, steps: int, stop: threading.Event | None = None, **engine: object
    ) -> Iterator[TrainingEvent]:
        """Train a new run up to `steps`, with other settings of the engine."""
        changed = self.settings.engine.replace(**engine)  # type: ignore[attr-defined]
        settings = self.settings.replace(engine=changed)
        return start(self.recipe(settings), run, Budget(steps=steps), stop)


def _translation(settings: Any) -> TranslationRecipe:
    return TranslationRecipe(translation.images(24), translation.images(40, seed=1), settings)


KINDS = (
    KindOfTraining(
        "fusion",
        fusion.tiny_settings(),
        lambda settings: FusionRecipe(fusion.tiny_pair(), settings),
        resume_fusion,
        FusionLearner,
        Evaluator,
    ),
    KindOfTraining(
        "synthesis",
        synthesis.tiny_settings(),
        lambda settings: StyleRecipe(synthesis.tiny_images(), settings),
        resume_synthesis,
        StyleLearner,
        StyleJudge,
    ),
    KindOfTraining(
        "translation",
        translation.settings(),
        _translation,
        resume_translation,
        TranslationLearner,
        TranslationJudge,
    ),
)
