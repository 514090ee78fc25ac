"""One half of a micrograph translated to the other's domain: a task of `synthesis.py`."""

from __future__ import annotations

import argparse
import json

import numpy as np
import torch
from _image_tasks import follow, save_sheet
from scipy import ndimage

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet, read_images
from napari_superres.data.patches import PatchGrid, cut
from napari_superres.measures.kinds.texture import Segmenter, measure_texture, texture_gap
from napari_superres.translation.judge import enlarge_bicubic
from napari_superres.translation.settings import TranslationSettings
from napari_superres.translation.training import train
from napari_superres.translation.translator import Translator

LOW_RES_NOISE = 5.0
"""S.d. of the noise of the simulated low-res half, in grey values."""


def translation(options: argparse.Namespace) -> None:
    """Translate the coarsened right half of a micrograph to the left one's domain."""
    whole = read_images(options.path, segmented=False).images[0]
    half = whole.shape[1] // 2
    left, right = whole[:, :half], whole[: whole.shape[0] // 4 * 4, half : half + half // 4 * 4]
    low = coarsened(right, 4, options.seed)
    settings = TranslationSettings.model_validate(
        {"scale_factor": 4, "preset": options.preset, "seed": options.seed, "device": "cpu"}
    )
    settings = settings.replace(engine=settings.engine.replace(**json.loads(options.changes)))
    sets = ImageSet((low,), name="low-res"), ImageSet((left,), name="high-res")
    follow(train(*sets, settings, options.run, Budget(minutes=options.minutes)))
    translated = Translator.load(options.run).image(low)
    back = translated.reshape(low.shape[0], 4, low.shape[1], 4).mean(axis=(1, 3))
    rmse = float(np.sqrt(np.mean((back - low) ** 2))) / 255
    bicubic = enlarge_bicubic(torch.from_numpy(low)[None], 4, 0)[0]
    segmenter = Segmenter.fit([left], ())
    grid = PatchGrid.choose(96, 48)
    real = measure_texture(whole_patches(left, grid), segmenter)
    print(f"given back: RMSE {rmse:.4f} of the grey range (<= 0.05)")
    for name, image in (("translated", translated), ("bicubic", bicubic), ("truth", right)):
        gap = texture_gap(measure_texture(whole_patches(image, grid), segmenter), real)
        print(
            f"{name}: two-point RMSE {gap.two_point:.4f}, surface {gap.surface:.1%}, "
            f"fraction {gap.fraction:.4f} from the high-res half (translated below bicubic)"
        )
    rows = [np.kron(low, np.ones((4, 4), np.uint8)), bicubic, translated, right]
    side = min(192, *right.shape)
    sheet = np.stack([image[:side, :side] for image in rows])
    save_sheet(options.sheets / "translation.png", sheet, ImageSet((left,)), 4)


def whole_patches(image: np.ndarray, grid: PatchGrid) -> np.ndarray:
    patches = cut([image], grid)
    return patches.take(range(len(patches)))


def coarsened(image: np.ndarray, factor: int, seed: int) -> np.ndarray:
    """Return an image blurred, averaged over blocks, with noise."""
    blurred = ndimage.gaussian_filter(image.astype(float), 0.5 * factor / 2)
    rows, columns = (size // factor for size in image.shape)
    means = blurred.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    noisy = means + np.random.default_rng(seed).normal(0, LOW_RES_NOISE, means.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
