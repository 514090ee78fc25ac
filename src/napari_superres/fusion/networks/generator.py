"""The generator: low-res one-hot plus noise in, high-res phase probabilities out.

Legend of shape suffixes: B batch, C channels, M low-res phases, N high-res
phases, Z Y X voxels. Which blocks there are to chain, see `generator_designs.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import (
    AddKept,
    Block,
    Keep,
    Noise,
    crop_to,
    replicate_to,
)
from napari_superres.fusion.networks.paper_blocks import (
    NormConvolution,
    TransposedConvolution,
    Trilinear,
)
from napari_superres.scale_factor import ScaleFactor, super_res_shape

LEAST_GAIN = 2
"""Up-sampling by fewer voxels than this is not worth the detour over the coarse grid."""


class Generator(nn.Module):
    """A chain of blocks from the low-res grid to the high-res grid.

    Attributes
    ----------
    padded : whether features are replicated at the volume's faces (the paper's
        network); otherwise the low-res labels are, by whoever reads them
    on_coarse_grid : whether, on the CPU, the convolution after a trilinear up-sampling
        is done before it, for crops; sums then depend on the crop's size, so a
        generator made ready for tiles has it off
    """

    on_coarse_grid = True

    def __init__(
        self,
        blocks: Sequence[Block],
        scale_factor: ScaleFactor,
        low_phases: int,
        high_phases: int,
        *,
        padded: bool,
        input_noise: bool,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.scale_factor = scale_factor
        self.low_phases = low_phases
        self.high_phases = high_phases
        self.padded = padded
        self.input_noise = input_noise

    def boxes(self, out: Box, low_res_shape: Sequence[int]) -> list[Box]:
        """Return the box to compute on each block's input grid, then `out` itself.

        Parameters
        ----------
        out : voxels wanted, on the high-res grid
        low_res_shape : of the whole low-res volume, zyx; bounds a padded network
        """
        boxes = [out]
        cumulative = list(self.scale_factor)
        for block in reversed(list(self.blocks)):
            assert isinstance(block, Block)
            needed = block.inputs(boxes[0])
            cumulative = [c / f for c, f in zip(cumulative, block.factor, strict=True)]
            if self.padded:
                grid: ScaleFactor = (cumulative[0], cumulative[1], cumulative[2])
                needed = needed.within(Box.whole(super_res_shape(low_res_shape, grid)))
            boxes.insert(0, needed)
        return boxes

    def low_res_box(self, out: Box, low_res_shape: Sequence[int]) -> Box:
        """Return the low-res voxels that `out` depends on, real context included."""
        return self.boxes(out, low_res_shape)[0]

    def forward(
        self, low_res_BMZYX: Tensor, out: Box, low_res_shape: Sequence[int], noise: Noise
    ) -> Tensor:
        """Return phase probabilities of a box of the high-res grid.

        Parameters
        ----------
        low_res_BMZYX : one-hot low-res phases covering `low_res_box(out, …)`
        out : voxels wanted, on the high-res grid
        low_res_shape : of the whole low-res volume, zyx
        noise : source of noise

        Returns
        -------
        (B, N, Z, Y, X) float32, adding up to 1 over N
        """
        return torch.softmax(self.logits(low_res_BMZYX, out, low_res_shape, noise), 1)

    def logits(
        self, low_res_BMZYX: Tensor, out: Box, low_res_shape: Sequence[int], noise: Noise
    ) -> Tensor:
        """Return what `forward` does, before the softmax, float32."""
        boxes = self.boxes(out, low_res_shape)
        x_BCZYX = low_res_BMZYX
        if self.input_noise:
            x_BCZYX = torch.cat([x_BCZYX, noise(0, boxes[0], x_BCZYX).to(x_BCZYX.dtype)], 1)
        if x_BCZYX.device.type in ("cpu", "cuda"):
            x_BCZYX = x_BCZYX.contiguous(memory_format=torch.channels_last_3d)
        kept: list[tuple[Tensor, Box]] = []
        up: tuple[Trilinear, Box] | None = None
        for block, have, want in zip(self.blocks, boxes, boxes[1:], strict=False):
            assert isinstance(block, Block)
            if up is not None and isinstance(block, NormConvolution):
                x_BCZYX = block.up_sampled(x_BCZYX, up[0].factor, up[1], have, want)
                up = None
            elif self._waits(block, x_BCZYX):
                assert isinstance(block, Trilinear)
                up = block, have
            elif isinstance(block, Keep):
                kept.append((x_BCZYX, have))
            elif isinstance(block, AddKept):
                x_BCZYX = block.add(x_BCZYX, crop_to(*kept.pop(), want))
            elif isinstance(block, TransposedConvolution):
                x_BCZYX = block.up_sampled(x_BCZYX, have, want)
            else:
                x_BCZYX = replicate_to(x_BCZYX, have, block.inputs(want))
                x_BCZYX = block(x_BCZYX, want, noise)
        return x_BCZYX.float()

    def _waits(self, block: Block, x_BCZYX: Tensor) -> bool:
        """Whether an up-sampling is left to the convolution after it; see `coarse_grid`."""
        return (
            self.on_coarse_grid
            and isinstance(block, Trilinear)
            and math.prod(block.factor) >= LEAST_GAIN
            and x_BCZYX.device.type == "cpu"
        )


class RandomNoise:
    """Fresh Gaussian noise for each box, from a seeded generator."""

    def __init__(self, random: torch.Generator) -> None:
        self.random = random

    def __call__(self, layer: int, box: Box, like_BCZYX: Tensor) -> Tensor:
        """Return (B, 1, *box.shape) on the device of `like_BCZYX`."""
        return torch.randn(
            (len(like_BCZYX), 1, *box.shape), generator=self.random, device=like_BCZYX.device
        )
