"""Generators between the domains, and patch discriminators.

Legend of shape suffixes: B images, C channels, Y X pixels.

No layer sees a whole image: the norm is taken over the channels of each pixel,
so that a translation does not depend on how an image is cut into tiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.translation.settings import TranslationEngine

SLOPE = 0.2
CERTAINTY = 4.0
"""Logit of a phase that is carried over from the low-res image."""

Noise = Callable[[int, Tensor], Tensor]
"""From a level (0 is the low-res grid) and features (B, C, Y, X) to noise (B, 1, Y, X)."""


def halvings(scale_factor: int) -> int:
    """Return log2 of a scale factor."""
    return round(math.log2(scale_factor))


def down_sample(images_BCYX: Tensor, scale_factor: int) -> Tensor:
    """Return means over blocks of `scale_factor`² pixels: what a low-res pixel sees."""
    return images_BCYX if scale_factor == 1 else F.avg_pool2d(images_BCYX, scale_factor)


class PixelNorm(nn.Module):
    """Divides the channels of each pixel by their root mean square, times a trained gain."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x_BCYX: Tensor) -> Tensor:
        """Return the same shape."""
        scale = torch.rsqrt(x_BCYX.float().square().mean(dim=1, keepdim=True) + 1e-6)
        return x_BCYX * scale.to(x_BCYX.dtype) * self.gain[:, None, None].to(x_BCYX.dtype)


class Residual(nn.Module):
    """x + two convolutions of x; the second starts at a tenth of its usual scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = _conv(channels, channels)
        self.norm = PixelNorm(channels)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        """Return the same shape."""
        y = F.leaky_relu(self.first(self.norm(x_BCYX)), SLOPE)
        change: Tensor = self.second(y)
        return x_BCYX + change


class ToHighRes(nn.Module):
    """G_L2H: convolution, residual blocks at the low-res grid, doublings with noise.

    The result is a change of the enlarged low-res image, so that the network does not
    have to learn what both domains share. `phases` is 0 for grey values.
    """

    def __init__(self, engine: TranslationEngine, scale_factor: int, phases: int) -> None:
        super().__init__()
        self.scale_factor, self.phases = scale_factor, phases
        channels = max(1, phases)
        widths = _widths(engine, scale_factor)
        self.first = _conv(channels, widths[0])
        self.blocks = nn.ModuleList(Residual(widths[0]) for _ in range(engine.residual_blocks))
        self.stages = nn.ModuleList(_conv(wide, narrow) for wide, narrow in pairwise(widths))
        self.refine = nn.ModuleList(Residual(width) for width in widths[1:])
        self.norms = nn.ModuleList(PixelNorm(width) for width in widths)
        self.strengths = nn.Parameter(torch.full((len(widths),), 0.1))
        self.last = _conv(widths[-1], channels)
        with torch.no_grad():
            self.last.weight.mul_(0.1)

    @property
    def halo(self) -> int:
        """Low-res pixels around a tile that its translation depends on."""
        reach = float(1 + 2 * len(self.blocks))
        for level in range(1, len(self.stages) + 1):
            reach += 3 / 2**level
        return math.ceil(reach + 1 / self.scale_factor) + 1

    def forward(self, low_BCYX: Tensor, noise: Noise) -> Tensor:
        """Return (B, C, Y · sf, X · sf) float32: grey values, or probabilities."""
        x = self.first(low_BCYX)
        x = x + (self.strengths[0] * noise(0, x)).to(x.dtype)
        for block in self.blocks:
            x = block(x)
        x = F.leaky_relu(self.norms[0](x), SLOPE)
        for level, (stage, refine) in enumerate(zip(self.stages, self.refine, strict=True), 1):
            x = stage(F.interpolate(x, scale_factor=2, mode="nearest"))
            x = x + (self.strengths[level] * noise(level, x)).to(x.dtype)
            x = F.leaky_relu(self.norms[level](refine(x)), SLOPE)
        change: Tensor = self.last(x).float()
        if self.phases == 0:
            return _enlarged(low_BCYX, self.scale_factor) + change
        carried = CERTAINTY * _enlarged(low_BCYX, self.scale_factor)
        return torch.softmax(carried + change, 1)


class ToLowRes(nn.Module):
    """G_H2L: the mirror of `ToHighRes`, a change of the down-sampled high-res image."""

    def __init__(self, engine: TranslationEngine, scale_factor: int, phases: int) -> None:
        super().__init__()
        self.scale_factor, self.phases = scale_factor, phases
        channels = max(1, phases)
        widths = _widths(engine, scale_factor)[::-1]
        self.first = _conv(channels, widths[0])
        self.stages = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1, padding_mode="replicate")
            for narrow, wide in pairwise(widths)
        )
        self.blocks = nn.ModuleList(Residual(widths[-1]) for _ in range(engine.residual_blocks))
        self.norm = PixelNorm(widths[-1])
        self.strength = nn.Parameter(torch.full((), 0.1))
        self.last = _conv(widths[-1], channels)
        with torch.no_grad():
            self.last.weight.mul_(0.1)

    def forward(self, high_BCYX: Tensor, noise: Noise) -> Tensor:
        """Return (B, C, Y / sf, X / sf) float32."""
        x = F.leaky_relu(self.first(high_BCYX), SLOPE)
        for stage in self.stages:
            x = F.leaky_relu(stage(x), SLOPE)
        for block in self.blocks:
            x = block(x)
        x = x + (self.strength * noise(0, x)).to(x.dtype)
        change: Tensor = self.last(F.leaky_relu(self.norm(x), SLOPE)).float()
        carried = down_sample(high_BCYX, self.scale_factor)
        if self.phases == 0:
            return carried + change
        return torch.softmax(CERTAINTY * carried + change, 1)


class PatchCritic(nn.Module):
    """Judges overlapping patches of an image (PatchGAN), at one or several resolutions.

    `width` is that of the first convolution, `halvings` counts strided ones; each of `scales`
    resolutions is half of the one before.
    """

    def __init__(self, channels: int, width: int, halvings: int, scales: int) -> None:
        super().__init__()
        self.critics = nn.ModuleList(_critic(channels, width, halvings) for _ in range(scales))

    def forward(self, images_BCYX: Tensor) -> list[Tensor]:
        """Return a map of scores for each resolution, float32."""
        scores = []
        for level, critic in enumerate(self.critics):
            if level:
                images_BCYX = F.avg_pool2d(images_BCYX, 2)
            scores.append(critic(images_BCYX).float())
        return scores


def _critic(channels: int, width: int, halvings: int) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE),
    ]  # fmt: skip
    for _ in range(halvings - 1):
        wider = min(2 * width, 512)
        layers += [
            nn.Conv2d(width, wider, 4, stride=2, padding=1),
            nn.GroupNorm(1, wider),
            nn.LeakyReLU(SLOPE),
        ]
        width = wider
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 3, padding=1))


def _widths(engine: TranslationEngine, scale_factor: int) -> list[int]:
    levels = range(halvings(scale_factor) + 1)
    least = min(engine.min_channels, engine.channels)
    return [max(engine.channels >> level, least) for level in levels]


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")


def _enlarged(low_BCYX: Tensor, scale_factor: int) -> Tensor:
    if scale_factor == 1:
        return low_BCYX.float()
    return F.interpolate(
        low_BCYX.float(), scale_factor=scale_factor, mode="bilinear", align_corners=False
    )


class RandomNoise:
    """Fresh Gaussian noise, from a seeded generator."""

    def __init__(self, random: torch.Generator) -> None:
        self.random = random

    def __call__(self, level: int, like_BCYX: Tensor) -> Tensor:
        """Return (B, 1, Y, X) on the device of `like_BCYX`."""
        batch, _, rows, columns = like_BCYX.shape
        return torch.randn(
            (batch, 1, rows, columns), generator=self.random, device=like_BCYX.device
        )
