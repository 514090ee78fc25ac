"""How often phases meet in slices: frequencies that can be counted and have a gradient.

Legend of shape suffixes: B slices, N high-res phases, Y X rows and columns; S statistics.
Axes before B are of sets of slices, each counted by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import torch
from torch import Tensor

DISTANCES = (1, 2, 4, 8, 16)
"""Of the pairs, in high-res voxels; those beyond half of a crop's side are left out."""
THIN_DISTANCES = (1, 2)
"""From the middle of a speck or gap to where it has ended, in high-res voxels."""
PIXELS = (-4, -3, -2)
"""Axes B, Y and X."""
AT_ONCE = 2**26
"""Values that triples are counted from at once: of many phases there are many groups."""


def pair_frequencies(slices_BYXN: Tensor, direction: int, distance: int) -> Tensor:
    """Return P(phase a at x and phase b at x + distance), (N, N), adding up to 1.

    `direction` is 0 down the rows, 1 along the columns; `distance` in pixels, smaller than the
    slices.
    """
    axis = direction - 3
    reach = slices_BYXN.shape[axis] - distance
    here = slices_BYXN.narrow(axis, 0, reach).flatten(-4, -2)
    there = slices_BYXN.narrow(axis, distance, reach).flatten(-4, -2)
    return here.mT @ there / here.shape[-2]


def thin_frequencies(slices_BYXN: Tensor, direction: int, distance: int) -> Tensor:
    """Return how often a phase is there, but at `distance` on neither side, and the reverse.

    The chance of chords shorter than about twice the distance, of each phase and of
    what it is not: (2 N,) specks of each phase, then gaps in each phase.
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
    boundary length. It does not follow from two-point frequencies.
    """
    upper, lower = slices_BYXN[..., :-1, :, :], slices_BYXN[..., 1:, :, :]
    here, right = upper[..., :-1, :], upper[..., 1:, :]
    down, across = lower[..., :-1, :], lower[..., 1:, :]
    row, column = here * right, here * down
    block = row * (down * across)
    return here.mean(PIXELS) - row.mean(PIXELS) - column.mean(PIXELS) + block.mean(PIXELS)


def neighbour_frequencies(slices_BYXN: Tensor) -> Tensor:
    """Return how often a pixel stands out from its four neighbours, by phase, (4 N,).

    In this order the chance that a pixel has a phase and none of its neighbours does, that it
    has it and one does, that it alone lacks it and all do, and that it lacks it and three do:
    specks and pits of a pixel, and ends of threads and cracks a pixel wide.
    """
    here = slices_BYXN[..., 1:-1, 1:-1, :]
    up, down = slices_BYXN[..., :-2, 1:-1, :], slices_BYXN[..., 2:, 1:-1, :]
    left, right = slices_BYXN[..., 1:-1, :-2, :], slices_BYXN[..., 1:-1, 2:, :]
    both_Y, both_X = up * down, left * right
    one_Y, one_X = up + down - 2 * both_Y, left + right - 2 * both_X
    none_Y, none_X = 1 - one_Y - both_Y, 1 - one_X - both_X
    lacks = 1 - here
    found = (
        here * none_Y * none_X,
        here * (none_Y * one_X + one_Y * none_X),
        lacks * both_Y * both_X,
        lacks * (both_Y * one_X + one_Y * both_X),
    )
    return torch.cat([one.mean(PIXELS) for one in found], -1)


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
    at_once = max(AT_ONCE // slices_BYXN[..., 0].numel(), 1)
    groups = torch.split(without, at_once, 1)
    missing = torch.cat([_missing(slices_BYXN, some) for some in groups], -1)
    return 1 + missing @ signs


def _missing(slices_BYXN: Tensor, without: Tensor) -> Tensor:
    """Return for each column of `without` P(none of its phases is among 2 × 2 pixels)."""
    missing = (1 - slices_BYXN @ without).clamp_min(0)
    missing = missing[..., 1:, :, :] * missing[..., :-1, :, :]
    return (missing[..., 1:, :] * missing[..., :-1, :]).mean(PIXELS)


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
    """Return those of `DISTANCES` that fit slices whose smallest side has `side` pixels."""
    return tuple(distance for distance in DISTANCES if 2 * distance <= side) or DISTANCES[:1]


def frequencies(slices_BNYX: Tensor, distances: Sequence[int] = DISTANCES) -> Tensor:
    """Return all frequencies of slices, (S,): of pairs, thin parts, parts, neighbours, triples.

    Parameters
    ----------
    slices_BNYX : probabilities or one-hot
    distances : of the pairs, in pixels
    """
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
    others = (euler_densities, neighbour_frequencies, triple_frequencies)
    return torch.cat([*pairs, *thin, *(of(slices_BYXN) for of in others)], -1)


def by_kind(
    frequencies_S: Tensor, phases: int, distances: Sequence[int] = DISTANCES
) -> tuple[Tensor, ...]:
    """Return pairs, thin parts, parts, neighbours, triples: what `frequencies` joined."""
    sizes = [
        2 * len(distances) * phases**2,
        2 * len(THIN_DISTANCES) * 2 * phases,
        phases,
        4 * phases,
    ]
    rest = frequencies_S.shape[-1] - sum(sizes)
    return torch.split(frequencies_S, [*sizes, rest], -1)
