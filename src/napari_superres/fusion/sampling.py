"""Training crops: low-res patches with their context, and real slices.

Legend of shape suffixes: B crops, M low-res phases, N high-res phases, Z Y X
voxels. Images stay on the device as uint8; crops are cut and one-hot encoded
there in one go, without a loop over samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.boxes import Box, Triple


def one_hot(labels: Tensor, phases: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return (B, phases, …) one-hot of (B, …) uint8 labels."""
    levels = torch.arange(phases, dtype=labels.dtype, device=labels.device)
    return (labels.unsqueeze(1) == levels.view(1, -1, *[1] * (labels.ndim - 1))).to(dtype)


class LowResSampler:
    """Random patches of the low-res volume, with real context around them.

    Parameters
    ----------
    labels : (Z, Y, X) uint8 phase indices
    phases : m
    core : shape of a patch in low-res voxels, zyx
    context : box relative to a patch's first voxel that the generator reads
    real_context : whether the context is the volume's own, or the patch's border repeated
    step : patch starts are multiples of this, so that starts · sf are whole
    """

    def __init__(
        self,
        labels: NDArray[np.uint8],
        phases: int,
        core: Triple,
        context: Box,
        step: Triple,
        device: torch.device,
        *,
        real_context: bool = True,
    ) -> None:
        self.real_context = real_context
        self.labels = torch.from_numpy(np.ascontiguousarray(labels)).to(device)
        self.phases = phases
        self.core = core
        self.context = context
        self.step = step
        self.positions = [
            (size - side) // every + 1
            for size, side, every in zip(labels.shape, core, step, strict=True)
        ]

    def random_starts(self, count: int, random: torch.Generator) -> Tensor:
        """Return (count, 3) int64 first voxels of patches, uniform over all positions."""
        columns = [
            torch.randint(positions, (count,), generator=random) * every
            for positions, every in zip(self.positions, self.step, strict=True)
        ]
        return torch.stack(columns, 1)

    def patches(self, starts_B3: Tensor, box: Box) -> Tensor:
        """Return labels of `box` around each start; outside the volume its border repeats.

        Returns
        -------
        (B, *box.shape) uint8
        """
        starts = starts_B3.to(self.labels.device)
        index = []
        for axis, (lo, hi) in enumerate(box.ranges()):
            offsets = torch.arange(lo, hi, device=starts.device)
            if not self.real_context:
                offsets = offsets.clamp(0, self.core[axis] - 1)
            last = self.labels.shape[axis] - 1
            index.append((starts[:, axis, None] + offsets).clamp(0, last))
        z, y, x = index
        return self.labels[z[:, :, None, None], y[:, None, :, None], x[:, None, None, :]]

    def pair(self, starts_B3: Tensor) -> tuple[Tensor, Tensor]:
        """Return one-hot patches with context, and without: (B, M, Z, Y, X) float32 both."""
        context = self.patches(starts_B3, self.context)
        core = context[(slice(None), *Box.whole(self.core).slices(self.context.start))]
        return one_hot(context, self.phases), one_hot(core, self.phases)


class SliceSampler:
    """Random crops of a set of high-res images of any sizes, mirrored and rotated.

    Parameters
    ----------
    images : (rows, columns) uint8 phase indices each
    phases : n
    size : rows and columns of a crop
    rotate : also turn crops by 90° (isotropic planes)
    mirror : also mirror crops
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.uint8]],
        phases: int,
        size: tuple[int, int],
        device: torch.device,
        *,
        rotate: bool = True,
        mirror: bool = True,
    ) -> None:
        self.phases = phases
        self.size = size
        self.rotate = rotate
        self.mirror = mirror
        rows, columns = size
        shapes = torch.tensor([image.shape for image in images], dtype=torch.int64)
        self.columns = shapes[:, 1]
        self.free = shapes - torch.tensor([rows, columns])
        self.free_turned = shapes - torch.tensor([columns, rows])
        self.offsets = torch.cumsum(shapes.prod(1), 0) - shapes.prod(1)
        self.pixels = torch.from_numpy(
            np.concatenate([np.ascontiguousarray(image).ravel() for image in images])
        ).to(device)
        weights = (self.free + 1).clamp_min(0).prod(1).double()
        self.weights = weights / weights.sum()
        self.turnable = rotate and bool((self.free_turned >= 0).all())

    def sample(self, count: int, random: torch.Generator) -> Tensor:
        """Return (count, N, rows, columns) float32 one-hot crops."""
        rows, columns = self.size
        which = torch.multinomial(self.weights, count, replacement=True, generator=random)
        turned = (
            torch.randint(2, (count,), generator=random).bool()
            if self.turnable
            else torch.zeros(count, dtype=torch.bool)
        )
        free = torch.where(turned[:, None], self.free_turned[which], self.free[which])
        first = (torch.rand(count, 2, generator=random, dtype=torch.float64) * (free + 1)).long()
        flips = torch.randint(2, (count, 2), generator=random).bool() & self.mirror
        r = torch.arange(rows)[None, :].expand(count, rows)
        c = torch.arange(columns)[None, :].expand(count, columns)
        r = torch.where(flips[:, :1], rows - 1 - r, r)
        c = torch.where(flips[:, 1:], columns - 1 - c, c)
        width = self.columns[which][:, None]
        # a turned crop walks down the image along its columns
        row_part = torch.where(turned[:, None], r, r * width)
        column_part = torch.where(turned[:, None], c * width, c)
        base = self.offsets[which] + first[:, 0] * self.columns[which] + first[:, 1]
        index = base[:, None, None] + row_part[:, :, None] + column_part[:, None, :]
        return one_hot(self.pixels[index.to(self.pixels.device)], self.phases)


def random_slices(
    volumes_BNZYX: Tensor, axis: int, count: int | None, random: torch.Generator
) -> Tensor:
    """Return slices normal to `axis` (0 z, 1 y, 2 x) of each volume.

    Parameters
    ----------
    volumes_BNZYX : generated probabilities
    count : slices per volume, without repetition; None for all

    Returns
    -------
    (B · count, N, rows, columns)
    """
    size = volumes_BNZYX.shape[axis + 2]
    if count is not None and count < size:
        index = torch.randperm(size, generator=random)[:count].to(volumes_BNZYX.device)
        volumes_BNZYX = volumes_BNZYX.index_select(axis + 2, index)
    slices = volumes_BNZYX.movedim(axis + 2, 1)
    return slices.reshape(-1, *slices.shape[2:])
