"""Layers that know which voxels they need: the reason why tiles are exact.

Legend of shape suffixes: B batch, C channels, Z Y X voxels.

Every block is asked two things: which box of its input grid it needs for a box
of its output grid (`inputs`), and to compute that output box from features that
cover the needed one (`forward`). Convolutions are valid, never padded, so a
voxel's value does not depend on the tile it is computed in. Where a network
pads at the volume's faces (the paper's does), the caller replicates the border
of the features just there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from fractions import Fraction
from typing import Protocol

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

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        """Return the features of `out`; `x_BCZYX` covers exactly `inputs(out)`."""
        raise NotImplementedError


class Keep(Block):
    """Remember the features here, for the matching `AddKept` (a skip's beginning)."""

    def inputs(self, out: Box) -> Box:
        return out


class AddKept(Block):
    """Add the features remembered last (a skip's end)."""

    def __init__(self, *, relu: bool) -> None:
        super().__init__()
        self.relu = relu

    def inputs(self, out: Box) -> Box:
        return out

    def add(self, x_BCZYX: Tensor, kept_BCZYX: Tensor) -> Tensor:
        """Return the sum, through a ReLU where the block has one."""
        y_BCZYX = x_BCZYX + kept_BCZYX
        return F.relu(y_BCZYX) if self.relu else y_BCZYX


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
    """3³ convolution, optional noise, leaky ReLU; optionally added to its input."""

    def __init__(
        self, c_in: int, c_out: int, noise_layer: int | None, *, residual: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, c_out, 3)
        self.noise = None if noise_layer is None else NoiseInjection(noise_layer, c_out)
        self.residual = residual
        nn.init.kaiming_normal_(self.conv.weight, 0.2)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def inputs(self, out: Box) -> Box:
        return out.grown(1)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        y_BCZYX: Tensor = self.conv(x_BCZYX)
        if self.noise is not None:
            y_BCZYX = self.noise(y_BCZYX, out, noise)
        y_BCZYX = F.leaky_relu_(y_BCZYX, 0.2)
        if self.residual:
            y_BCZYX = add_to(y_BCZYX, x_BCZYX[..., 1:-1, 1:-1, 1:-1])
        return y_BCZYX


class UpConvolution(Block):
    """Up-sampling by 1 or 2 per axis and convolution in one transposed convolution.

    Nearest ×2 followed by a 3³ convolution is a transposed convolution of size 4
    and stride 2 with 8 instead of 27 products a voxel; it starts as exactly that.
    """

    def __init__(self, c_in: int, c_out: int, factor: ScaleFactor, noise_layer: int | None) -> None:
        super().__init__()
        self.factor = factor
        self.stride = tuple(int(part) for part in factor)
        kernel = tuple(4 if stride == 2 else 3 for stride in self.stride)
        self.conv = nn.ConvTranspose3d(c_in, c_out, kernel, self.stride)  # type: ignore[arg-type]
        self.noise = None if noise_layer is None else NoiseInjection(noise_layer, c_out)
        weight = torch.empty(c_out, c_in, 3, 3, 3)
        nn.init.kaiming_normal_(weight, 0.2)
        with torch.no_grad():
            self.conv.weight.copy_(_nearest_then_conv(weight, self.stride))
            self.conv.bias.zero_()  # type: ignore[union-attr]

    def inputs(self, out: Box) -> Box:
        return transposed_inputs(out, self.stride)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        y_BCZYX = transposed_convolution(self.conv, x_BCZYX, self.inputs(out), out)
        if self.noise is not None:
            y_BCZYX = self.noise(y_BCZYX, out, noise)
        return F.leaky_relu_(y_BCZYX, 0.2)


def transposed_inputs(out: Box, stride: Sequence[int]) -> Box:
    """Return the inputs that a transposed convolution (k4 s2 or k3 s1 per axis, p1) reads."""
    pairs = [
        (_ceil_div(lo - 2, 2), hi // 2 + 1) if step == 2 else (lo - 1, hi + 1)
        for (lo, hi), step in zip(out.ranges(), stride, strict=True)
    ]
    return _box(pairs)


def transposed_convolution(
    conv: nn.ConvTranspose3d, x_BCZYX: Tensor, have: Box, out: Box
) -> Tensor:
    """Return the box `out` of a transposed convolution (k4 s2 or k3 s1 per axis, p1).

    `x_BCZYX` covers `have`. Output o reads the inputs i = (o + 1 − tap) / stride;
    what lies outside `out` on both sides is not computed.
    """
    first = [stride * lo - 1 for stride, lo in zip(conv.stride, have.start, strict=True)]
    last = [
        stride * (hi - 1) - 2 + size
        for stride, hi, size in zip(conv.stride, have.stop, conv.kernel_size, strict=True)
    ]
    # cutting 3 makes the gradient nearly three times slower than cutting 2 (oneDNN, bfloat16)
    most = 2 if torch.is_grad_enabled() else 3
    spare = [
        min(lo - begin, end - (hi - 1), most)
        for (lo, hi), begin, end in zip(out.ranges(), first, last, strict=True)
    ]
    y_BCZYX = F.conv_transpose3d(x_BCZYX, conv.weight, conv.bias, conv.stride, spare)
    have_z, have_y, have_x = (begin + cut for begin, cut in zip(first, spare, strict=True))
    start = have_z, have_y, have_x
    if not torch.is_grad_enabled() or y_BCZYX.shape[2:] == out.shape:
        return y_BCZYX[(..., *out.slices(start))]
    # a slice's gradient would lose the layout of the channels
    ends = zip(out.ranges(), start, y_BCZYX.shape[2:], strict=True)
    cuts = [(begin - lo, hi - begin - size) for (lo, hi), begin, size in ends]
    return F.pad(y_BCZYX, [cut for pair in reversed(cuts) for cut in pair])


class NearestConvolution(Block):
    """Nearest up-sampling by any factor, then a convolution with noise."""

    def __init__(self, c_in: int, c_out: int, factor: ScaleFactor, noise_layer: int | None) -> None:
        super().__init__()
        self.factor = factor
        self.convolution = Convolution(c_in, c_out, noise_layer)

    def inputs(self, out: Box) -> Box:
        pairs = [
            (nearest_source(lo, part), nearest_source(hi - 1, part) + 1)
            for (lo, hi), part in zip(out.grown(1).ranges(), self.factor, strict=True)
        ]
        return _box(pairs)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        origin = self.inputs(out).start
        for axis, ((lo, hi), part) in enumerate(
            zip(out.grown(1).ranges(), self.factor, strict=True)
        ):
            index = [nearest_source(o, part) - origin[axis] for o in range(lo, hi)]
            x_BCZYX = x_BCZYX.index_select(axis + 2, torch.tensor(index, device=x_BCZYX.device))
        y_BCZYX: Tensor = self.convolution(x_BCZYX, out, noise)
        return y_BCZYX


def up_convolution(
    c_in: int, c_out: int, factor: ScaleFactor, noise_layer: int | None
) -> UpConvolution | NearestConvolution:
    """Return the cheapest up-sampling block for a factor of at most 2 per axis."""
    kind = UpConvolution if all(part in (1, 2) for part in factor) else NearestConvolution
    return kind(c_in, c_out, factor, noise_layer)


def nearest_source(out: int, factor: Fraction) -> int:
    """Return the input voxel whose centre region holds the centre of output voxel `out`."""
    return math.floor((2 * out + 1) / (2 * factor))


def factor_stages(scale_factor: ScaleFactor) -> list[ScaleFactor]:
    """Split a scale factor into up-sampling stages of at most 2 per axis, coarse first.

    An axis that needs fewer stages than another starts later; what is no power of
    two remains for the last stage: 16/3 → 2, 2, 4/3.
    """
    per_axis = []
    for remaining in scale_factor:
        stages = []
        while remaining > 2:
            stages.append(Fraction(2))
            remaining = remaining / 2
        if remaining > 1:
            stages.append(remaining)
        per_axis.append(stages)
    depth = max(len(stages) for stages in per_axis)
    padded = [[Fraction(1)] * (depth - len(stages)) + stages for stages in per_axis]
    return [(padded[0][i], padded[1][i], padded[2][i]) for i in range(depth)]


def add_to(sum_BCZYX: Tensor, x_BCZYX: Tensor) -> Tensor:
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


def _nearest_then_conv(weight_OIZYX: Tensor, stride: Sequence[int]) -> Tensor:
    """Return the transposed-convolution weight (I, O, …) of nearest up-sampling, then conv.

    Output o of a transposed convolution reads input i with tap k = o + 1 − stride·i.
    Nearest ×2 then conv reads, with tap t of 3, input ⌊(o + t − 1)/2⌋: taps that meet
    the same input add up.
    """
    out = weight_OIZYX
    for axis, step in enumerate(stride):
        dim = axis + 2
        t0, t1, t2 = out.unbind(dim)
        if step == 2:
            out = torch.stack([t2, t1 + t2, t0 + t1, t0], dim)
        else:
            out = torch.stack([t2, t1, t0], dim)
    return out.transpose(0, 1)


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def _box(pairs: Sequence[tuple[int, int]]) -> Box:
    (z0, z1), (y0, y1), (x0, x1) = pairs
    return Box((z0, y0, x0), (z1, y1, x1))
