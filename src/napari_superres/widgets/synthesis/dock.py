"""The synthesis panel: its steps as tabs in one dock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_superres.config import Budget
from napari_superres.synthesis.settings import STYLE_PRESETS, SynthesisSettings
from napari_superres.widgets.images.engine import ImageInputs
from napari_superres.widgets.images.watch import ImageWatch, WatchPlan
from napari_superres.widgets.run.command import image_command, image_files
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.synthesis.engine import KIND, SynthesisEngine
from napari_superres.widgets.synthesis.gallery import GalleryStep
from napari_superres.widgets.synthesis.patches import PatchesStep
from napari_superres.widgets.train.dock import TrainingDock
from napari_superres.widgets.train.step import TrainKind, TrainStep

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


def _command(settings: Any, inputs: ImageInputs, budget: Budget, folder: Path) -> str:
    (chosen,) = inputs.chosen
    words = ["synthesise", "train", "--images", *image_files(chosen.paths, "IMAGE")]
    return image_command(words, settings, STYLE_PRESETS, chosen.segmented, budget, folder)


TRAIN_SYNTHESIS = TrainKind(
    model=SynthesisSettings,
    presets=STYLE_PRESETS,
    preset_texts=(
        ("quick: minutes on a laptop", "quick"),
        ("small: better, for hours or a GPU", "small"),
        ("paper: widths and pace of the paper, for a GPU", "paper"),
    ),
    command=_command,
    run_name=lambda inputs: f"{KIND}-{inputs.chosen[-1].name}" if inputs is not None else KIND,
)


class SynthesisDock(TrainingDock):
    """Patches, Train, Watch, Gallery."""

    title = "Synthesise images"

    def __init__(
        self,
        napari_viewer: Any,
        session: Session | None = None,
        engine: SynthesisEngine | None = None,
    ) -> None:
        super().__init__(napari_viewer, session)
        engine = engine or SynthesisEngine()
        self.training = self.session.training(engine)
        self.patches = PatchesStep(napari_viewer, self.training)
        self.train = TrainStep(napari_viewer, self.training, TRAIN_SYNTHESIS)
        self.watch = ImageWatch(napari_viewer, self.training, WATCH)
        self.gallery = GalleryStep(napari_viewer, self.training, engine)
        self.lay_out((self.patches, self.train, self.watch, self.gallery), "step 4, Gallery")

    def on_step(self, step: QWidget) -> None:
        """Make the first samples when the gallery is looked at."""
        super().on_step(step)
        if step is self.gallery:
            self.gallery.fill()
