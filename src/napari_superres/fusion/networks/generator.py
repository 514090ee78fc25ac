"""The generator: low-res one-hot plus noise in, high-res phase probabilities out.

Legend of shape suffixes: B batch, C channels, M low-res phases, N high-res
phases, Z Y X voxels. `designs.py` says which blocks there are to chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import Block, Noise, chain_of
from napari_superres.scale_factor import ScaleFactor, super_res_shape


class Generator(nn.Module):
    """A chain of blocks from the low-res grid to the high-res grid.

    Attributes
    ----------
    padded : whether features are replicated at the volume's faces (the paper's
        network); otherwise the low-res labels are, by the caller
    input_noise : whether noise is one more channel of the input
    saved_names : path of a layer : how its tensors' names begin in a state dict, where
        the two differ; checkpoints keep their names however blocks are nested
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        scale_factor: ScaleFactor,
        low_phases: int,
        high_phases: int,
        *,
        padded: bool,
        input_noise: bool,
        saved_names: Mapping[str, str],
    ) -> None:
        super().__init__()
        self.blocks = chain_of(blocks)
        self.scale_factor = scale_factor
        self.low_phases = low_phases
        self.high_phases = high_phases
        self.padded = padded
        self.input_noise = input_noise
        self.saved_names = saved_names

    def boxes(self, out: Box, low_res_shape: Sequence[int]) -> list[Box]:
        """Return the box to compute on each block's input grid, then `out` itself.

        Parameters
        ----------
        out : voxels wanted, on the high-res grid
        low_res_shape : of the whole low-res volume, zyx; bounds a padded network
        """
        boxes = [out]
        cumulative = list(self.scale_factor)
        for block in reversed(self.blocks):
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
        for block, have, want in zip(self.blocks, boxes, boxes[1:], strict=False):
            x_BCZYX = block(x_BCZYX, have, want, noise)
        return x_BCZYX.float()

    def saved_name(self, name: str) -> str:
        """Return how a checkpoint names a layer or tensor; see `saved_names`."""
        for path, saved in self.saved_names.items():
            if name == path or name.startswith(f"{path}."):
                return saved + name.removeprefix(path)
        return name

    def state_dict(self, *args: Any, **options: Any) -> Any:
        """Return the tensors by the names that a checkpoint gives them."""
        found = super().state_dict(*args, **options)
        return {self.saved_name(name): tensor for name, tensor in found.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **options: Any) -> Any:
        """Load the tensors of `state_dict`, by the names that it returns."""
        own = {self.saved_name(name): name for name in super().state_dict()}
        renamed = {own.get(name, name): tensor for name, tensor in state_dict.items()}
        return super().load_state_dict(renamed, *args, **options)


class RandomNoise:
    """Fresh Gaussian noise for each box, from a seeded generator."""

    def __init__(self, random: torch.Generator) -> None:
        self.random = random

    def __call__(self, layer: int, box: Box, like_BCZYX: Tensor) -> Tensor:
        """Return (B, 1, *box.shape) on the device of `like_BCZYX`."""
        return torch.randn(
            (len(like_BCZYX), 1, *box.shape), generator=self.random, device=like_BCZYX.device
        )
