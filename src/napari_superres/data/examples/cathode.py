"""A model of a battery cathode: 0 pore, 1 active material, 2 binder.

Particles are packed in a periodic box, then roughened; binder fills the necks
between them and coats them in patches; the rest is open pore. Nothing in the
model knows an axis, so the material is isotropic, and a plane of it can be
drawn without its volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import ndtri

from napari_superres.data.boxes import Box, Triple
from napari_superres.data.volumes import Labels

Field = NDArray[np.float32]

ACTIVE_MATERIAL = 0.48
BINDER = 0.15
SMALLEST_RADIUS, LARGEST_RADIUS = 8.0, 24.0
PACKED = 0.52  # solid fraction of the spheres; their overlaps bring it to about 0.48
OVERLAP = 0.12  # of the smaller radius, so that particles share a contact, not a point
GRID = 2  # high-res voxels between the points at which room for a particle is sought
THINNEST = 3.0  # voxels of binder on a surface, where there is any
REACH = 16.0  # voxels from a particle's surface at which it no longer matters


@dataclass(frozen=True, eq=False)
class Packing:
    """Ellipsoids in a periodic box.

    Attributes
    ----------
    box : voxels along z, y, x; the packing repeats with it
    centres : (k, 3) zyx, voxels
    radii : (k,) voxels
    stretches : (k, 3, 3) symmetric, of determinant 1, that make spheres ellipsoids
    """

    box: Triple
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    stretches: NDArray[np.float64]


def cathode_volume(side: int, rng: np.random.Generator) -> Labels:
    """Return phase indices of a cube of the material, (side, side, side)."""
    box = (side, side, side)
    nearest, second = _two_nearest(pack_particles(box, rng), Box.whole(box))
    return _phases_of(nearest, second, rng)


def cathode_slices(count: int, side: int, rng: np.random.Generator) -> list[Labels]:
    """Return phase indices of `count` distant planes of one realisation, each (side, side)."""
    spacing = round(2.5 * LARGEST_RADIUS)
    packing = pack_particles((max(spacing * count, 2 * spacing), side, side), rng)
    planes = [Box((z, 0, 0), (z + 1, side, side)) for z in range(0, spacing * count, spacing)]
    pairs = [_two_nearest(packing, plane) for plane in planes]
    nearest = np.stack([pair[0][0] for pair in pairs])
    second = np.stack([pair[1][0] for pair in pairs])
    return list(_phases_of(nearest, second, rng, planar=True))


def pack_particles(box: Triple, rng: np.random.Generator) -> Packing:
    """Pack polydisperse particles, largest first, each up against one that is there.

    A particle takes a random place that it fits in (random sequential addition),
    then the tightest one nearby, so that particles touch but do not cluster.
    Radii are log-normal, 8 to 24 voxels, and less only in a very small box.
    """
    largest = min(LARGEST_RADIUS, min(box) / 4)
    radii = _log_normal_radii(PACKED * float(np.prod(box)), min(SMALLEST_RADIUS, largest), largest)
    coarse = tuple(-(-side // GRID) for side in box)
    room = np.full(coarse, largest, np.float32)  # distance to the nearest surface
    centres, kept = [], []
    for radius in radii:
        place = _tight_place(room, radius * (1 - OVERLAP), round(radius / GRID), rng)
        if place is None:
            continue
        centre = np.minimum((place + rng.random(3)) * GRID, np.array(box) - 1e-3)
        centres.append(centre)
        kept.append(radius)
        for where, squared in _near(box, centre, radius + largest, Box.whole(coarse), GRID):
            part = room[where]
            np.minimum(part, np.sqrt(squared) - np.float32(radius), out=part)
    return Packing(box, np.array(centres), np.array(kept), _stretches(len(kept), rng))


def _tight_place(
    room: Field, needed: float, nearby: int, rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """Return the grid point with the least room, at least `needed`, near a random such point."""
    draws = rng.integers(0, room.shape, (2000, 3))
    fits = np.flatnonzero(room[tuple(draws.T)] >= needed)
    if not fits.size:
        return None
    around = [
        np.arange(start - nearby, start + nearby + 1) % size
        for start, size in zip(draws[fits[0]], room.shape, strict=True)
    ]
    local = room[np.ix_(*around)]
    tightest = np.argmin(np.where(local >= needed, local, np.inf))
    indices = np.unravel_index(int(tightest), local.shape)
    return np.array([line[index] for line, index in zip(around, indices, strict=True)])


def _log_normal_radii(volume: float, smallest: float, largest: float) -> NDArray[np.float64]:
    """Return radii in falling order whose spheres fill `volume`.

    They are quantiles, not draws, so that every realisation has the same sizes.
    """

    def quantiles(count: int) -> NDArray[np.float64]:
        normal = ndtri((np.arange(count) + 0.5) / count)
        return np.asarray(np.clip(12.0 * np.exp(0.35 * normal), smallest, largest))

    mean_volume = 4 / 3 * np.pi * float(np.mean(quantiles(1000) ** 3))
    return quantiles(max(4, round(volume / mean_volume)))[::-1].copy()


def _stretches(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    axes = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    lengths = np.exp(rng.normal(0, 0.12, (count, 3)))
    lengths /= np.prod(lengths, axis=1, keepdims=True) ** (1 / 3)
    return np.asarray(np.einsum("kia,ka,kja->kij", axes, lengths, axes))


def _near(
    box: Triple,
    centre: NDArray[np.float64],
    reach: float,
    window: Box,
    step: int = 1,
    stretch: NDArray[np.float64] | None = None,
) -> Iterator[tuple[tuple[slice, slice, slice], Field]]:
    """Yield slices into `window` and squared distances for a centre and its periodic images.

    `window` counts grid points, `step` voxels apart.
    """
    images = [
        [
            centre[axis] + turn * box[axis]
            for turn in (-1, 0, 1)
            if centre[axis] + turn * box[axis] + reach > lo * step
            and centre[axis] + turn * box[axis] - reach < hi * step
        ]
        for axis, (lo, hi) in enumerate(window.ranges())
    ]
    for image in ((z, y, x) for z in images[0] for y in images[1] for x in images[2]):
        low = [int((c - reach) // step) for c in image]
        high = [int((c + reach) // step) + 1 for c in image]
        part = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).within(window)
        lines = [
            (np.arange(lo, hi, dtype=np.float32) * step + np.float32(0.5 * step - c))
            for (lo, hi), c in zip(part.ranges(), image, strict=True)
        ]
        offsets = (lines[0][:, None, None], lines[1][:, None], lines[2])
        yield part.slices(window.start), _squared(offsets, stretch)


def _squared(offsets: tuple[Field, Field, Field], stretch: NDArray[np.float64] | None) -> Field:
    z, y, x = offsets
    if stretch is None:
        return np.asarray(z**2 + y**2 + x**2)
    form = (stretch @ stretch).astype(np.float32)
    plane = form[0, 0] * z**2 + form[1, 1] * y**2 + 2 * form[0, 1] * z * y
    tilt = 2 * (form[0, 2] * z + form[1, 2] * y)
    return np.asarray(plane + tilt * x + form[2, 2] * x**2)


def _two_nearest(packing: Packing, window: Box) -> tuple[Field, Field]:
    """Return how deep each voxel lies in the nearest and the second nearest particle.

    Voxels inside a particle count positive, outside negative, to −REACH.
    """
    nearest = np.full(window.shape, -REACH, np.float32)
    second = nearest.copy()
    for centre, radius, stretch in zip(
        packing.centres, packing.radii, packing.stretches, strict=True
    ):
        for where, squared in _near(
            packing.box, centre, radius * 1.3 + REACH, window, stretch=stretch
        ):
            depth = np.float32(radius) - np.sqrt(squared)
            first = nearest[where]
            np.maximum(second[where], np.minimum(first, depth), out=second[where])
            np.maximum(first, depth, out=first)
    return nearest, second


def _random_field(
    shape: tuple[int, ...], length: float, rng: np.random.Generator, planar: bool
) -> Field:
    """Return a Gaussian random field of unit variance, smooth over `length` voxels.

    With `planar`, each image along the first axis is its own field: a plane of a
    3D field with Gaussian covariance is the 2D field with the same covariance.
    """
    axes = range(1, 3) if planar else range(3)
    noise = fft.rfftn(rng.standard_normal(shape, np.float32), axes=tuple(axes))
    for axis in axes:
        size = shape[axis]
        waves = fft.rfftfreq(size) if axis == 2 else fft.fftfreq(size)
        line = np.exp(-2 * (np.pi * waves * length) ** 2) * np.sqrt(2 * np.sqrt(np.pi) * length)
        noise *= line.astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    field = fft.irfftn(noise, [shape[axis] for axis in axes], axes=tuple(axes))
    return np.asarray(field, np.float32)


def _phases_of(
    nearest: Field, second: Field, rng: np.random.Generator, planar: bool = False
) -> Labels:
    """Turn depths into phases of exactly the wanted fractions."""
    shape = nearest.shape
    rough = 1.6 * _random_field(shape, 6.0, rng, planar)
    rough += 0.5 * _random_field(shape, 2.5, rng, planar)
    depth = nearest + rough
    depth -= np.quantile(depth, 1 - ACTIVE_MATERIAL)
    active = depth > 0
    patches = _random_field(shape, 5.0, rng, planar)
    coating = np.minimum(depth, -THINNEST)  # level up to there: no skins of a voxel
    neck = 0.5 * (depth + second) + 0.5 * coating + 2.0 * patches
    neck[active] = -np.inf
    binder = neck > np.quantile(neck, 1 - BINDER)
    labels = np.zeros(shape, np.uint8)
    labels[active] = 1
    labels[binder] = 2
    return labels
