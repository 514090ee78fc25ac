"""The layers of the paper's generator (Dahari et al. 2022, SI Figure 13).

All convolutions are 3³ with bias; batch normalisation after each but the last;
replicate padding at the faces of the volume (done by `Generator`), nothing beyond
them for the transposed convolution; trilinear up-sampling with align_corners=False.
"""

from __future__ import annotations

import math
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import AddKept, Block, Keep, Noise
from napari_superres.fusion.networks.coarse_grid import lower_source, trilinear_convolution
from napari_superres.fusion.networks.light_blocks import transposed_convolution, transposed_inputs
from napari_superres.scale_factor import ScaleFactor


def paper_width(scale_factor: ScaleFactor) -> int:
    """Return the width C0 at the low-res grid: 2^(7 + int(log2(sf − 1e-4)))."""
    return int(2 ** (7 + int(math.log2(float(max(scale_factor)) - 1e-4))))


class NormConvolution(Block):
    """3³ convolution, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(self, c_in: int, c_out: int, *, relu: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, c_out, 3)
        self.norm = nn.BatchNorm3d(c_out)
        self.relu = relu

    def inputs(self, out: Box) -> Box:
        return out.grown(1)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        return self.finish(self.conv(x_BCZYX))

    def up_sampled(
        self, x_BCZYX: Tensor, factor: ScaleFactor, have: Box, middle: Box, out: Box
    ) -> Tensor:
        """Return what `Trilinear` and this block give; see `trilinear_convolution`."""
        return self.finish(trilinear_convolution(x_BCZYX, self.conv, factor, have, middle, out))

    def finish(self, y_BCZYX: Tensor) -> Tensor:
        """Return what comes after the convolution."""
        y_BCZYX = self.norm(y_BCZYX)
        return F.relu_(y_BCZYX) if self.relu else y_BCZYX


class TransposedConvolution(Block):
    """Transposed convolution k4 s2 p1 (k3 s1 p1 on axes of factor 1), norm, ReLU."""

    def __init__(self, c_in: int, c_out: int, factor: ScaleFactor) -> None:
        super().__init__()
        self.factor = factor
        self.stride = tuple(int(part) for part in factor)
        kernel = tuple(4 if stride == 2 else 3 for stride in self.stride)
        self.conv = nn.ConvTranspose3d(c_in, c_out, kernel, self.stride)  # type: ignore[arg-type]
        self.norm = nn.BatchNorm3d(c_out)

    def inputs(self, out: Box) -> Box:
        return transposed_inputs(out, self.stride)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        return self.up_sampled(x_BCZYX, self.inputs(out), out)

    def up_sampled(self, x_BCZYX: Tensor, have: Box, out: Box) -> Tensor:
        """Return the features of `out`; beyond `have`, at the volume's faces, there is nothing."""
        y_BCZYX = transposed_convolution(self.conv, x_BCZYX, have, out)
        return F.relu_(self.norm(y_BCZYX))


class Trilinear(Block):
    """Trilinear up-sampling by any factor, align_corners=False."""

    def __init__(self, factor: ScaleFactor) -> None:
        super().__init__()
        self.factor = factor

    def inputs(self, out: Box) -> Box:
        z, y, x = (
            (lower_source(lo, part)[0], lower_source(hi - 1, part)[0] + 2)
            for (lo, hi), part in zip(out.ranges(), self.factor, strict=True)
        )
        return Box((z[0], y[0], x[0]), (z[1], y[1], x[1]))

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        origin = self.inputs(out).start
        for axis, ((lo, hi), part) in enumerate(zip(out.ranges(), self.factor, strict=True)):
            if part == 1:
                x_BCZYX = x_BCZYX.narrow(axis + 2, lo - origin[axis], hi - lo)
                continue
            pairs = [lower_source(index, part) for index in range(lo, hi)]
            lower = torch.tensor([pair[0] - origin[axis] for pair in pairs], device=x_BCZYX.device)
            shape = [1, 1, 1, 1, 1]
            shape[axis + 2] = hi - lo
            weight = torch.tensor(
                [float(pair[1]) for pair in pairs], dtype=x_BCZYX.dtype, device=x_BCZYX.device
            ).view(shape)
            x_BCZYX = torch.lerp(
                x_BCZYX.index_select(axis + 2, lower),
                x_BCZYX.index_select(axis + 2, lower + 1),
                weight,
            )
        return x_BCZYX


def paper_blocks(
    input_channels: int, scale_factor: ScaleFactor, residual_blocks: int
) -> list[Block]:
    """Return the paper's layers but the last convolution, in order; that has 64 inputs.

    Parameters
    ----------
    input_channels : low-res phases plus one of noise
    scale_factor : per axis; factors above 8 get one more trilinear stage
    residual_blocks : 1 in the paper
    """
    width = paper_width(scale_factor)
    remaining = scale_factor
    blocks: list[Block] = [NormConvolution(input_channels, width), Keep()]
    for _ in range(residual_blocks):
        blocks += [
            Keep(),
            NormConvolution(width, width),
            NormConvolution(width, width, relu=False),
            AddKept(relu=True),
        ]
    blocks.append(AddKept(relu=False))
    while max(remaining) > 4:
        stage, remaining = _take_up_to_two(remaining)
        blocks += [Trilinear(stage), NormConvolution(width, width // 2)]
        width //= 2
    if max(remaining) > 2:
        stage, remaining = _take_two(remaining)
        blocks.append(TransposedConvolution(width, 128, stage))
        width = 128
    blocks += [Trilinear(remaining), NormConvolution(width, 64)]
    return blocks


def _take_up_to_two(remaining: ScaleFactor) -> tuple[ScaleFactor, ScaleFactor]:
    stage = tuple(min(part, Fraction(2)) for part in remaining)
    return _split(remaining, stage)


def _take_two(remaining: ScaleFactor) -> tuple[ScaleFactor, ScaleFactor]:
    """Take 2 from each axis that has it (a transposed convolution has whole strides)."""
    stage = tuple(Fraction(2) if part >= 2 else Fraction(1) for part in remaining)
    return _split(remaining, stage)


def _split(remaining: ScaleFactor, stage: tuple[Fraction, ...]) -> tuple[ScaleFactor, ScaleFactor]:
    z, y, x = stage
    rest = tuple(r / s for r, s in zip(remaining, stage, strict=True))
    return (z, y, x), (rest[0], rest[1], rest[2])
