"""Small generators with random weights whose labels are well mixed, and volumes for them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_superres.config import PRESETS, EngineSettings, Preset
from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import OutputConvolution
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.generator import Generator
from napari_superres.generation.noise import NoiseField
from napari_superres.generation.renderer import Renderer
from napari_superres.scale_factor import parse_scale_factor

LIGHT = PRESETS[Preset.QUICK].replace(channels=4, max_channels=8)


def low_res(shape: tuple[int, int, int], seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)


def mixed_generator(
    scale_factor: str, settings: EngineSettings = LIGHT, seed: int = 0
) -> Generator:
    """Return a generator whose three phases all appear: their logits have one mean and spread."""
    torch.manual_seed(seed)
    generator = build_generator(settings, parse_scale_factor(scale_factor), 2, 3).eval()
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.normal_(module.weight, 1, 0.2)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    last = generator.blocks[-1]
    assert isinstance(last, OutputConvolution)
    with torch.no_grad():
        labels = low_res((6, 6, 6))
        whole = Box.whole([int(6 * factor) for factor in generator.scale_factor])
        one_hot = Renderer(generator, labels, "cpu", "float32")._one_hot(
            generator.low_res_box(whole, labels.shape)
        )
        logits = generator.logits(one_hot, whole, labels.shape, NoiseField(0))
        spread = logits.std((0, 2, 3, 4))
        last.conv.bias.sub_(logits.mean((0, 2, 3, 4))).div_(spread)
        last.conv.weight.div_(spread.view(-1, 1, 1, 1, 1))
    return generator
