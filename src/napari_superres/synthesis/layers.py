"""Layers of the style-based networks, written from Karras et al. 2020a (StyleGAN2).

Legend of shape suffixes: B images, C D channels, W style, Y X pixels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
GAIN = math.sqrt(2)
"""Keeps the variance of what passes a leaky ReLU."""


def activate(x: Tensor) -> Tensor:
    """Return the scaled leaky ReLU of `x`."""
    return F.leaky_relu(x, SLOPE) * GAIN


def blur(x_BCYX: Tensor, stride: int = 1, before: int = 1, after: int = 1) -> Tensor:
    """Filter with the binomial kernel [1, 3, 3, 1]² / 64, padded by zeros `before` and `after`."""
    if stride > 1 and x_BCYX.dtype == torch.bfloat16 and x_BCYX.device.type == "cpu":
        # its gradient in bfloat16 takes 13 times as long as in float32
        with torch.autocast("cpu", enabled=False):
            return blur(x_BCYX.float(), stride, before, after).to(x_BCYX.dtype)
    channels = x_BCYX.shape[1]
    row = torch.tensor([1.0, 3.0, 3.0, 1.0], device=x_BCYX.device, dtype=x_BCYX.dtype) / 8
    kernel = (row[:, None] * row).expand(channels, 1, 4, 4)
    if before == after:
        return F.conv2d(x_BCYX, kernel, stride=stride, padding=before, groups=channels)
    padded = F.pad(x_BCYX, (before, after, before, after))
    return F.conv2d(padded, kernel, stride=stride, groups=channels)


def enlarge(x_BCYX: Tensor) -> Tensor:
    """Return twice the resolution, interpolated with the binomial kernel."""
    return F.interpolate(x_BCYX, scale_factor=2, mode="bilinear", align_corners=False)


class Linear(nn.Module):
    """A fully connected layer with equalised learning rate (Karras et al. 2018, 4.1).

    `bias` is its start, `rate` its learning rate relative to the optimiser's.
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.rate = rate
        self.scale = rate / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, outputs)."""
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class Conv(nn.Module):
    """A convolution with equalised learning rate; `down` blurs and halves the resolution."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, down: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.kernel, self.down = kernel, down
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x_BCYX: Tensor) -> Tensor:
        """Return (B, outputs, Y, X), or half of each size."""
        weight = self.weight * self.scale
        if not self.down:
            return F.conv2d(x_BCYX, weight, self.bias, padding=self.kernel // 2)
        if self.kernel == 1:
            return F.conv2d(blur(x_BCYX, stride=2), weight, self.bias)
        return F.conv2d(blur(x_BCYX, before=2, after=2), weight, self.bias, stride=2)


class StyledConv(nn.Module):
    """A convolution modulated by a style, its weights demodulated (Karras et al. 2020a, eq. 1, 3).

    The style, of size `latent`, scales the input's channels; dividing the output's channels by
    the expected norm is the same as demodulating the weights of each image, without a
    convolution of its own for each. `up` doubles the resolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        latent: int,
        kernel: int = 3,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.up, self.demodulate, self.kernel = up, demodulate, kernel
        self.style = Linear(latent, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))

    def forward(self, x_BCYX: Tensor, w_BW: Tensor) -> Tensor:
        """Return (B, outputs, Y, X), or twice each size."""
        style_BC = self.style(w_BW)
        weight = self.weight * self.scale
        x = x_BCYX * style_BC[:, :, None, None].to(x_BCYX.dtype)
        if self.up:
            # strided convolution transposed: four times cheaper than enlarging first
            x = F.conv_transpose2d(x, 4 * weight.transpose(0, 1), stride=2)
            x = blur(x)
        else:
            x = F.conv2d(x, weight, padding=self.kernel // 2)
        if self.demodulate:
            energy_DC = weight.float().square().sum(dim=(2, 3))
            norm_BD = torch.rsqrt(F.linear(style_BC.float().square(), energy_DC) + 1e-8)
            x = x * norm_BD[:, :, None, None].to(x.dtype)
        return x


class NoisyLayer(nn.Module):
    """Styled convolution, noise of a learned strength, bias, activation."""

    def __init__(
        self, inputs: int, outputs: int, latent: int, up: bool = False, strength: float = 0.0
    ) -> None:
        super().__init__()
        self.convolution = StyledConv(inputs, outputs, latent, up=up)
        self.strength = nn.Parameter(torch.tensor(float(strength)))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x_BCYX: Tensor, w_BW: Tensor, noise_B1YX: Tensor) -> Tensor:
        """Return (B, outputs, Y, X)."""
        x = self.convolution(x_BCYX, w_BW)
        x = x + (self.strength * noise_B1YX).to(x.dtype) + self.bias[:, None, None].to(x.dtype)
        return activate(x)
