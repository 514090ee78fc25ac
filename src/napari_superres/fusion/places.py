"""Where crops are measured: cells that share out the low-res volume, few or all of them."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_superres.data.boxes import Box
from napari_superres.fusion.low_res_sampling import LowResSampler

DRAWS = 200
"""Sets of cells tried for the one whose low-res fractions are most like the volume's."""
MOST_CELLS = 4096
"""Cells of a large volume to choose from."""


def cells(sampler: LowResSampler) -> Tensor:
    """Return the first voxels (count, 3) of patches that cover the volume, evenly spread.

    They overlap only where the volume is no multiple of a patch: disjoint crops tell
    far more of a volume than as many at random places.
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
