"""The synthesis panel: its steps as tabs in one dock, with the training's controls below."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from napari_superres.synthesis.settings import STYLE_PRESETS, SynthesisSettings
from napari_superres.widgets.images.dock import ImageDock
from napari_superres.widgets.images.train import ImageTrainStep
from napari_superres.widgets.images.watch import ImageWatch, WatchPlan
from napari_superres.widgets.run.command import image_command, image_files
from napari_superres.widgets.run.image_session import image_session
from napari_superres.widgets.run.run_bar import ImageRunBar
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.synthesis.engine import SynthesisEngine
from napari_superres.widgets.synthesis.gallery import GalleryStep
from napari_superres.widgets.synthesis.patches import PatchesStep

GAPS = ("fraction_gap", "surface_gap", "length_gap", "two_point_rmse", "histogram_gap")
WATCH = WatchPlan(
    rows={"synthetic": 8, "real": 8},
    numbers=(
        ("Adaptive augmentation", ("r_t", "p"), {"r_t": 0.6}),
        ("Gap to real images", GAPS, {}),
    ),
    compared=(
        ("two-point", "Two-point correlation over distance (pixels)"),
        ("histogram", "Grey values, 32 bins"),
    ),
)


class SynthesisDock(ImageDock):
    """Patches, Train, Watch, Gallery."""

    title = "Synthesise images"

    def __init__(
        self,
        napari_viewer: Any,
        session: Session | None = None,
        engine: SynthesisEngine | None = None,
    ) -> None:
        super().__init__(napari_viewer, session)
        self.images = image_session(self.session, engine or SynthesisEngine())
        self.patches = PatchesStep(napari_viewer, self.images)
        self.train = SynthesisTrainStep(napari_viewer, self.images)
        self.watch = ImageWatch(napari_viewer, self.images, WATCH)
        self.gallery = GalleryStep(napari_viewer, self.images)
        self.run_bar = ImageRunBar(
            self.images, "Choose images in step 1, Patches.", "Next: step 4, Gallery."
        )
        self.lay_out((self.patches, self.train, self.watch, self.gallery))

    def on_step(self, step: QWidget) -> None:
        """Make the first samples when the gallery is looked at."""
        super().on_step(step)
        if step is self.gallery:
            self.gallery.fill()


class SynthesisTrainStep(ImageTrainStep):
    """Presets quick, small and paper."""

    model = SynthesisSettings
    presets = STYLE_PRESETS
    preset_texts = (
        ("quick: minutes on a laptop", "quick"),
        ("small: better, for hours or a GPU", "small"),
        ("paper: widths and pace of the paper, for a GPU", "paper"),
    )

    def command(self) -> str:
        """Return the command line of the run.

        Raises
        ------
        SettingsError
            A dial holds something that is not allowed, or an input is missing.
        """
        settings, inputs = self.settings(), self.images.inputs
        assert inputs is not None
        chosen = inputs.chosen[0]
        words = ["synthesise", "train", "--images", *image_files(chosen.paths, "IMAGE")]
        return image_command(
            words, settings, STYLE_PRESETS, chosen.segmented, self.budget, self.run_folder
        )
