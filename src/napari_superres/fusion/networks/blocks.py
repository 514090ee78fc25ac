"""Layers that know which voxels they need: this makes tiles exact.

Legend of shape suffixes: B batch, C channels, Z Y X voxels.

A block answers two calls: which box of its input grid it needs for a box of its
output grid (`inputs`), and the features of that output box (`forward`). Convolutions
are valid, never padded, so a voxel's value does not depend on the tile it is computed
in. Where a network pads at the faces of the volume (the paper's does), a block
repeats the border of its input there.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from contextlib import nullcontext
from fractions import Fraction
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.scale_factor import ScaleFactor


class Noise(Protocol):
    """A source of unit-variance noise for one box of one layer."""

    def __call__(self, layer: int, box: Box, like_BCZYX: Tensor) -> Tensor:
        """Return noise of shape (B, 1, *box.shape), on the device of `like_BCZYX`."""
        ...


class Block(nn.Module):
    """A layer, or a few, between two grids."""

    factor: ScaleFactor = (Fraction(1), Fraction(1), Fraction(1))
    """Output voxels per input voxel, zyx."""

    def inputs(self, out: Box) -> Box:
        """Return the box of the input grid that `out` depends on."""
        raise NotImplementedError

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        """Return the features of `want`; `x_BCZYX` covers `have`.

        `have` is `inputs(want)`. In a padded network it is the part of that inside the
        volume, and the block makes up for the rest.
        """
        raise NotImplementedError


class Residual(Block):
    """A chain of blocks on one grid, added to its input; then ReLU where asked for."""

    def __init__(self, branch: Sequence[Block], *, relu: bool = False) -> None:
        super().__init__()
        self.branch = chain_of(branch)
        self.relu = relu

    def inputs(self, out: Box) -> Box:
        for block in reversed(self.branch):
            out = block.inputs(out)
        return out

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        boxes = [want]
        for block in reversed(self.branch):
            boxes.insert(0, block.inputs(boxes[0]).within(have))
        y_BCZYX = x_BCZYX
        for block, covered, wanted in zip(self.branch, boxes, boxes[1:], strict=False):
            y_BCZYX = block(y_BCZYX, covered, wanted, noise)
        y_BCZYX = _add_to(y_BCZYX, crop_to(x_BCZYX, have, want))
        return F.relu(y_BCZYX) if self.relu else y_BCZYX


def chain_of(blocks: Sequence[Block]) -> MutableSequence[Block]:
    """Return a `ModuleList` of blocks, which torch's types would call a list of any modules."""
    return cast("MutableSequence[Block]", nn.ModuleList(blocks))


class NoiseInjection(nn.Module):
    """Add fresh spatial noise with a learned strength per channel."""

    def __init__(self, layer: int, channels: int) -> None:
        super().__init__()
        self.layer = layer
        self.strength = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x_BCZYX: Tensor, box: Box, noise: Noise) -> Tensor:
        """Return `x_BCZYX` plus noise of the box it covers."""
        noise_B1ZYX = noise(self.layer, box, x_BCZYX).to(x_BCZYX.dtype)
        strength = self.strength.to(x_BCZYX.dtype)
        if torch.is_grad_enabled() or x_BCZYX.device.type != "cpu":
            return torch.addcmul(x_BCZYX, noise_B1ZYX, strength.view(1, -1, 1, 1, 1))
        # As a product of matrices: 5 to 20 times faster on the CPU, but not its gradient.
        x_BZYXC = x_BCZYX.permute(0, 2, 3, 4, 1)
        rows = x_BZYXC.reshape(-1, len(strength))
        rows.addmm_(noise_B1ZYX.reshape(-1, 1), strength.view(1, -1))
        return rows.view(x_BZYXC.shape).permute(0, 4, 1, 2, 3)


class Convolution(Block):
    """3³ convolution, optional noise, leaky ReLU."""

    def __init__(self, c_in: int, c_out: int, noise_layer: int | None) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, c_out, 3)
        self.noise = None if noise_layer is None else NoiseInjection(noise_layer, c_out)
        nn.init.kaiming_normal_(self.conv.weight, 0.2)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def inputs(self, out: Box) -> Box:
        return out.grown(1)

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        y_BCZYX: Tensor = self.conv(x_BCZYX)
        if self.noise is not None:
            y_BCZYX = self.noise(y_BCZYX, want, noise)
        return F.leaky_relu_(y_BCZYX, 0.2)


class OutputConvolution(Block):
    """The last 3³ convolution, to one logit per phase."""

    def __init__(self, c_in: int, phases: int, scale: float) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, phases, 3)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="linear")
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.conv.weight.mul_(scale)

    def inputs(self, out: Box) -> Box:
        return out.grown(1)

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        result: Tensor = self.conv(replicate_to(x_BCZYX, have, self.inputs(want)))
        return result


def _add_to(sum_BCZYX: Tensor, x_BCZYX: Tensor) -> Tensor:
    """Return a sum, in the memory of its first term where no gradient needs that."""
    return sum_BCZYX + x_BCZYX if torch.is_grad_enabled() else sum_BCZYX.add_(x_BCZYX)


def crop_to(x_BCZYX: Tensor, have: Box, want: Box) -> Tensor:
    """Return the part `want` of features that cover `have`."""
    return x_BCZYX[(..., *want.slices(have.start))]


def replicate_to(x_BCZYX: Tensor, have: Box, want: Box) -> Tensor:
    """Grow features that cover `have` to `want` by repeating their border voxels."""
    if have == want:
        return x_BCZYX
    pad = []
    for (lo, hi), (w_lo, w_hi) in reversed(list(zip(have.ranges(), want.ranges(), strict=True))):
        pad += [lo - w_lo, w_hi - hi]
    device = x_BCZYX.device.type
    autocast = torch.autocast(device, enabled=False) if device in ("cpu", "cuda") else nullcontext()
    with autocast:  # or it makes float32 of bfloat16, twice the memory
        return F.pad(x_BCZYX, pad, mode="replicate")
