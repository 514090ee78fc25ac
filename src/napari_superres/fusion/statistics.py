"""How often phases meet: known of the real slices, and asked of the generated ones.

Legend of shape suffixes: B slices, N high-res phases, Y X rows and columns; S statistics.

Of a set of slices three things are known exactly that a discriminator learns slowly:
how often each phase lies beside each other one, in which direction (the two-point
correlations at short distances), and how often three phases meet. A generator
that is right in everything else may still coat the others from one side only, or
bring three phases together too often. So it is asked for these frequencies themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.fusion import distributed

DISTANCES = (1, 2, 4)
"""Of the pairs, in high-res voxels."""
KEPT = 0.9
"""Share of the running mean that one step leaves."""
RARE_PAIR, RARE_TRIPLE = 0.002, 0.001
"""Added to a wanted frequency before errors are taken relative to it."""
TRIPLE_WEIGHT = 2.0
LARGEST_ERROR = 0.15
"""Relative errors beyond this pull no harder: other losses bring the first order."""


def pair_frequencies(slices_BYXN: Tensor, direction: int, distance: int) -> Tensor:
    """Return P(phase a at x and phase b at x + distance), (N, N), adding up to 1.

    Parameters
    ----------
    slices_BYXN : probabilities or one-hot
    direction : 0 down the rows, 1 along the columns
    distance : in pixels, smaller than the slices
    """
    reach = slices_BYXN.shape[direction + 1] - distance
    phases = slices_BYXN.shape[3]
    here = slices_BYXN.narrow(direction + 1, 0, reach).reshape(-1, phases)
    there = slices_BYXN.narrow(direction + 1, distance, reach).reshape(-1, phases)
    return here.T @ there / len(here)


def triple_frequencies(slices_BYXN: Tensor) -> Tensor:
    """Return for each three phases P(all are among 2 × 2 pixels), C(N, 3) values.

    In a volume these blocks are the edges normal to the slice, so this is the density
    of the triple phase boundary by direction. By inclusion and exclusion, from the
    probabilities that one, two or all three phases are missing in a block.
    """
    phases = slices_BYXN.shape[3]
    if phases < 3:
        return slices_BYXN.new_zeros(0)
    without, signs = _inclusion_exclusion(phases, slices_BYXN.device)
    missing = (1 - slices_BYXN @ without).clamp_min(0)
    missing = missing[:, 1:] * missing[:, :-1]
    missing = (missing[:, :, 1:] * missing[:, :, :-1]).mean((0, 1, 2))
    return 1 + missing @ signs


@lru_cache
def _inclusion_exclusion(phases: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return which phases each group of one to three holds, and its sign in each triple."""
    groups = [group for size in (1, 2, 3) for group in combinations(range(phases), size)]
    triples = list(combinations(range(phases), 3))
    without = torch.tensor([[float(phase in group) for group in groups] for phase in range(phases)])
    signs = torch.tensor(
        [
            [(-1.0) ** len(group) if set(group) <= set(triple) else 0.0 for triple in triples]
            for group in groups
        ]
    )
    return without.to(device), signs.to(device)


def frequencies(slices_BNYX: Tensor) -> Tensor:
    """Return all pair and triple frequencies of a set of slices, (S,)."""
    slices_BYXN = slices_BNYX.movedim(1, -1)
    pairs = [
        pair_frequencies(slices_BYXN, direction, distance).flatten()
        for direction in (0, 1)
        for distance in DISTANCES
    ]
    return torch.cat([*pairs, triple_frequencies(slices_BYXN)])


def wanted_frequencies(
    images: Sequence[NDArray[np.uint8]], phases: int, *, turned: bool, mirrored: tuple[bool, bool]
) -> Tensor:
    """Return the frequencies of real slices, over the ways in which training turns them.

    Parameters
    ----------
    images : (rows, columns) uint8 phase indices each; those too small are left out
    phases : n
    turned : whether rows and columns are alike
    mirrored : whether both ways along (rows, columns) are alike

    Returns
    -------
    (S,) as `frequencies`
    """
    large = [image for image in images if min(image.shape) > max(DISTANCES)]
    sizes = torch.tensor([float(image.size) for image in large])
    each_BS = torch.stack([frequencies(_one_hot(image, phases)) for image in large])
    mean_S = (each_BS * (sizes / sizes.sum())[:, None]).sum(0)
    count = 2 * len(DISTANCES) * phases**2
    pairs = mean_S[:count].view(2, len(DISTANCES), phases, phases)
    if turned:
        pairs = pairs.mean(0, keepdim=True).expand(2, -1, -1, -1)
        mirrored = (True, True)
    ways = [
        (way + way.mT) / 2 if alike else way for way, alike in zip(pairs, mirrored, strict=True)
    ]
    return torch.cat([torch.stack(ways).flatten(), mean_S[count:]])


def _one_hot(image: NDArray[np.uint8], phases: int) -> Tensor:
    labels = torch.from_numpy(image.astype(np.int64))
    return F.one_hot(labels, phases).movedim(-1, 0)[None].float()


class FrequencyLoss:
    """Running frequencies of generated slices, held against those of the real ones.

    Parameters
    ----------
    wanted_KS : of slices normal to each axis
    phases : n
    """

    def __init__(self, wanted_KS: Tensor, phases: int) -> None:
        self.wanted = wanted_KS
        pairs = 2 * len(DISTANCES) * phases**2
        self.scale = wanted_KS + RARE_PAIR
        self.scale[:, pairs:] = (wanted_KS[:, pairs:] + RARE_TRIPLE) / TRIPLE_WEIGHT
        self.running = torch.zeros_like(wanted_KS)
        self.weight = torch.zeros((), device=wanted_KS.device)

    def __call__(self, slices: Sequence[Tensor]) -> Tensor:
        """Return the mean squared relative error of the running frequencies, a scalar.

        Counted are the labels that the probabilities give; the gradient is that of the
        probabilities. The latest slices are a small share of the running mean, so
        none is pulled by itself to the average of the material.

        Parameters
        ----------
        slices : generated probabilities (B, N, Y, X) normal to each axis
        """
        soft_KS = torch.stack([frequencies(slices_BNYX) for slices_BNYX in slices])
        with torch.no_grad():
            counted_KS = torch.stack([frequencies(_decided(part)) for part in slices])
            counted_KS = distributed.mean_over_ranks(counted_KS)
            self.running.lerp_(counted_KS, 1 - KEPT)
            self.weight.lerp_(torch.ones_like(self.weight), 1 - KEPT)
            error_KS = (self.running / self.weight - self.wanted) / self.scale
            error_KS.clamp_(-LARGEST_ERROR, LARGEST_ERROR)
        pull = 2 * error_KS / self.scale * (soft_KS - soft_KS.detach())
        return error_KS.square().mean() + pull.mean()

    def forget(self) -> None:
        """Start the running mean anew."""
        self.running.zero_()
        self.weight.zero_()

    def state(self) -> dict[str, Tensor]:
        """Return the running mean, by name."""
        return {"frequencies/running": self.running, "frequencies/weight": self.weight}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up what `state` returned; anew where it is not there."""
        self.forget()
        for name, mine in self.state().items():
            if name in tensors and tensors[name].shape == mine.shape:
                mine.copy_(tensors[name])


def _decided(slices_BNYX: Tensor) -> Tensor:
    """Return one-hot slices of the most likely phases."""
    labels_BYX = slices_BNYX.argmax(1)
    one_hot_BYXN = F.one_hot(labels_BYX, slices_BNYX.shape[1]).to(slices_BNYX.dtype)
    return one_hot_BYXN.movedim(-1, 1)
