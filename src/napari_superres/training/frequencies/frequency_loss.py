"""Match the phase statistics of generated slices to those of the real ones.

Legend of shape suffixes: B slices, N high-res phases, Y X rows and columns; K axes that
slices are normal to, S statistics.

The real slices give some statistics exactly that a discriminator learns slowly: how often
each phase lies beside each other one, in which direction (the two-point correlations at
short distances), how often it is a speck or a gap of one to three voxels, how many parts
it has, how rough it is by single voxels, and how often three phases meet. A generator that
is right in everything else may still coat the others from one side only, be rough, join
particles that are apart, or bring three phases together too often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.training.frequencies.labels import first_largest, one_hot
from napari_superres.training.frequencies.running_mean import RunningMean
from napari_superres.training.frequencies.statistics import DISTANCES, by_kind, frequencies

RARE = (0.002, 0.001, 0.0005, 0.0003, 0.001)
"""Added to a wanted frequency of each kind before errors are taken relative to it."""
WEIGHT = (1.0, 1.0, 4.0, 1.0, 4.0)
"""Of the relative error of each kind."""
EVERY = 3
"""One slice in so many is counted: those of a crop are much alike, and it takes time."""
PIECE = 2048
"""Largest side, in pixels, counted at once; pairs across the cuts are left out."""
LARGEST_ERROR = 0.15
"""Relative errors are clipped to this: other losses correct large ones."""


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
    large = [p for image in images for p in pieces(image) if min(p.shape) > max(distances)]
    sizes = torch.tensor([float(image.size) for image in large])
    each_BS = torch.stack(
        [frequencies(one_hot(torch.from_numpy(image)[None], phases), distances) for image in large]
    )
    mean_S = (each_BS * (sizes / sizes.sum())[:, None]).sum(0)
    pairs, thin, *others = by_kind(mean_S, phases, distances)
    pairs = pairs.view(2, len(distances), phases, phases)
    if turned:
        pairs = pairs.mean(0, keepdim=True).expand(2, -1, -1, -1)
        thin = thin.view(2, -1).mean(0).repeat(2)
        mirrored = (True, True)
    ways = [
        (way + way.mT) / 2 if alike else way for way, alike in zip(pairs, mirrored, strict=True)
    ]
    return torch.cat([torch.stack(ways).flatten(), thin, *others])


def pieces(image: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield an image, or its parts of at most `PIECE` pixels a side.

    Each phase of each pixel is a float in `frequencies`: gigabytes for the largest micrographs.
    """
    for rows in np.array_split(image, -(-image.shape[0] // PIECE)):
        yield from np.array_split(rows, -(-image.shape[1] // PIECE), axis=1)


class FrequencyLoss(RunningMean):
    """Compares the running frequencies of generated slices with those of the real ones.

    Parameters
    ----------
    wanted_KS : of slices normal to each axis
    phases : n
    distances : of the pairs in `wanted_KS`
    every : one slice in so many is counted
    """

    def __init__(
        self,
        wanted_KS: Tensor,
        phases: int,
        distances: Sequence[int] = DISTANCES,
        every: int = EVERY,
    ) -> None:
        self.every = every
        self.distances = distances
        self.wanted = wanted_KS
        kinds = by_kind(wanted_KS, phases, distances)
        self.scale = torch.cat(
            [
                (kind.abs() + rare) / weight
                for kind, rare, weight in zip(kinds, RARE, WEIGHT, strict=True)
            ],
            1,
        )
        super().__init__("frequencies", wanted_KS)

    def __call__(self, slices: Sequence[Tensor]) -> Tensor:
        """Return the mean squared relative error of the running frequencies, a scalar.

        The labels that the probabilities give are counted; the gradient is that of the
        probabilities. The latest slices are a small share of the running mean, so
        none is pulled by itself to the average of the material.

        Parameters
        ----------
        slices : generated probabilities (B, N, Y, X) normal to each axis
        """
        slices = [part_BNYX[:: self.every] for part_BNYX in slices]
        soft_KS = self._of_each(slices)
        with torch.no_grad():
            counted_KS = self._of_each([_decided(part_BNYX) for part_BNYX in slices])
            error_KS = (self.latest(counted_KS) - self.wanted) / self.scale
            error_KS.clamp_(-LARGEST_ERROR, LARGEST_ERROR)
        pull = 2 * error_KS / self.scale * (soft_KS - soft_KS.detach())
        return error_KS.square().mean() + pull.mean()

    def _of_each(self, slices: Sequence[Tensor]) -> Tensor:
        """Return the frequencies of slices normal to each axis, (K, S); alike ones in one go."""
        if len({part_BNYX.shape for part_BNYX in slices}) == 1:
            return frequencies(torch.stack(list(slices)), self.distances)
        return torch.stack([frequencies(part, self.distances) for part in slices])


def _decided(slices_BNYX: Tensor) -> Tensor:
    """Return one-hot slices of the most likely phases."""
    phases = torch.arange(slices_BNYX.shape[1], device=slices_BNYX.device)
    one_hot_BYXN = first_largest(slices_BNYX)[..., None] == phases
    return one_hot_BYXN.to(slices_BNYX.dtype).movedim(-1, 1)
