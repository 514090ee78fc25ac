"""Noise as a pure function of (seed, layer, global voxel index).

Tiles, workers and regions must all see the same noise at the same voxel, in
whatever order they work, so it cannot come from a sequence of random numbers.
A voxel's index is hashed to 32 bits, of which the upper 16 choose one of 65,536
equally likely quantiles of the normal distribution. Only integer arithmetic and
one table are used: CPU and GPU give the same numbers.

Legend of shape suffixes: B batch, Z Y X voxels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import NoiseInjection
from napari_superres.fusion.networks.generator import Generator
from napari_superres.scale_factor import ScaleFactor

Words = NDArray[np.uint64]

ONE: ScaleFactor = (Fraction(1), Fraction(1), Fraction(1))
WEYL = np.uint64(0x9E3779B97F4A7C15)
"""2⁶⁴ divided by the golden ratio: the step of splitmix64 (Steele et al. 2014)."""
QUANTILES = 1 << 16
CACHED_VOXELS = 1 << 18
"""Voxels hashed at a time: 1 MiB, which stays in a core's cache."""


@dataclass(frozen=True)
class NoiseField:
    """A realisation of the noise, everywhere and at every level.

    Attributes
    ----------
    factors : voxels per low-res voxel on the grid of each layer; 1 for a layer without
    period : low-res voxels, zyx, after which the noise repeats; None on an axis
        where it does not
    held : low-res voxels whose noise is that of `held_seed` instead
    """

    seed: int
    factors: Mapping[int, ScaleFactor] = field(default_factory=dict)
    period: tuple[int | None, int | None, int | None] = (None, None, None)
    held: Box | None = None
    held_seed: int = 0

    def __call__(self, layer: int, box: Box, like_BCZYX: Tensor) -> Tensor:
        """Return noise of mean 0 and variance 1.

        Parameters
        ----------
        layer : of the network; layers are independent of each other
        box : voxels of that layer's grid; negative indices lie outside the volume
        like_BCZYX : gives device, floating type and B; the B fields are equal

        Returns
        -------
        (B, 1, *box.shape) of the type of `like_BCZYX`
        """
        noise_ZYX = self._at(self.seed, layer, box, like_BCZYX)
        if self.held is not None:
            self._hold(noise_ZYX, layer, box, like_BCZYX)
        return noise_ZYX.expand(like_BCZYX.shape[0], 1, *box.shape)

    def _hold(self, noise_ZYX: Tensor, layer: int, box: Box, like: Tensor) -> None:
        assert self.held is not None
        held = grid_box(self.held, self._factor(layer)).within(box)
        if held.size:
            noise_ZYX[held.slices(box.start)] = self._at(self.held_seed, layer, held, like)

    def _factor(self, layer: int) -> ScaleFactor:
        return self.factors.get(layer, ONE)

    def _at(self, seed: int, layer: int, box: Box, like: Tensor) -> Tensor:
        periods = [
            None if period is None else math.floor(period * factor)
            for period, factor in zip(self.period, self._factor(layer), strict=True)
        ]
        key = _splitmix(np.array([seed], np.uint64), np.uint64(layer))
        z, y, x = (
            _axis_words(lo, hi, period, _splitmix(key, np.uint64(axis)))
            for axis, ((lo, hi), period) in enumerate(zip(box.ranges(), periods, strict=True))
        )
        return _normal(_splitmix(z[:, None], y[None, :]), x, like)


def grid_box(low_res: Box, factor: ScaleFactor) -> Box:
    """Return the voxels of a finer grid whose centres lie in a box of low-res voxels."""
    pairs = [
        (math.ceil(lo * part - Fraction(1, 2)), math.ceil(hi * part - Fraction(1, 2)))
        for (lo, hi), part in zip(low_res.ranges(), factor, strict=True)
    ]
    return Box.of_ranges(pairs)


def layer_factors(generator: Generator) -> dict[int, ScaleFactor]:
    """Return the voxels per low-res voxel of the grid of every noise layer."""
    factors = {0: ONE}
    reached = list(ONE)
    for block in generator.blocks:
        reached = [done * part for done, part in zip(reached, block.factor, strict=True)]
        for module in block.modules():
            if isinstance(module, NoiseInjection):
                factors[module.layer] = (reached[0], reached[1], reached[2])
    return factors


def _axis_words(lo: int, hi: int, period: int | None, key: Words) -> Words:
    index = np.arange(lo, hi, dtype=np.int64)
    if period is not None:
        index %= period
    return _splitmix(key, index.astype(np.uint64))


def _splitmix(state: Words, step: Words | np.uint64) -> Words:
    """Return the well-mixed 64-bit words of splitmix64 at `step` from `state`."""
    with np.errstate(over="ignore"):
        z = state + (step + np.uint64(1)) * WEYL
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def _normal(rows_ZY: Words, columns_X: Words, like: Tensor) -> Tensor:
    """Return the noise of every row (64 bits) and column (32 bits), (Z, Y, X)."""
    device = like.device
    low_ZY1 = _int32(rows_ZY, device)[..., None]
    high_ZY1 = _int32(rows_ZY >> np.uint64(32), device)[..., None]
    columns = _int32(columns_X, device)
    table = _quantiles(device, like.dtype)
    noise = torch.empty((*rows_ZY.shape, len(columns_X)), dtype=like.dtype, device=device)
    for planes in _cached_planes(noise.shape, device):
        hashed = low_ZY1[planes] + columns
        hashed ^= (hashed >> 16) & 0xFFFF
        hashed *= 0x21F0AAAD
        hashed += high_ZY1[planes]  # rows that share their lower 32 bits differ from here on
        hashed ^= (hashed >> 15) & 0x1FFFF
        hashed *= 0x735A2D97
        hashed >>= 16
        hashed += QUANTILES // 2
        noise[planes] = table.index_select(0, hashed.view(-1)).view(hashed.shape)
    return noise


def _cached_planes(shape: Sequence[int], device: torch.device) -> list[slice]:
    planes, rows, columns = shape
    step = max(CACHED_VOXELS // (rows * columns), 1) if device.type == "cpu" else planes
    return [slice(start, start + step) for start in range(0, planes, step)]


def _int32(words: Words, device: torch.device) -> Tensor:
    return torch.from_numpy(words.astype(np.uint32).view(np.int32)).to(device)


@cache
def _quantiles(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the normal quantiles of 65,536 equal probabilities, scaled to variance 1."""
    middles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    normal = ndtri(middles)
    return torch.from_numpy(normal / normal.std()).to(device, dtype)
