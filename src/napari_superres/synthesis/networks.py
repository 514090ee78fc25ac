"""Style generator and residual discriminator (Karras et al. 2020a, b).

Legend of shape suffixes: B images, C channels of the image, L layers, Z latent,
W style, Y X pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_superres.synthesis.layers import Conv, Linear, NoisyLayer, StyledConv, activate, enlarge
from napari_superres.synthesis.settings import StyleEngine

SMALLEST = 4
MAPS = 8
"""Maps that a style lays out at each resolution."""
LAID_OUT = 4
"""The style lays out features on grids at least so many times coarser than the image."""
SHADE = 0.1
"""How much the shade adds to grey values that are mixed of levels."""
FINEST_LAID_OUT = 64
"""Finest such grid: a map has as many weights as pixels times the style's size."""


def resolutions(size: int) -> list[int]:
    """Return 4, 8, … `size`."""
    return [2**power for power in range(2, round(math.log2(size)) + 1)]


class Mapping(nn.Module):
    """From a normal z to a style w, layers that learn slowly."""

    def __init__(self, latent: int, layers: int, rate: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Linear(latent, latent, rate=rate) for _ in range(layers))

    def forward(self, z_BZ: Tensor) -> Tensor:
        """Return styles, (B, W)."""
        x = z_BZ * torch.rsqrt(z_BZ.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            x = activate(layer(x))
        return x


class Layout(nn.Module):
    """Feature maps that are a linear function of the style: what lies where.

    Styles that only scale channels have to lay out each image from one constant, which
    takes long to train.
    """

    def __init__(self, latent: int, channels: int, resolution: int) -> None:
        super().__init__()
        self.resolution = resolution
        self.maps = Linear(latent, MAPS * resolution**2)
        self.mixing = Conv(MAPS, channels, 1, bias=False)

    def forward(self, w_BW: Tensor) -> Tensor:
        """Return (B, channels, resolution, resolution)."""
        maps_BMYX = self.maps(w_BW).unflatten(1, (MAPS, self.resolution, self.resolution))
        mixed: Tensor = self.mixing(maps_BMYX)
        return mixed


class Generator(nn.Module):
    """Style-based generator with skip connections.

    Attributes
    ----------
    channels : 1 for grey values in about −1 … 1, else phases (softmax)
    palette : trained levels that grey values are mixed of, with some shade added; None for
        grey values that are the network's output as it is
    """

    def __init__(self, engine: StyleEngine, size: int, channels: int) -> None:
        super().__init__()
        self.size, self.channels, self.latent = size, channels, engine.latent
        self.mapping = Mapping(engine.latent, engine.mapping_layers, engine.mapping_rate)
        widths = {r: engine.channels(r, size) for r in resolutions(size)}
        self.constant = nn.Parameter(torch.randn(1, widths[SMALLEST], SMALLEST, SMALLEST))
        levels = engine.grey_levels if channels == 1 else 0
        self.palette = nn.Parameter(torch.linspace(-1, 1, levels)) if levels else None
        outputs_of_each = levels + 1 if levels else channels
        self.layouts = nn.ModuleList()
        if engine.start == "style":
            self.layouts.extend(
                Layout(engine.latent, width, r)
                for r, width in widths.items()
                if r <= min(max(size // LAID_OUT, SMALLEST), FINEST_LAID_OUT)
            )
        layers, outputs = [], []
        strength = engine.noise_start
        before = widths[SMALLEST]
        for r, width in widths.items():
            if r > SMALLEST:
                layers.append(NoisyLayer(before, width, engine.latent, up=True, strength=strength))
            layers.append(NoisyLayer(width, width, engine.latent, strength=strength))
            outputs.append(
                StyledConv(width, outputs_of_each, engine.latent, kernel=1, demodulate=False)
            )
            before = width
        self.layers, self.outputs = nn.ModuleList(layers), nn.ModuleList(outputs)
        self.output_bias = nn.Parameter(torch.zeros(outputs_of_each))

    @property
    def styles(self) -> int:
        """Layers that take a style, L."""
        return len(self.layers) + 1

    def noise_sizes(self) -> list[int]:
        """Return the side of each layer's noise map."""
        return [r for r in resolutions(self.size) for _ in range(1 if r == SMALLEST else 2)]

    def draw_noise(self, batch: int, random: torch.Generator) -> list[Tensor]:
        """Return a noise map for each layer, (B, 1, Y, X) each, on the device of `random`."""
        return [
            torch.randn((batch, 1, r, r), generator=random, device=random.device)
            for r in self.noise_sizes()
        ]

    def logits(self, w_BLW: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """Return (B, …, Y, X) float32 before the softmax of phases or of grey levels."""
        x = self.constant.expand(len(w_BLW), -1, -1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        image: Tensor | None = None
        index = 0
        for level, output in enumerate(self.outputs):
            for _ in range(1 if level == 0 else 2):
                x = self.layers[index](x, w_BLW[:, index], noise[index])
                index += 1
            if level < len(self.layouts):
                x = x + self.layouts[level](w_BLW[:, index]).to(x.dtype)
            here = output(x, w_BLW[:, index]).float()
            image = here if image is None else enlarge(image) + here
        assert image is not None
        return image + self.output_bias[:, None, None]

    def forward(self, w_BLW: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """Return images (B, C, Y, X) float32: grey values, or probabilities of phases."""
        logits = self.logits(w_BLW, noise)
        if self.channels > 1:
            return torch.softmax(logits, 1)
        if self.palette is None:
            return logits
        shares = torch.softmax(logits[:, :-1], 1)
        mixed_BYX = torch.einsum("blyx,l->byx", shares, self.palette)
        return mixed_BYX[:, None] + SHADE * logits[:, -1:]

    def broadcast(self, w_BW: Tensor) -> Tensor:
        """Return one style for all layers, (B, L, W)."""
        return w_BW[:, None].expand(-1, self.styles, -1)


class ResidualBlock(nn.Module):
    """Two convolutions beside a skip connection, half the resolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = Conv(inputs, inputs, 3)
        self.second = Conv(inputs, outputs, 3, down=True)
        self.skip = Conv(inputs, outputs, 1, down=True, bias=False)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        """Return half the resolution."""
        y = activate(self.second(activate(self.first(x_BCYX))))
        skipped: Tensor = self.skip(x_BCYX)
        return (y + skipped) / math.sqrt(2)


class Discriminator(nn.Module):
    """Residual discriminator that also sees how much the images of a batch differ."""

    def __init__(self, engine: StyleEngine, size: int, channels: int) -> None:
        super().__init__()
        self.group = engine.minibatch_group
        widths = {r: engine.channels(r, size) for r in resolutions(size)}
        sizes = sorted(widths, reverse=True)
        self.first = Conv(channels, widths[size], 1)
        self.blocks = nn.ModuleList(
            ResidualBlock(widths[r], widths[r // 2]) for r in sizes if r > SMALLEST
        )
        width = widths[SMALLEST]
        self.last = Conv(width + 1, width, 3)
        self.dense = Linear(width * SMALLEST**2, width)
        self.score = Linear(width, 1)

    def forward(self, images_BCYX: Tensor) -> Tensor:
        """Return logits, (B,) float32."""
        x = activate(self.first(images_BCYX.contiguous(memory_format=torch.channels_last)))
        for block in self.blocks:
            x = block(x)
        x = activate(self.last(torch.cat([x, self._spread(x).to(x.dtype)], 1)))
        scores: Tensor = self.score(activate(self.dense(x.flatten(1))))
        return scores[:, 0].float()

    def _spread(self, x_BCYX: Tensor) -> Tensor:
        """Return the mean standard deviation over groups of images, (B, 1, Y, X)."""
        batch, _, rows, columns = x_BCYX.shape
        group = math.gcd(batch, self.group)
        grouped = x_BCYX.float().reshape(group, batch // group, -1)
        deviation = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=1)
        return deviation.repeat(group)[:, None, None, None].expand(batch, 1, rows, columns)
