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
from napari_superres.fusion.networks.generator import Generator
from napari_superres.fusion.networks.paper_blocks import Normed, UpSampledConvolution
from napari_superres.fusion.networks.trilinear import TrilinearConvolution
from napari_superres.generation.noise import NoiseField
from napari_superres.generation.symmetry import IDENTITY, Symmetry
from napari_superres.runs.device import exact_convolutions
from napari_superres.scale_factor import super_res_shape
from napari_superres.training.frequencies.labels import first_largest, one_hot

Precision = Literal["float32", "bfloat16"]

SMALLEST_TILE = 16
"""Longest side, in high-res voxels, of a tile that is not halved to save memory."""


class Renderer:
    """Generates any box of one volume; the same labels whatever the boxes.

    `low_res` holds the phase indices of the whole volume, (Z, Y, X); a copy of the generator is
    used. Without memory for network and volume, or for a small tile, OutOfMemoryError is
    raised; where torch fails otherwise, EngineError.
    """

    def __init__(
        self, generator: Generator, low_res: Labels, device: str, precision: Precision
    ) -> None:
        self.device = torch.device(device)
        self.dtype = torch.float32 if precision == "float32" else torch.bfloat16
        self.low_res_shape = low_res.shape
        self.high_res_shape = super_res_shape(low_res.shape, generator.scale_factor)
        self._turned: dict[Symmetry, Tensor] = {}
        try:
            self.generator = for_generation(generator, low_res.shape).to(self.device, self.dtype)
            self._low_res_ZYX = torch.from_numpy(np.ascontiguousarray(low_res)).to(self.device)
        except (RuntimeError, MemoryError) as error:
            what = f"the network and the low-res volume of {low_res.shape} voxels"
            raise _failure(error, self.device, what) from error

    def labels(self, box: Box, noise: NoiseField, symmetry: Symmetry = IDENTITY) -> Labels:
        """Return phase indices of `box`, (Z, Y, X) uint8.

        A tile that does not fit into memory is halved until it does.

        Parameters
        ----------
        box : on the high-res grid
        noise : of the turned volume
        symmetry : in which the volume is turned, generated, and turned back
        """
        try:
            with torch.inference_mode(), exact_convolutions():
                turned = symmetry.box(box, self.high_res_shape)
                return symmetry.back(self._labels(turned, noise, symmetry).cpu().numpy())
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or max(box.shape) <= SMALLEST_TILE:
                raise _failure(error, self.device, f"a tile of {box.shape} voxels") from error
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        result = np.empty(box.shape, np.uint8)
        for half in halves(box):
            result[half.slices(box.start)] = self.labels(half, noise, symmetry)
        return result

    def _labels(self, box: Box, noise: NoiseField, symmetry: Symmetry) -> Tensor:
        shape = symmetry.shape(self.low_res_shape)
        low_res_BMZYX = self._one_hot(self.generator.low_res_box(box, shape), symmetry)
        return first_largest(self.generator.logits(low_res_BMZYX, box, shape, noise))[0]

    def _one_hot(self, box: Box, symmetry: Symmetry = IDENTITY) -> Tensor:
        """Return (1, M, Z, Y, X) of a box; outside, the faces of the volume repeat."""
        if symmetry not in self._turned:
            self._turned = {symmetry: symmetry.turn(self._low_res_ZYX)}
        labels_ZYX = self._turned[symmetry]
        for axis, ((lo, hi), size) in enumerate(zip(box.ranges(), labels_ZYX.shape, strict=True)):
            index = torch.arange(lo, hi, device=self.device).clamp_(0, size - 1)
            labels_ZYX = labels_ZYX.index_select(axis, index)
        return one_hot(labels_ZYX[None], self.generator.low_phases, self.dtype)


def _failure(error: Exception, device: torch.device, what: str) -> EngineError:
    if not is_out_of_memory(error):
        return EngineError(f"Generation failed: {error}.")
    return OutOfMemoryError(
        f"The device {device} has no room for {what}.",
        "A little free memory is needed.",
        "Close other programs, or choose another device.",
    )


def for_generation(generator: Generator, low_res_shape: Sequence[int]) -> Generator:
    """Return a copy for inference that computes the same up to rounding.

    Batch normalisations are folded into their convolutions, whose weights are laid out
    with channels last (a sixth faster on the CPU in float32); and a convolution after
    a trilinear up-sampling is done before it (`TrilinearConvolution`), unless the
    finer grid ends within a coarse voxel: there the order matters at the last face.
    """
    ready = copy.deepcopy(generator).eval().requires_grad_(False)
    for module in ready.modules():
        if isinstance(module, Normed):
            _fold(module)
    grid = [Fraction(size) for size in low_res_shape]
    for number, block in enumerate(ready.blocks):
        grid = [size * part for size, part in zip(grid, block.factor, strict=True)]
        if isinstance(block, UpSampledConvolution):
            block.on_coarse_grid = False
            if all(size.denominator == 1 for size in grid):
                ready.blocks[number] = TrilinearConvolution(block.conv, block.factor)
    for module in ready.modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
            module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    return ready


def _fold(module: Normed) -> None:
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
