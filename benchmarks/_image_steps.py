"""How long steps of synthesis and translation take: tasks of `synthesis.py`."""

from __future__ import annotations

import argparse
import time

import numpy as np
from _peak import peak_bytes

from napari_superres.data.files.images import ImageSet
from napari_superres.data.patches import PatchGrid, cut
from napari_superres.synthesis.settings import STYLE_PRESETS, StylePreset, SynthesisSettings
from napari_superres.synthesis.step import StyleLearner
from napari_superres.translation.settings import (
    TRANSLATION_PRESETS,
    TranslationPreset,
    TranslationSettings,
)
from napari_superres.translation.step import TranslationLearner
from napari_superres.translation.translator import Translator


def sixteen(options: argparse.Namespace) -> None:
    """Time a training step and a translation at ×16, 64² to 1024², the paper's sizes."""
    rng = np.random.default_rng(0)
    low = ImageSet((rng.integers(0, 256, (64, 64)).astype(np.uint8),))
    high = ImageSet((rng.integers(0, 256, (1024, 1024)).astype(np.uint8),))
    for preset in TranslationPreset:
        engine = TRANSLATION_PRESETS[preset].replace(patch=64, batch=1)
        settings = TranslationSettings(scale_factor=16, preset=preset, device="cpu", engine=engine)
        patches = (cut(low.images, PatchGrid(64, 64)), cut(high.images, PatchGrid(1024, 1024)))
        trainer = TranslationLearner(*patches, 0, settings, "cpu")
        image = Translator(trainer.networks.average, (), "cpu")
        began = time.monotonic()
        made = image.image(low.images[0])
        applied = time.monotonic() - began
        began = time.monotonic()
        trainer.step()
        took = time.monotonic() - began
        peak = peak_bytes() / 2**30
        print(
            f"{preset}: 64² to {made.shape[0]}² in {applied:.1f} s; a training step {took:.1f} s; "
            f"peak {peak:.1f} GiB; {trainer.parameters()} parameters",
            flush=True,
        )


def steps(options: argparse.Namespace) -> None:
    """Time a step of synthesis by preset and size, R1 and path length shared out."""
    for preset in (StylePreset.QUICK, StylePreset.SMALL, StylePreset.PAPER):
        for size in (32, 64, 128):
            engine = STYLE_PRESETS[preset].replace(batch=8)
            settings = SynthesisSettings(size=size, preset=preset, device="cpu", engine=engine)
            image = np.random.default_rng(0).integers(0, 256, (2 * size, 2 * size))
            patches = cut([image.astype(np.uint8)], PatchGrid.choose(size))
            trainer = StyleLearner(patches, 0, settings, "cpu")
            trainer.step()
            began = time.monotonic()
            for _ in range(16):
                trainer.step()
            each = (time.monotonic() - began) / 16
            print(f"{preset} {size}²: {each:.2f} s a step of 8 images", flush=True)
