"""The noise of training; that of generation is `generation/noise.py`.

Legend of shape suffixes: B crops, C channels, Z Y X voxels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_superres.data.boxes import Box


class RandomNoise:
    """Fresh Gaussian noise for each box, from a seeded generator."""

    def __init__(self, random: torch.Generator) -> None:
        self.random = random

    def __call__(self, layer: int, box: Box, like_BCZYX: Tensor) -> Tensor:
        """Return (B, 1, *box.shape) on the device of `like_BCZYX`."""
        return torch.randn(
            (len(like_BCZYX), 1, *box.shape), generator=self.random, device=like_BCZYX.device
        )
