"""From low-res labels to super-res labels of one box: the network's part of generation.

Legend of shape suffixes: B batch, C channels, M low-res phases, N high-res
phases, Z Y X voxels.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from napari_superres.data.boxes import Box, halves
from napari_superres.data.volumes import Labels
from napari_superres.errors import EngineError, OutOfMemoryError, is_out_of_memory
from napari_superres.fusion.networks.blocks import Block, Noise
from napari_superres.fusion.networks.coarse_grid import lower_source
from napari_superres.fusion.networks.generator import Generator
from napari_superres.fusion.networks.paper_blocks import (
    NormConvolution,
    TransposedConvolution,
    Trilinear,
)
from napari_superres.generation.noise import NoiseField
from napari_superres.runs.device import exact_convolutions
from napari_superres.training.frequencies.labels import first_largest

Precision = Literal["float32", "bfloat16"]

SMALLEST_TILE = 16
"""High-res voxels along a tile's longest side below which it is not cut for memory."""


class Renderer:
    """Generates any box of one volume; the same labels whatever the boxes.

    Parameters
    ----------
    generator : in any mode; a copy of it is used
    low_res : (Z, Y, X) phase indices of the whole volume
    device : torch's name
    precision : of the network

    Raises
    ------
    OutOfMemoryError
        When network and low-res volume do not fit on the device.
    EngineError
        When torch fails otherwise.
    """

    def __init__(
        self, generator: Generator, low_res: Labels, device: str, precision: Precision
    ) -> None:
        self.device = torch.device(device)
        self.dtype = torch.float32 if precision == "float32" else torch.bfloat16
        self.low_res_shape = low_res.shape
        try:
            self.generator = for_generation(generator, low_res.shape).to(self.device, self.dtype)
            self._low_res_ZYX = torch.from_numpy(np.ascontiguousarray(low_res)).to(self.device)
        except (RuntimeError, MemoryError) as error:
            what = f"the network and the low-res volume of {low_res.shape} voxels"
            raise _failure(error, self.device, what) from error

    def labels(self, box: Box, noise: NoiseField) -> Labels:
        """Return phase indices of `box`, (Z, Y, X) uint8.

        A tile that does not fit into memory is halved until it does.

        Raises
        ------
        OutOfMemoryError
            When even a small tile does not fit.
        EngineError
            When torch fails otherwise.
        """
        try:
            with torch.inference_mode(), exact_convolutions():
                return self._labels(box, noise).cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or max(box.shape) <= SMALLEST_TILE:
                raise _failure(error, self.device, f"a tile of {box.shape} voxels") from error
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        result = np.empty(box.shape, np.uint8)
        for half in halves(box):
            result[half.slices(box.start)] = self.labels(half, noise)
        return result

    def _labels(self, box: Box, noise: NoiseField) -> Tensor:
        needed = self.generator.low_res_box(box, self.low_res_shape)
        logits_BNZYX = self.generator.logits(self._one_hot(needed), box, self.low_res_shape, noise)
        return first_largest(logits_BNZYX)[0]

    def _one_hot(self, box: Box) -> Tensor:
        """Return (1, M, Z, Y, X) of a box; outside, the faces of the volume repeat."""
        labels_ZYX = self._low_res_ZYX
        for axis, ((lo, hi), size) in enumerate(zip(box.ranges(), self.low_res_shape, strict=True)):
            index = torch.arange(lo, hi, device=self.device).clamp_(0, size - 1)
            labels_ZYX = labels_ZYX.index_select(axis, index)
        phases = torch.arange(self.generator.low_phases, device=self.device)
        return (labels_ZYX == phases.view(-1, 1, 1, 1)).to(self.dtype)[None]


def _failure(error: Exception, device: torch.device, what: str) -> EngineError:
    if not is_out_of_memory(error):
        return EngineError(f"Generation failed: {error}.")
    return OutOfMemoryError(
        f"The device {device} has no room for {what}.",
        "A little free memory is needed.",
        "Close other programs, or choose another device.",
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
