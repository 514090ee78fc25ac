"""What is measured of a style generator in training: its images beside real ones.

Legend of shape suffixes: B images, Y X pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_superres.data.patches import Patches, spread_over_both
from napari_superres.data.phases import Phase
from napari_superres.events import ImagesMeasured, ImagesReady, Measurement
from napari_superres.measures.kinds.texture import Segmenter, Texture, measure_texture, texture_gap
from napari_superres.runs.previews import thumbnail
from napari_superres.synthesis.step import StyleLearner
from napari_superres.training.learner import Judgement, Preview
from napari_superres.training.real_images import as_pixels

SHOWN, PICTURED = 8, 4
SEED = 20221003
CHUNK = 16
REAL = 4
"""Real patches measured for each synthetic image."""


class StyleJudge:
    """Measures a learner's averaged generator with fixed styles and noise.

    The real images are patches of all regions, held-out ones too: a held-out region by
    itself is a small sample, whose fractions differ from the whole's by more than a good
    generator's do.
    """

    def __init__(
        self, learner: StyleLearner, training: Patches, held_out: Patches, phases: Sequence[Phase]
    ) -> None:
        self.learner, self.phases = learner, phases
        count = learner.engine.measured_images
        self.segmenter = Segmenter.fit(training.parts, phases)
        pixels = spread_over_both(training, held_out, REAL * count)
        self.real = measure_texture(pixels, self.segmenter)
        self.shown = tuple(training.spread(SHOWN))
        self.target = Measurement(self.real.mean_fractions, {})
        random = torch.Generator().manual_seed(SEED)
        self.latents = torch.randn((count, learner.networks.average.latent), generator=random)

    def images(self, count: int | None = None) -> NDArray[np.uint8]:
        """Return (count, rows, columns) images of the averaged generator."""
        learner, average = self.learner, self.learner.networks.average
        latents = self.latents[:count].to(learner.device)
        random = torch.Generator(learner.device).manual_seed(SEED)
        parts = []
        with torch.no_grad(), learner.arithmetic():
            for z in torch.split(latents, CHUNK):
                w = average.broadcast(average.mapping(z))
                made = average(w, average.draw_noise(len(z), random))
                parts.append(as_pixels(made, learner.phases))
        return torch.cat(parts).numpy()

    def measure(self) -> Judgement:
        """Return the gap between real and synthetic images."""
        found = measure_texture(self.images(), self.segmenter)
        gap = texture_gap(found, self.real)
        values = {
            "fraction_gap": gap.fraction,
            "surface_gap": gap.surface,
            "two_point_rmse": gap.two_point,
            "r_t": self.learner.controller.overfitting,
            "p": self.learner.controller.strength,
        }
        if gap.length is not None:
            values["length_gap"] = gap.length
        if gap.histogram is not None:
            values["histogram_gap"] = gap.histogram
        curves = curves_of(self.real, found)
        return Judgement(
            gap.score,
            found.mean_fractions,
            values,
            lambda step, is_best: ImagesMeasured(step, values, curves, gap.score, is_best),
        )

    def preview(self, step: int) -> ImagesReady:
        """Return synthetic and real images."""
        return ImagesReady(step, {"synthetic": tuple(self.images(SHOWN)), "real": self.shown})

    def keep(self, run: Path, preview: Preview) -> None:
        """Keep no previews."""

    def picture(self) -> NDArray[np.uint8]:
        """Return a thumbnail of synthetic images."""
        return thumbnail(list(self.images(PICTURED)), self.phases)


def curves_of(real: Texture, synthetic: Texture) -> dict[str, NDArray[np.float64]]:
    """Return two-point curves of each phase and grey histograms, "… real" and "… synthetic"."""
    curves: dict[str, NDArray[np.float64]] = {}
    for item, texture in (("real", real), ("synthetic", synthetic)):
        for name, curve in zip(texture.names, texture.curve, strict=True):
            curves[f"two-point {name} {item}"] = curve
        if texture.histogram.size:
            curves[f"histogram {item}"] = texture.histogram
    return curves
