"""A generator made ready for inference: the same mathematics in fewer operations.

Legend of shape suffixes: B batch, C channels, Z Y X voxels, K taps of a kernel.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.fusion.blocks import Block, Noise
from napari_superres.fusion.coarse_grid import lower_source
from napari_superres.fusion.generator import Generator
from napari_superres.fusion.paper_blocks import (
    NormConvolution,
    TransposedConvolution,
    Trilinear,
)


def for_generation(generator: Generator, low_res_shape: Sequence[int]) -> Generator:
    """Return a copy for inference that computes the same, rounding aside.

    Batch normalisations are folded into their convolutions, whose weights are laid out
    with channels last (a sixth faster on the CPU in float32); and a convolution after
    a trilinear up-sampling is done before it (`TrilinearConvolution`), unless the
    finer grid ends within a coarse voxel: there the order matters at the last face.

    Parameters
    ----------
    generator : left as it is
    low_res_shape : of the volume to generate, zyx
    """
    ready = copy.deepcopy(generator).eval().requires_grad_(False)
    blocks: list[nn.Module] = []
    grid = [Fraction(size) for size in low_res_shape]
    for block in ready.blocks:
        assert isinstance(block, Block)
        if isinstance(block, NormConvolution | TransposedConvolution):
            _fold(block)
        grid = [size * part for size, part in zip(grid, block.factor, strict=True)]
        whole = all(size.denominator == 1 for size in grid)
        before = blocks[-1] if blocks else None
        if whole and isinstance(before, Trilinear) and isinstance(block, NormConvolution):
            blocks[-1] = TrilinearConvolution(before, block)
        else:
            blocks.append(block)
    ready.blocks = nn.ModuleList(blocks)
    ready.on_coarse_grid = False
    for module in ready.modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
            module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return ready


def _fold(module: NormConvolution | TransposedConvolution) -> None:
    norm = module.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert module.conv.bias is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    shape = [1] * module.conv.weight.dim()
    shape[1 if isinstance(module.conv, nn.ConvTranspose3d) else 0] = -1
    module.conv.weight.mul_(scale.view(shape))
    module.conv.bias.sub_(norm.running_mean).mul_(scale).add_(norm.bias)
    module.norm = nn.Identity()  # type: ignore[assignment]


class TrilinearConvolution(Block):
    """Trilinear up-sampling, then a 3³ convolution, in the other order.

    Mixing channels and interpolating voxels commute. So the 27 taps are applied on
    the coarse grid, and what they give is interpolated to where the taps look: at
    ×2 an eighth of the products, of a layer that is two thirds of the paper's
    network, and its wide up-sampled input is never made. Interpolation goes axis by
    axis; sums are float32, so bfloat16 loses less than in the plain order.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, up: Trilinear, convolution: NormConvolution) -> None:
        super().__init__()
        self.factor = up.factor
        self.relu = convolution.relu
        self._plain = (up.inputs, convolution.inputs)
        weight_OIKKK = convolution.conv.weight.detach()
        assert convolution.conv.bias is not None
        self.register_buffer("weights", weight_OIKKK.permute(2, 3, 4, 1, 0).contiguous())
        self.register_buffer("bias", convolution.conv.bias.detach())

    def inputs(self, out: Box) -> Box:
        """Return the box that the two layers need together."""
        up, convolution = self._plain
        return up(convolution(out))

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        """Return what the two layers would."""
        start = self.inputs(out).start
        batch_BZYXC = x_BCZYX.permute(0, 2, 3, 4, 1).contiguous()
        y_BZYXC = torch.stack([self._one(x_ZYXC, out, start) for x_ZYXC in batch_BZYXC])
        if self.relu:
            y_BZYXC.relu_()
        return y_BZYXC.to(x_BCZYX.dtype).permute(0, 4, 1, 2, 3)

    def _one(self, x_ZYXC: Tensor, out: Box, start: tuple[int, int, int]) -> Tensor:
        z, y, _ = x_ZYXC.shape[:3]
        _, rows, columns = out.shape
        width = len(self.bias)
        done = x_ZYXC.new_empty((*out.shape, width), dtype=torch.float32)
        done[:] = self.bias
        plane = x_ZYXC.new_empty((z, rows, columns, width), dtype=torch.float32)
        line = x_ZYXC.new_empty((z, y, columns, width), dtype=torch.float32)
        for tap_z in range(3):
            plane.zero_()
            for tap_y in range(3):
                line.zero_()
                for tap_x in range(3):
                    mixed = (x_ZYXC @ self.weights[tap_z, tap_y, tap_x]).float()
                    self._interpolate(line, mixed, 2, out, tap_x, start)
                self._interpolate(plane, line, 1, out, tap_y, start)
            self._interpolate(done, plane, 0, out, tap_z, start)
        return done

    def _interpolate(
        self, fine: Tensor, coarse: Tensor, axis: int, out: Box, tap: int, start: tuple[int, ...]
    ) -> None:
        """Add to `fine` what `coarse` is, along `axis`, at the voxels that `tap` looks at.

        With a factor p/q every p-th fine voxel has the same two weights, and its
        coarse neighbours are q apart: p strided sums do it all.
        """
        step, stride = self.factor[axis].numerator, self.factor[axis].denominator
        first = out.start[axis]
        for phase in range(min(step, out.shape[axis])):
            count = len(range(phase, out.shape[axis], step))
            lower, weight = lower_source(first + phase + tap - 1, self.factor[axis])
            at = lower - start[axis]
            target = _every(fine, axis, phase, step, count)
            target.add_(_every(coarse, axis, at, stride, count), alpha=float(1 - weight))
            if weight != Fraction(0):
                above = _every(coarse, axis, at + 1, stride, count)
                target.add_(above, alpha=float(weight))


def _every(tensor: Tensor, axis: int, first: int, step: int, count: int) -> Tensor:
    """Return `count` slices along `axis`, `step` apart."""
    return tensor[(slice(None),) * axis + (slice(first, first + step * (count - 1) + 1, step),)]
