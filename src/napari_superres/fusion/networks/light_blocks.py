"""Blocks that up-sample, and the stages that a scale factor takes.

Legend of shape suffixes: B batch, C channels, O I output and input channels, Z Y X voxels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import Block, Convolution, Noise, NoiseInjection
from napari_superres.scale_factor import ScaleFactor


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

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        y_BCZYX = transposed_convolution(self.conv, x_BCZYX, have, want)
        if self.noise is not None:
            y_BCZYX = self.noise(y_BCZYX, want, noise)
        return F.leaky_relu_(y_BCZYX, 0.2)


def transposed_inputs(out: Box, stride: Sequence[int]) -> Box:
    """Return the inputs that a transposed convolution (k4 s2 or k3 s1 per axis, p1) reads."""
    pairs = [
        (_ceil_div(lo - 2, 2), hi // 2 + 1) if step == 2 else (lo - 1, hi + 1)
        for (lo, hi), step in zip(out.ranges(), stride, strict=True)
    ]
    return Box.of_ranges(pairs)


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
            for (lo, hi), part in zip(
                self.convolution.inputs(out).ranges(), self.factor, strict=True
            )
        ]
        return Box.of_ranges(pairs)

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        middle = self.convolution.inputs(want)
        for axis, ((lo, hi), part) in enumerate(zip(middle.ranges(), self.factor, strict=True)):
            index = [nearest_source(o, part) - have.start[axis] for o in range(lo, hi)]
            x_BCZYX = x_BCZYX.index_select(axis + 2, torch.tensor(index, device=x_BCZYX.device))
        y_BCZYX: Tensor = self.convolution(x_BCZYX, middle, want, noise)
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
