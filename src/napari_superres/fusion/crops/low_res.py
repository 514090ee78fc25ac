"""Training crops of the low-res volume, with their context.

Legend of shape suffixes: B crops, M low-res phases, P orders of axes, Z Y X voxels. The
volume stays on the device as uint8; patches are cut and one-hot encoded there in one go,
without a loop over samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.boxes import Box, Triple
from napari_superres.training.frequencies.labels import one_hot

DRAWS = 200
"""Sets of cells tried for the one whose low-res fractions are most like the volume's."""
MOST_CELLS = 4096
"""Cells of a large volume to choose from."""
Orientations = tuple[Tensor, Tensor]
"""Of patches: the volume's axis along each of theirs (B, 3), and whether mirrored, (B, 3) bool."""


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
    alike : None, or one value an axis: then patches are mirrored along each axis at
        random, and axes of equal values change places (augmentation)
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
        alike: Sequence[object] | None = None,
    ) -> None:
        self.real_context = real_context
        self.orders_P3 = None if alike is None else _orders(alike)
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
        """Return (count, 3) int64 first voxels of patches, at random.

        Uniform over all positions but the outermost, which come as often as half a patch
        of others: patches at uniform positions would see the volume's border too rarely,
        and together have other phase fractions than the volume.
        """
        columns = []
        for positions, side, every in zip(self.positions, self.core, self.step, strict=True):
            more = (side // every - 1) // 2
            places = torch.randint(positions + 2 * more, (count,), generator=random) - more
            columns.append(places.clamp(0, positions - 1) * every)
        return torch.stack(columns, 1)

    def patches(
        self, starts_B3: Tensor, box: Box, orientations: Orientations | None = None
    ) -> Tensor:
        """Return labels of `box` around each start; outside the volume its border repeats.

        Parameters
        ----------
        starts_B3 : first voxel of each patch in the volume
        box : relative to a patch's first voxel, in the patch's own orientation
        orientations : of each patch; None for that of the volume

        Returns
        -------
        (B, *box.shape) uint8
        """
        device = self.labels.device
        starts = starts_B3.to(device)
        shape = torch.tensor(self.labels.shape, device=device)
        strides = torch.tensor(self.labels.stride(), device=device)
        index = torch.zeros((), dtype=torch.int64, device=device)
        for axis, (lo, hi) in enumerate(box.ranges()):
            offsets = torch.arange(lo, hi, device=device)
            if not self.real_context:
                offsets = offsets.clamp(0, self.core[axis] - 1)
            first, last, stride = starts[:, axis], shape[axis] - 1, strides[axis]
            if orientations is not None:
                order_B, mirrored_B = (part[:, axis].to(device) for part in orientations)
                first = starts.gather(1, order_B[:, None])[:, 0]
                last, stride = shape[order_B][:, None] - 1, strides[order_B][:, None]
                offsets = torch.where(mirrored_B[:, None], self.core[axis] - 1 - offsets, offsets)
            places = (first[:, None] + offsets).clamp_min(0).minimum(last) * stride
            sides = [1, 1, 1]
            sides[axis] = hi - lo
            index = index + places.view(-1, *sides)
        return self.labels.flatten()[index]

    def random_orientations(self, count: int, random: torch.Generator) -> Orientations | None:
        """Return orientations of patches, each equally likely; None without augmentation."""
        if self.orders_P3 is None:
            return None
        which = torch.randint(len(self.orders_P3), (count,), generator=random)
        return self.orders_P3[which], torch.randint(2, (count, 3), generator=random).bool()

    def pair(
        self, starts_B3: Tensor, random: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return one-hot patches with context, and without: (B, M, Z, Y, X) float32 both.

        With `random`, and where it is asked for, they are augmented.
        """
        orientations = None
        if random is not None:
            orientations = self.random_orientations(len(starts_B3), random)
        context = self.patches(starts_B3, self.context, orientations)
        core = context[(slice(None), *Box.whole(self.core).slices(self.context.start))]
        return one_hot(context, self.phases), one_hot(core, self.phases)


def _orders(alike: Sequence[object]) -> Tensor:
    """Return the permutations, (P, 3), of axes that have equal values."""
    return torch.tensor(
        [
            order
            for order in permutations(range(3))
            if all(alike[to] == alike[axis] for axis, to in enumerate(order))
        ]
    )


def cells(sampler: LowResSampler) -> Tensor:
    """Return the first voxels (count, 3) of patches that cover the volume, evenly spread.

    They overlap only where the volume is no multiple of a patch: disjoint crops sample a
    volume far better than as many at random places.
    """
    columns = []
    for size, side, positions, every in zip(
        sampler.labels.shape, sampler.core, sampler.positions, sampler.step, strict=True
    ):
        count = min(-(-size // side), positions)
        places = torch.linspace(0, positions - 1, count) if count > 1 else torch.zeros(1)
        columns.append(places.round().long() * every)
    return torch.cartesian_prod(*columns)


def representative_cells(sampler: LowResSampler, count: int, random: torch.Generator) -> Tensor:
    """Return at most `count` cells whose low-res fractions together are like the volume's."""
    every = cells(sampler)
    if len(every) <= count:
        return every
    every = every[torch.randperm(len(every), generator=random)[:MOST_CELLS]]
    wanted = fractions(sampler.labels, sampler.phases)
    best, smallest = every[:count], float("inf")
    for _ in range(DRAWS):
        chosen = every[torch.randperm(len(every), generator=random)[:count].sort().values]
        core = sampler.patches(chosen, Box.whole(sampler.core))
        distance = float((fractions(core, sampler.phases) - wanted).abs().sum())
        if distance < smallest:
            best, smallest = chosen, distance
    return best


def fractions(labels: Tensor, phases: int) -> Tensor:
    """Return the share of each phase among labels, (phases,) on the CPU."""
    # phase by phase: a count of bins takes eight bytes a voxel
    counts = torch.stack([(labels == phase).sum() for phase in range(phases)])
    return (counts / counts.sum()).cpu()
