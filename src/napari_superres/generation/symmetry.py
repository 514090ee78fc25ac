"""Symmetries of a material: the turns and mirrors under which it looks the same.

Of an isotropic material g⁻¹ G(g · low-res, noise) is as good a sample as G(low-res, noise),
with g any of the 48 symmetries of the cube. A generator is not symmetric itself: a preferred
side of its own then differs from realisation to realisation instead of being in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Box, Triple
from napari_superres.data.volumes import Labels
from napari_superres.fusion.crops.slices import may_mirror, plane_symmetries

AXES = range(3)
STEP = 29
"""Prime to the number of symmetries of any material: consecutive seeds have different ones."""


@dataclass(frozen=True, order=True)
class Symmetry:
    """A turn, a mirror, or both, of a volume.

    Attributes
    ----------
    order : axis of the volume that lies along each axis of the turned one
    mirrored : whether the turned volume is reversed along each of its axes
    """

    order: Triple = (0, 1, 2)
    mirrored: tuple[bool, bool, bool] = (False, False, False)

    def __str__(self) -> str:
        """Return it as ``-y+z+x``: what lies along z, y and x of the turned volume."""
        signs = ("-" if mirror else "+" for mirror in self.mirrored)
        return "".join(sign + "zyx"[axis] for sign, axis in zip(signs, self.order, strict=True))

    def shape(self, shape: Sequence[int]) -> Triple:
        """Return the shape of the turned volume."""
        z, y, x = (shape[axis] for axis in self.order)
        return z, y, x

    def turn(self, volume_ZYX: Tensor) -> Tensor:
        """Return the turned volume."""
        return volume_ZYX.permute(self.order).flip(self._reversed)

    def back(self, labels: Labels) -> Labels:
        """Return the labels of a turned box as they lie in the volume."""
        return np.flip(labels, self._reversed).transpose(np.argsort(self.order))

    def box(self, box: Box, shape: Sequence[int]) -> Box:
        """Return where a box of a volume of this shape lies in the turned one."""
        ranges = list(box.ranges())
        pairs = []
        for axis, mirror in zip(self.order, self.mirrored, strict=True):
            lo, hi = ranges[axis]
            pairs.append((shape[axis] - hi, shape[axis] - lo) if mirror else (lo, hi))
        return Box.of_ranges(pairs)

    def then(self, other: Symmetry) -> Symmetry:
        """Return this one followed by another."""
        order = tuple(self.order[axis] for axis in other.order)
        mirrored = tuple(
            self.mirrored[axis] != mirror
            for axis, mirror in zip(other.order, other.mirrored, strict=True)
        )
        return Symmetry(order, mirrored)  # type: ignore[arg-type]

    @property
    def _reversed(self) -> tuple[int, ...]:
        return tuple(axis for axis in AXES if self.mirrored[axis])


IDENTITY = Symmetry()


def symmetries_of(settings: TrainingSettings) -> tuple[Symmetry, ...]:
    """Return the symmetries that a training's `rotations` and `mirrors` allow, identity first.

    Axes change places only where their scale factors are equal.
    """
    generators = []
    for axis in AXES:
        first, second = (other for other in AXES if other != axis)
        turns, _ = plane_symmetries(
            settings.rotations, settings.mirrors, axis, anisotropic=settings.anisotropic
        )
        factors = settings.scale_factor
        if turns and factors[first] == factors[second]:
            generators.append(_quarter_turn(first, second))
        elif turns:
            generators.append(_mirror(first).then(_mirror(second)))
        if may_mirror(settings.mirrors, axis):
            generators.append(_mirror(axis))
    found = {IDENTITY}
    new = found
    while new:
        new = {one.then(other) for one in new for other in generators} - found
        found |= new
    return tuple(sorted(found))


def symmetry_of_seed(seed: int, symmetries: Sequence[Symmetry]) -> Symmetry:
    """Return the symmetry of a realisation; that of seed 0 is the identity."""
    return symmetries[seed * STEP % len(symmetries)]


def _mirror(axis: int) -> Symmetry:
    z, y, x = (other == axis for other in AXES)
    return Symmetry(mirrored=(z, y, x))


def _quarter_turn(first: int, second: int) -> Symmetry:
    order = [0, 1, 2]
    order[first], order[second] = second, first
    return Symmetry((order[0], order[1], order[2]), _mirror(first).mirrored)
