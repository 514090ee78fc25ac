"""The translation panel: its steps as tabs in one dock, with the training's controls below."""

from __future__ import annotations

from typing import Any

from napari_superres.translation.settings import TRANSLATION_PRESETS, TranslationSettings
from napari_superres.widgets.images.dock import ImageDock
from napari_superres.widgets.images.train import ImageTrainStep
from napari_superres.widgets.images.watch import ImageWatch, WatchPlan
from napari_superres.widgets.run.command import image_command, image_files
from napari_superres.widgets.run.image_session import ImageSession, image_session
from napari_superres.widgets.run.run_bar import ImageRunBar
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.translation.apply import TranslationApplyStep
from napari_superres.widgets.translation.engine import TranslationEngine
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


class TranslationTrainStep(ImageTrainStep):
    """Presets quick and paper."""

    model = TranslationSettings
    presets = TRANSLATION_PRESETS
    preset_texts = (
        ("quick: minutes on a laptop", "quick"),
        ("paper: widths for a GPU", "paper"),
    )

    def __init__(
        self, napari_viewer: Any, images: ImageSession, inputs: TranslationImagesStep
    ) -> None:
        self.inputs_step = inputs
        super().__init__(napari_viewer, images)

    def command(self) -> str:
        """Return the command line of the run.

        Raises
        ------
        SettingsError
            A dial holds something that is not allowed, or an input is missing.
        """
        settings, inputs = self.settings(), self.images.inputs
        assert inputs is not None
        low, high = inputs.chosen
        words = ["translate", "train", "--low-res-images", *image_files(low.paths, "LOW_RES")]
        words += ["--high-res-images", *image_files(high.paths, "HIGH_RES")]
        run = self.inputs_step.run.text().strip()
        if run:
            words += ["--augment-with", run]
            words += ["--augment-count", str(self.inputs_step.count.value())]
        segmented = high.segmented if high.segmented == low.segmented else None
        return image_command(
            words, settings, TRANSLATION_PRESETS, segmented, self.budget, self.run_folder
        )


class TranslationDock(ImageDock):
    """Images, Train, Watch, Apply."""

    title = "Translate images"

    def __init__(
        self,
        napari_viewer: Any,
        session: Session | None = None,
        engine: TranslationEngine | None = None,
    ) -> None:
        super().__init__(napari_viewer, session)
        self.images = image_session(self.session, engine or TranslationEngine())
        self.inputs = TranslationImagesStep(napari_viewer, self.images)
        self.train = TranslationTrainStep(napari_viewer, self.images, self.inputs)
        self.watch = ImageWatch(napari_viewer, self.images, WATCH)
        self.apply = TranslationApplyStep(napari_viewer, self.images)
        self.run_bar = ImageRunBar(
            self.images, "Choose images in step 1, Images.", "Next: step 4, Apply."
        )
        self.lay_out((self.inputs, self.train, self.watch, self.apply))
