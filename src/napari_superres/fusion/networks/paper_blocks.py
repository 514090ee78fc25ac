"""The layers of the paper's generator (Dahari et al. 2022, SI Figure 13).

All convolutions are 3³ with bias; batch normalisation after each but the last;
replicate padding at the faces of the volume, but none for the transposed convolution;
trilinear up-sampling with align_corners=False.

Legend of shape suffixes: B batch, C channels, Z Y X voxels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import Block, Noise, Residual, replicate_to
from napari_superres.fusion.networks.light_blocks import transposed_convolution, transposed_inputs
from napari_superres.fusion.networks.trilinear import (
    coarse_box,
    convolve_on_coarse_grid,
    fine_box,
    up_sample,
)
from napari_superres.scale_factor import ScaleFactor

LEAST_GAIN = 2
"""Fine voxels per coarse voxel from which a convolution on the coarse grid is faster."""


class NormConvolution(Block):
    """3³ convolution, batch normalisation, and ReLU unless `relu` is off."""

    def __init__(self, c_in: int, c_out: int, *, relu: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, c_out, 3)
        self.norm = nn.BatchNorm3d(c_out)
        self.relu = relu

    def inputs(self, out: Box) -> Box:
        return out.grown(1)

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        y_BCZYX = self.norm(self.conv(replicate_to(x_BCZYX, have, self.inputs(want))))
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

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        return F.relu_(self.norm(transposed_convolution(self.conv, x_BCZYX, have, want)))


class UpSampledConvolution(Block):
    """Trilinear up-sampling by any factor, then 3³ convolution, norm, ReLU.

    Attributes
    ----------
    on_coarse_grid : whether, on the CPU, the convolution is done before the up-sampling;
        sums then depend on the crop's size, so generation in tiles has it off
    """

    on_coarse_grid = True

    def __init__(self, c_in: int, c_out: int, factor: ScaleFactor) -> None:
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv3d(c_in, c_out, 3)
        self.norm = nn.BatchNorm3d(c_out)

    def inputs(self, out: Box) -> Box:
        return coarse_box(out.grown(1), self.factor)

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        # `have` ends early only at the volume's faces, so what lies over it is in the volume
        middle = want.grown(1).within(fine_box(have, self.factor))
        gains = math.prod(self.factor) >= LEAST_GAIN
        if self.on_coarse_grid and gains and x_BCZYX.device.type == "cpu":
            y_BCZYX = convolve_on_coarse_grid(x_BCZYX, self.conv, self.factor, have, middle, want)
        else:
            needed = coarse_box(middle, self.factor)
            x_BCZYX = up_sample(replicate_to(x_BCZYX, have, needed), self.factor, needed, middle)
            y_BCZYX = self.conv(replicate_to(x_BCZYX, middle, want.grown(1)))
        return F.relu_(self.norm(y_BCZYX))


Normed = NormConvolution | TransposedConvolution | UpSampledConvolution
"""A convolution with a batch normalisation after it."""


def paper_width(scale_factor: ScaleFactor) -> int:
    """Return the width C0 at the low-res grid: 2^(7 + int(log2(sf − 1e-4)))."""
    return int(2 ** (7 + int(math.log2(float(max(scale_factor)) - 1e-4))))


def paper_blocks(
    input_channels: int, scale_factor: ScaleFactor, residual_blocks: int
) -> list[Block]:
    """Return the paper's layers but the last convolution, in order; that has 64 inputs.

    The paper has one residual block. Factors above 8 get one more trilinear stage.
    """
    width = paper_width(scale_factor)
    remaining = scale_factor
    blocks: list[Block] = [NormConvolution(input_channels, width)]
    residuals = [
        Residual(
            [NormConvolution(width, width), NormConvolution(width, width, relu=False)], relu=True
        )
        for _ in range(residual_blocks)
    ]
    blocks.append(Residual(residuals))
    while max(remaining) > 4:
        stage, remaining = _take_up_to_two(remaining)
        blocks.append(UpSampledConvolution(width, width // 2, stage))
        width //= 2
    if max(remaining) > 2:
        stage, remaining = _take_two(remaining)
        blocks.append(TransposedConvolution(width, 128, stage))
        width = 128
    blocks.append(UpSampledConvolution(width, 64, remaining))
    return blocks


def saved_names(blocks: Sequence[Block]) -> dict[str, str]:
    """Return path of a layer : the name of its tensors in a checkpoint.

    Checkpoints count the layers as version 0.1 did: in one flat list, with a layer at each
    end of a residual branch, and up-sampling apart from the convolution after it.
    """
    flat = enumerate(_flat_paths(blocks, "blocks"))
    return {path: f"blocks.{number}" for number, path in flat if path is not None}


def _flat_paths(blocks: Sequence[Block], path: str) -> Iterator[str | None]:
    """Yield the path of each layer of version 0.1's list, None for one without tensors."""
    for number, block in enumerate(blocks):
        here = f"{path}.{number}"
        if isinstance(block, Residual):
            yield None
            yield from _flat_paths(block.branch, f"{here}.branch")
            yield None
        else:
            if isinstance(block, UpSampledConvolution):
                yield None
            yield here


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
