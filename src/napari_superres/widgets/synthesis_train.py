"""Step 2 of synthesis: how to train the style-based generator."""

from __future__ import annotations

from napari_superres.synthesis.settings import STYLE_PRESETS, SynthesisSettings
from napari_superres.widgets.image_command import image_command, image_files
from napari_superres.widgets.image_train import ImageTrainStep


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
