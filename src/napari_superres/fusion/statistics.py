"""How often phases meet: known of the real slices, and asked of the generated ones.

Legend of shape suffixes: B slices, N high-res phases, Y X rows and columns; S statistics.

Of a set of slices five things are known exactly that a discriminator learns slowly:
how often each phase lies beside each other one, in which direction (the two-point
correlations at short distances), how often it is but a speck or a gap a voxel or
three wide, into how many parts it falls, and how often three phases meet. A generator
that is right in everything else may still coat the others from one side only, be
rough by single voxels, join particles that are apart, or bring three phases together
too often. So it is asked for these frequencies themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.fusion import distributed
from napari_superres.fusion.labels import first_largest, one_hot

DISTANCES = (1, 2, 4, 8, 16)
"""Of the pairs, in high-res voxels; those beyond half of a crop's side are left out."""
KEPT = 0.9
"""Share of the running mean that one step leaves."""
THIN_DISTANCES = (1, 2)
"""From the middle of a speck or gap to where it has ended, in high-res voxels."""
RARE_PAIR, RARE_THIN, RARE_PART, RARE_TRIPLE = 0.002, 0.001, 0.0005, 0.001
"""Added to a wanted frequency before errors are taken relative to it."""
PART_WEIGHT = TRIPLE_WEIGHT = 2.0
EVERY = 3
"""Of so many slices one is looked at: those of a crop are much alike, and it takes time."""
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


def thin_frequencies(slices_BYXN: Tensor, direction: int, distance: int) -> Tensor:
    """Return how often a phase is there, but at `distance` on neither side, and the reverse.

    The chance of chords shorter than about twice the distance, of each phase and of
    what it is not.

    Returns
    -------
    (2 N,) specks of each phase, then gaps in each phase
    """
    axis = direction + 1
    reach = slices_BYXN.shape[axis] - 2 * distance
    before, here, after = (slices_BYXN.narrow(axis, start * distance, reach) for start in range(3))
    both = before * after
    here_sides = here * (before + after)
    here_both = here * both
    dims = (0, 1, 2)
    specks = here.mean(dims) - here_sides.mean(dims) + here_both.mean(dims)
    return torch.cat([specks, both.mean(dims) - here_both.mean(dims)])


def euler_densities(slices_BYXN: Tensor) -> Tensor:
    """Return the Euler characteristic of each phase per pixel, (N,).

    Parts less holes, with pixels joined by their sides: pixels − adjacent pairs + full
    2 × 2 blocks. The third Minkowski functional in two dimensions, beside area and
    boundary length. Two-point frequencies do not tell it.
    """
    here, right = slices_BYXN[:, :-1, :-1], slices_BYXN[:, :-1, 1:]
    down, across = slices_BYXN[:, 1:, :-1], slices_BYXN[:, 1:, 1:]
    row, column = here * right, here * down
    block = row * (down * across)
    dims = (0, 1, 2)
    return here.mean(dims) - row.mean(dims) - column.mean(dims) + block.mean(dims)


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


def usable_distances(side: int) -> tuple[int, ...]:
    """Return those of `DISTANCES` that slices of a smallest side of `side` have room for."""
    return tuple(distance for distance in DISTANCES if 2 * distance <= side) or DISTANCES[:1]


def frequencies(slices_BNYX: Tensor, distances: Sequence[int] = DISTANCES) -> Tensor:
    """Return all frequencies of a set of slices: of pairs, thin parts, parts, triples, (S,)."""
    slices_BYXN = slices_BNYX.movedim(1, -1)
    pairs = [
        pair_frequencies(slices_BYXN, direction, distance).flatten()
        for direction in (0, 1)
        for distance in distances
    ]
    thin = [
        thin_frequencies(slices_BYXN, direction, distance)
        for direction in (0, 1)
        for distance in THIN_DISTANCES
    ]
    return torch.cat([*pairs, *thin, euler_densities(slices_BYXN), triple_frequencies(slices_BYXN)])


def _split(
    frequencies_S: Tensor, phases: int, distances: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the frequencies of pairs, thin parts, parts and triples, last axis."""
    sizes = [2 * len(distances) * phases**2, 2 * len(THIN_DISTANCES) * 2 * phases, phases]
    rest = frequencies_S.shape[-1] - sum(sizes)
    pairs, thin, parts, triples = torch.split(frequencies_S, [*sizes, rest], -1)
    return pairs, thin, parts, triples


def wanted_frequencies(
    images: Sequence[NDArray[np.uint8]],
    phases: int,
    distances: Sequence[int] = DISTANCES,
    *,
    turned: bool,
    mirrored: tuple[bool, bool],
) -> Tensor:
    """Return the frequencies of real slices, over the ways in which training turns them.

    Parameters
    ----------
    images : (rows, columns) uint8 phase indices each; those too small are left out
    phases : n
    distances : of the pairs, in pixels
    turned : whether rows and columns are alike
    mirrored : whether both ways along (rows, columns) are alike

    Returns
    -------
    (S,) as `frequencies`
    """
    large = [image for image in images if min(image.shape) > max(distances)]
    sizes = torch.tensor([float(image.size) for image in large])
    each_BS = torch.stack(
        [frequencies(one_hot(torch.from_numpy(image)[None], phases), distances) for image in large]
    )
    mean_S = (each_BS * (sizes / sizes.sum())[:, None]).sum(0)
    pairs, thin, parts, triples = _split(mean_S, phases, distances)
    pairs = pairs.view(2, len(distances), phases, phases)
    if turned:
        pairs = pairs.mean(0, keepdim=True).expand(2, -1, -1, -1)
        thin = thin.view(2, -1).mean(0).repeat(2)
        mirrored = (True, True)
    ways = [
        (way + way.mT) / 2 if alike else way for way, alike in zip(pairs, mirrored, strict=True)
    ]
    return torch.cat([torch.stack(ways).flatten(), thin, parts, triples])


class FrequencyLoss:
    """Running frequencies of generated slices, held against those of the real ones.

    Parameters
    ----------
    wanted_KS : of slices normal to each axis
    phases : n
    distances : of the pairs in `wanted_KS`
    """

    def __init__(
        self, wanted_KS: Tensor, phases: int, distances: Sequence[int] = DISTANCES
    ) -> None:
        self.distances = distances
        self.wanted = wanted_KS
        pairs, thin, parts, triples = _split(wanted_KS, phases, distances)
        self.scale = torch.cat(
            [
                pairs + RARE_PAIR,
                thin + RARE_THIN,
                (parts.abs() + RARE_PART) / PART_WEIGHT,
                (triples + RARE_TRIPLE) / TRIPLE_WEIGHT,
            ],
            1,
        )
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
        slices = [part_BNYX[::EVERY] for part_BNYX in slices]
        soft_KS = torch.stack([frequencies(part, self.distances) for part in slices])
        with torch.no_grad():
            counted_KS = torch.stack(
                [frequencies(_decided(part), self.distances) for part in slices]
            )
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
    phases = torch.arange(slices_BNYX.shape[1], device=slices_BNYX.device)
    one_hot_BYXN = first_largest(slices_BNYX)[..., None] == phases
    return one_hot_BYXN.to(slices_BNYX.dtype).movedim(-1, 1)
