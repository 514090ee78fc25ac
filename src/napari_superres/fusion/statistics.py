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
PART_WEIGHT, TRIPLE_WEIGHT = 2.0, 4.0
EVERY = 3
"""Of so many slices one is looked at: those of a crop are much alike, and it takes time."""
PIXELS = (-4, -3, -2)
"""Axes B, Y and X; any before them are of sets of slices, each counted by itself."""
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
    axis = direction - 3
    reach = slices_BYXN.shape[axis] - distance
    here = slices_BYXN.narrow(axis, 0, reach).flatten(-4, -2)
    there = slices_BYXN.narrow(axis, distance, reach).flatten(-4, -2)
    return here.mT @ there / here.shape[-2]


def thin_frequencies(slices_BYXN: Tensor, direction: int, distance: int) -> Tensor:
    """Return how often a phase is there, but at `distance` on neither side, and the reverse.

    The chance of chords shorter than about twice the distance, of each phase and of
    what it is not.

    Returns
    -------
    (2 N,) specks of each phase, then gaps in each phase
    """
    axis = direction - 3
    reach = slices_BYXN.shape[axis] - 2 * distance
    before, here, after = (slices_BYXN.narrow(axis, start * distance, reach) for start in range(3))
    both = before * after
    here_sides = here * (before + after)
    here_both = here * both
    specks = here.mean(PIXELS) - here_sides.mean(PIXELS) + here_both.mean(PIXELS)
    return torch.cat([specks, both.mean(PIXELS) - here_both.mean(PIXELS)], -1)


def euler_densities(slices_BYXN: Tensor) -> Tensor:
    """Return the Euler characteristic of each phase per pixel, (N,).

    Parts less holes, with pixels joined by their sides: pixels − adjacent pairs + full
    2 × 2 blocks. The third Minkowski functional in two dimensions, beside area and
    boundary length. Two-point frequencies do not tell it.
    """
    upper, lower = slices_BYXN[..., :-1, :, :], slices_BYXN[..., 1:, :, :]
    here, right = upper[..., :-1, :], upper[..., 1:, :]
    down, across = lower[..., :-1, :], lower[..., 1:, :]
    row, column = here * right, here * down
    block = row * (down * across)
    return here.mean(PIXELS) - row.mean(PIXELS) - column.mean(PIXELS) + block.mean(PIXELS)


def triple_frequencies(slices_BYXN: Tensor) -> Tensor:
    """Return for each three phases P(all are among 2 × 2 pixels), C(N, 3) values.

    In a volume these blocks are the edges normal to the slice, so this is the density
    of the triple phase boundary by direction. By inclusion and exclusion, from the
    probabilities that one, two or all three phases are missing in a block.
    """
    phases = slices_BYXN.shape[-1]
    if phases < 3:
        return slices_BYXN.new_zeros(*slices_BYXN.shape[:-4], 0)
    without, signs = _inclusion_exclusion(phases, slices_BYXN.device)
    missing = (1 - slices_BYXN @ without).clamp_min(0)
    missing = missing[..., 1:, :, :] * missing[..., :-1, :, :]
    missing = (missing[..., 1:, :] * missing[..., :-1, :]).mean(PIXELS)
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
    slices_BYXN = slices_BNYX.movedim(-3, -1)
    pairs = [
        pair_frequencies(slices_BYXN, direction, distance).flatten(-2)
        for direction in (0, 1)
        for distance in distances
    ]
    thin = [
        thin_frequencies(slices_BYXN, direction, distance)
        for direction in (0, 1)
        for distance in THIN_DISTANCES
    ]
    parts, triples = euler_densities(slices_BYXN), triple_frequencies(slices_BYXN)
    return torch.cat([*pairs, *thin, parts, triples], -1)


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
        soft_KS = self._of_each(slices)
        with torch.no_grad():
            counted_KS = self._of_each([_decided(part_BNYX) for part_BNYX in slices])
            counted_KS = distributed.mean_over_ranks(counted_KS)
            self.running.lerp_(counted_KS, 1 - KEPT)
            self.weight.lerp_(torch.ones_like(self.weight), 1 - KEPT)
            error_KS = (self.running / self.weight - self.wanted) / self.scale
            error_KS.clamp_(-LARGEST_ERROR, LARGEST_ERROR)
        pull = 2 * error_KS / self.scale * (soft_KS - soft_KS.detach())
        return error_KS.square().mean() + pull.mean()

    def _of_each(self, slices: Sequence[Tensor]) -> Tensor:
        """Return the frequencies of slices normal to each axis, (K, S); alike ones in one go."""
        if len({part_BNYX.shape for part_BNYX in slices}) == 1:
            return frequencies(torch.stack(list(slices)), self.distances)
        return torch.stack([frequencies(part, self.distances) for part in slices])

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
