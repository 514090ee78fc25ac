"""Tiny images that train in a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from napari_superres.data.files.images import ImageSet
from napari_superres.data.phases import phases_from_values
from napari_superres.events import ImagesReady, TrainingEvent
from napari_superres.runs.checkpoints import load_checkpoint
from napari_superres.runs.run import Run
from napari_superres.synthesis.settings import STYLE_PRESETS, StylePreset, SynthesisSettings

TINY = STYLE_PRESETS[StylePreset.QUICK].replace(
    base_channels=64,
    start="constant",
    noise_start=0.0,
    grey_levels=0,
    frequency_weight=0.0,
    max_channels=8,
    latent=8,
    batch=4,
    measured_images=4,
    measure_every=2,
    preview_seconds=0.0,
    precision="float32",
    path_length_weight=1.0,
    path_length_every=2,
    r1_every=2,
    augmentation_start=0.5,
    augmentation_kimg=1.0,
)


def tiny_images(phases: int = 0, seed: int = 0) -> ImageSet:
    coarse = np.random.default_rng(seed).integers(0, phases or 4, (12, 16))
    image = np.kron(coarse, np.ones((4, 4))).astype(np.uint8)
    if phases:
        return ImageSet((image,), phases_from_values(range(phases)), 0.1)
    return ImageSet((image * 60 + 20,), (), 0.1)


def tiny_settings(**changes: object) -> SynthesisSettings:
    values = {"size": 16, "stride": 2, "held_out": 0.25, "device": "cpu", "engine": TINY}
    return SynthesisSettings(**(values | changes))  # type: ignore[arg-type]


def stopped_at(step: int, train: Callable[[threading.Event], Iterator[TrainingEvent]]) -> None:
    """Follow a training that shows images at each step; stop it after one."""
    stop = threading.Event()
    for event in train(stop):
        if isinstance(event, ImagesReady) and event.step == step:
            stop.set()


def assert_same_checkpoints(first: Path, second: Path) -> None:
    """The last checkpoints of two runs hold the same tensors."""
    one, other = (
        load_checkpoint(Run.open(folder).find_checkpoint("last").folder)
        for folder in (first, second)
    )
    for ours, theirs in zip(one, other, strict=True):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
