"""Tiny pairs of images that train in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.phases import phases_from_values
from napari_superres.translation.settings import TranslationEngine, TranslationSettings
from napari_superres.translation.training import train

TINY = TranslationEngine(
    channels=8,
    min_channels=4,
    residual_blocks=1,
    discriminator_channels=4,
    scales=1,
    patch=8,
    batch=2,
    pool=3,
    annealing=0.5,
    measured_images=2,
    measure_every=2,
    preview_seconds=0.0,
    precision="float32",
)


def images(size: int, phases: int = 0, seed: int = 0) -> ImageSet:
    coarse = np.random.default_rng(seed).integers(0, phases or 4, (size // 4, size // 4))
    image = np.kron(coarse, np.ones((4, 4))).astype(np.uint8)
    if phases:
        return ImageSet((image,), phases_from_values(range(phases)))
    return ImageSet((image * 60 + 20,))


def settings(**changes: object) -> TranslationSettings:
    values = {"scale_factor": 2, "device": "cpu", "engine": TINY}
    return TranslationSettings(**(values | changes))  # type: ignore[arg-type]


def run_of(folder: Path, steps: int, phases: int = 0) -> list[object]:
    pair = images(24, phases), images(40, phases, seed=1)
    return list(train(*pair, settings(), folder, Budget(steps=steps)))
