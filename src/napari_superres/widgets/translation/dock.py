"""The translation panel: its steps as tabs in one dock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.translation.settings import TRANSLATION_PRESETS, TranslationSettings
from napari_superres.widgets.images.engine import ImageInputs
from napari_superres.widgets.images.watch import ImageWatch, WatchPlan
from napari_superres.widgets.run.command import image_command, image_files
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.train.dock import TrainingDock
from napari_superres.widgets.train.step import TrainKind, TrainStep
from napari_superres.widgets.translation.apply import TranslationApplyStep
from napari_superres.widgets.translation.engine import KIND, TranslationEngine
from napari_superres.widgets.translation.images import TranslationImagesStep

WATCH = WatchPlan(
    rows={"low-res": 4, "translated": 4, "high-res": 4},
    numbers=(
        ("Two-point gap to high-res", ("two_point_rmse", "bicubic_two_point_rmse"), {}),
        ("Down-sampled again", ("given_back_rmse",), {}),
        ("Gap to high-res", ("fraction_gap", "surface_gap", "histogram_gap"), {}),
    ),
    compared=(("two-point", "Two-point correlation over distance (pixels)"),),
)


def _command(settings: Any, inputs: ImageInputs, budget: Budget, folder: Path) -> str:
    low, high = inputs.chosen
    words = ["translate", "train", "--low-res-images", *image_files(low.paths, "LOW_RES")]
    words += ["--high-res-images", *image_files(high.paths, "HIGH_RES"), *inputs.options]
    segmented = high.segmented if high.segmented == low.segmented else None
    return image_command(words, settings, TRANSLATION_PRESETS, segmented, budget, folder)


TRAIN_TRANSLATION = TrainKind(
    model=TranslationSettings,
    presets=TRANSLATION_PRESETS,
    preset_texts=(
        ("quick: minutes on a laptop", "quick"),
        ("paper: widths for a GPU", "paper"),
    ),
    command=_command,
    run_name=lambda inputs: f"{KIND}-{inputs.chosen[-1].name}" if inputs is not None else KIND,
)


class TranslationDock(TrainingDock):
    """Images, Train, Watch, Apply."""

    title = "Translate images"

    def __init__(
        self,
        napari_viewer: Any,
        session: Session | None = None,
        engine: TranslationEngine | None = None,
    ) -> None:
        super().__init__(napari_viewer, session)
        engine = engine or TranslationEngine()
        self.training = self.session.training(engine)
        self.inputs = TranslationImagesStep(napari_viewer, self.training, engine.augment)
        self.train = TrainStep(napari_viewer, self.training, TRAIN_TRANSLATION)
        self.watch = ImageWatch(napari_viewer, self.training, WATCH)
        self.apply = TranslationApplyStep(napari_viewer, self.training, engine.translate)
        self.lay_out((self.inputs, self.train, self.watch, self.apply), "step 4, Apply")
