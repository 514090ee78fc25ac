"""What is measured of a translation: low-res recovered by down-sampling, likeness to high-res."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.patches import Patches
from napari_superres.data.phases import Phase
from napari_superres.events import ImagesMeasured, ImagesReady, Measurement
from napari_superres.measures.kinds.texture import Segmenter, measure_texture, texture_gap
from napari_superres.runs.previews import thumbnail
from napari_superres.training.learner import Judgement, Preview
from napari_superres.training.real_images import as_network, as_pixels
from napari_superres.translation.networks import RandomNoise, down_sample
from napari_superres.translation.step import TranslationLearner

SHOWN, PICTURED = 6, 4
SEED = 20221003
CHUNK = 8
RECOVERED_UNIT = 0.02
"""A root mean square of this size, as a share of the grey range, adds 1 to the score."""


class TranslationJudge:
    """Measures a learner's averaged generator on fixed low-res patches with fixed noise.

    Attributes
    ----------
    segmenter : phases, or Otsu's threshold of the high-res images
    target : mean fractions of the high-res patches
    bicubic : the two-point gap of the low-res patches enlarged by bicubic interpolation
    """

    def __init__(
        self,
        learner: TranslationLearner,
        low_res: Patches,
        high_res: Patches,
        phases: Sequence[Phase],
    ) -> None:
        self.learner, self.phases = learner, phases
        count = learner.engine.measured_images
        self.low = torch.from_numpy(low_res.spread(count))
        real = high_res.spread(count)
        self.segmenter = Segmenter.fit(high_res.parts, phases)
        self.real = measure_texture(real, self.segmenter)
        self.shown = tuple(real[:SHOWN])
        enlarged = enlarge_bicubic(self.low, learner.settings.scale_factor, learner.phases)
        self.bicubic = texture_gap(measure_texture(enlarged, self.segmenter), self.real).two_point
        self.target = Measurement(self.real.mean_fractions, {})

    def translate(self, count: int | None = None) -> tuple[NDArray[np.uint8], float]:
        """Return (count, rows, columns) translations and the error of the recovered low-res.

        The latter is the root mean square difference between the low-res images and
        the down-sampled translations, as a share of the grey range (of 1 for phases).
        """
        learner = self.learner
        noise = RandomNoise(torch.Generator(learner.device).manual_seed(SEED))
        parts, squares = [], []
        with torch.no_grad(), learner.arithmetic():
            for pixels in torch.split(self.low[:count], CHUNK):
                low = as_network(pixels.to(learner.device), learner.phases)
                made = learner.networks.average(low, noise)
                gap = down_sample(made, learner.settings.scale_factor) - low
                squares.append(gap.square().flatten(1).mean(dim=1).cpu())
                parts.append(as_pixels(made, learner.phases))
        span = 2.0 if learner.phases == 0 else 1.0
        return torch.cat(parts).numpy(), float(torch.cat(squares).mean().sqrt()) / span

    def measure(self) -> Judgement:
        """Return how well low-res is recovered, and the gap to real high-res patches."""
        images, rmse = self.translate()
        found = measure_texture(images, self.segmenter)
        gap = texture_gap(found, self.real)
        values = {
            "given_back_rmse": rmse,
            "two_point_rmse": gap.two_point,
            "bicubic_two_point_rmse": self.bicubic,
            "surface_gap": gap.surface,
            "fraction_gap": gap.fraction,
        }
        if gap.histogram is not None:
            values["histogram_gap"] = gap.histogram
        curves: dict[str, NDArray[np.float64]] = {}
        for item, texture in (("real", self.real), ("translated", found)):
            for name, curve in zip(texture.names, texture.curve, strict=True):
                curves[f"two-point {name} {item}"] = curve
        score = gap.score + rmse / RECOVERED_UNIT
        return Judgement(
            score,
            found.mean_fractions,
            values,
            lambda step, is_best: ImagesMeasured(step, values, curves, score, is_best),
        )

    def preview(self, step: int) -> ImagesReady:
        """Return low-res images, their translations, and real high-res ones."""
        rows = {
            "low-res": tuple(self.low[:SHOWN].numpy()),
            "translated": tuple(self.translate(SHOWN)[0]),
            "high-res": self.shown,
        }
        return ImagesReady(step, rows)

    def keep(self, run: Path, preview: Preview) -> None:
        """Keep no previews."""

    def picture(self) -> NDArray[np.uint8]:
        """Return a thumbnail of translated images."""
        return thumbnail(list(self.translate(PICTURED)[0]), self.phases)


def enlarge_bicubic(pixels_BYX: Tensor, scale_factor: int, phases: int) -> NDArray[np.uint8]:
    """Return images enlarged by bicubic interpolation; of phases, the likeliest."""
    low = as_network(pixels_BYX, phases)
    if scale_factor > 1:
        low = F.interpolate(low, scale_factor=scale_factor, mode="bicubic", align_corners=False)
    pixels: NDArray[np.uint8] = as_pixels(low, phases).numpy()
    return pixels
