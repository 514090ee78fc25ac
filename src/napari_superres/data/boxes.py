"""Boxes of voxels: half-open index ranges along z, y and x, possibly outside a volume."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Self

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Box:
    """Voxels ``start[a] <= index[a] < stop[a]`` for the axes a = z, y, x.

    Negative indices lie outside the volume; they never count from the end.
    """

    start: Triple
    stop: Triple

    @classmethod
    def whole(cls, shape: Sequence[int]) -> Self:
        """Return the box of a volume of `shape`, starting at 0."""
        z, y, x = shape
        return cls((0, 0, 0), (z, y, x))

    @classmethod
    def of_ranges(cls, ranges: Iterable[tuple[int, int]]) -> Self:
        """Return the box of these (start, stop) along z, y, x, as `ranges` yields them."""
        (z0, z1), (y0, y1), (x0, x1) = ranges
        return cls((z0, y0, x0), (z1, y1, x1))

    @property
    def shape(self) -> Triple:
        """Number of voxels along z, y, x."""
        z, y, x = (stop - start for start, stop in zip(self.start, self.stop, strict=True))
        return z, y, x

    @property
    def size(self) -> int:
        """Number of voxels."""
        z, y, x = self.shape
        return z * y * x

    def grown(self, *margins: int) -> Self:
        """Return the box with `margins` more voxels on both sides (one for all, or zyx)."""
        z, y, x = margins if len(margins) == 3 else margins * 3
        grow = (z, y, x)
        return self.of_ranges(
            [(lo - m, hi + m) for lo, hi, m in zip(self.start, self.stop, grow, strict=True)]
        )

    def within(self, bounds: Box) -> Self:
        """Return the part of the box inside `bounds` (empty boxes get stop = start)."""
        pairs = []
        for lo, hi, b_lo, b_hi in zip(
            self.start, self.stop, bounds.start, bounds.stop, strict=True
        ):
            new_lo = min(max(lo, b_lo), b_hi)
            pairs.append((new_lo, max(new_lo, min(hi, b_hi))))
        return self.of_ranges(pairs)

    def moved(self, offset: Sequence[int]) -> Self:
        """Return the box shifted by `offset` (zyx)."""
        return self.of_ranges(
            [(lo + o, hi + o) for lo, hi, o in zip(self.start, self.stop, offset, strict=True)]
        )

    def slices(self, origin: Sequence[int] = (0, 0, 0)) -> tuple[slice, slice, slice]:
        """Return slices into an array whose first voxel has index `origin`."""
        z, y, x = (
            slice(lo - o, hi - o) for lo, hi, o in zip(self.start, self.stop, origin, strict=True)
        )
        return z, y, x

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Yield (start, stop) along z, y, x."""
        yield from zip(self.start, self.stop, strict=True)


def cut(box: Box, shape: Sequence[int]) -> list[Box]:
    """Cut a box into boxes of `shape` from its start; the last ones may be smaller.

    They come in zyx order and cover each voxel once.
    """
    axes = [
        [(at, min(at + size, hi)) for at in range(lo, hi, size)]
        for (lo, hi), size in zip(box.ranges(), shape, strict=True)
    ]
    return list(_boxes(axes))


def cut_evenly(box: Box, largest: Sequence[int]) -> list[Box]:
    """Cut a box into boxes of nearly equal shape, none larger than `largest`."""
    axes = []
    for (lo, hi), size in zip(box.ranges(), largest, strict=True):
        parts = math.ceil((hi - lo) / size)
        edges = [lo + (hi - lo) * part // parts for part in range(parts + 1)]
        axes.append(list(pairwise(edges)))
    return list(_boxes(axes))


def halves(box: Box) -> list[Box]:
    """Cut a box in two along its longest axis."""
    longest = max(range(3), key=lambda axis: box.shape[axis])
    shape = [
        math.ceil(size / 2) if axis == longest else size for axis, size in enumerate(box.shape)
    ]
    return cut(box, shape)


def _boxes(axes: Sequence[Sequence[tuple[int, int]]]) -> Iterator[Box]:
    for z, y, x in product(*axes):
        yield Box((z[0], y[0], x[0]), (z[1], y[1], x[1]))
