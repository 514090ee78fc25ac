"""Training crops: low-res patches with their context, and real slices.

Legend of shape suffixes: B crops, M low-res phases, N high-res phases, Z Y X
voxels. Images stay on the device as uint8; crops are cut and one-hot encoded
there in one go, without a loop over samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.boxes import Box, Triple
from napari_superres.fusion.labels import one_hot

Orientations = tuple[Tensor, Tensor]
"""Of patches: the volume's axis along each of theirs (B, 3), and whether mirrored, (B, 3) bool."""


class LowResSampler:
    """Random patches of the low-res volume, with real context around them.

    Parameters
    ----------
    labels : (Z, Y, X) uint8 phase indices
    phases : m
    core : shape of a patch in low-res voxels, zyx
    context : box relative to a patch's first voxel that the generator reads
    real_context : whether the context is the volume's own, or the patch's border repeated
    step : patch starts are multiples of this, so that starts · sf are whole
    alike : None, or one value an axis: then patches are mirrored along each axis at
        random, and axes of equal values change places (augmentation)
    """

    def __init__(
        self,
        labels: NDArray[np.uint8],
        phases: int,
        core: Triple,
        context: Box,
        step: Triple,
        device: torch.device,
        *,
        real_context: bool = True,
        alike: Sequence[object] | None = None,
    ) -> None:
        self.real_context = real_context
        self.orders_P3 = None if alike is None else _orders(alike)
        self.labels = torch.from_numpy(np.ascontiguousarray(labels)).to(device)
        self.phases = phases
        self.core = core
        self.context = context
        self.step = step
        self.positions = [
            (size - side) // every + 1
            for size, side, every in zip(labels.shape, core, step, strict=True)
        ]

    def random_starts(self, count: int, random: torch.Generator) -> Tensor:
        """Return (count, 3) int64 first voxels of patches, at random.

        Uniform over all positions but the outermost, which come as often as half a patch
        of others: patches at uniform positions would see the volume's border too seldom,
        and together have other phase fractions than the volume.
        """
        columns = []
        for positions, side, every in zip(self.positions, self.core, self.step, strict=True):
            more = (side // every - 1) // 2
            places = torch.randint(positions + 2 * more, (count,), generator=random) - more
            columns.append(places.clamp(0, positions - 1) * every)
        return torch.stack(columns, 1)

    def patches(
        self, starts_B3: Tensor, box: Box, orientations: Orientations | None = None
    ) -> Tensor:
        """Return labels of `box` around each start; outside the volume its border repeats.

        Parameters
        ----------
        starts_B3 : first voxel of each patch in the volume
        box : relative to a patch's first voxel, in the patch's own orientation
        orientations : of each patch; None for that of the volume

        Returns
        -------
        (B, *box.shape) uint8
        """
        device = self.labels.device
        starts = starts_B3.to(device)
        shape = torch.tensor(self.labels.shape, device=device)
        strides = torch.tensor(self.labels.stride(), device=device)
        index = torch.zeros((), dtype=torch.int64, device=device)
        for axis, (lo, hi) in enumerate(box.ranges()):
            offsets = torch.arange(lo, hi, device=device)
            if not self.real_context:
                offsets = offsets.clamp(0, self.core[axis] - 1)
            first, last, stride = starts[:, axis], shape[axis] - 1, strides[axis]
            if orientations is not None:
                order_B, mirrored_B = (part[:, axis].to(device) for part in orientations)
                first = starts.gather(1, order_B[:, None])[:, 0]
                last, stride = shape[order_B][:, None] - 1, strides[order_B][:, None]
                offsets = torch.where(mirrored_B[:, None], self.core[axis] - 1 - offsets, offsets)
            places = (first[:, None] + offsets).clamp_min(0).minimum(last) * stride
            sides = [1, 1, 1]
            sides[axis] = hi - lo
            index = index + places.view(-1, *sides)
        return self.labels.flatten()[index]

    def random_orientations(self, count: int, random: torch.Generator) -> Orientations | None:
        """Return orientations of patches, each equally likely; None without augmentation."""
        if self.orders_P3 is None:
            return None
        which = torch.randint(len(self.orders_P3), (count,), generator=random)
        return self.orders_P3[which], torch.randint(2, (count, 3), generator=random).bool()

    def pair(
        self, starts_B3: Tensor, random: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return one-hot patches with context, and without: (B, M, Z, Y, X) float32 both.

        With `random`, and where it is asked for, they are augmented.
        """
        orientations = None
        if random is not None:
            orientations = self.random_orientations(len(starts_B3), random)
        context = self.patches(starts_B3, self.context, orientations)
        core = context[(slice(None), *Box.whole(self.core).slices(self.context.start))]
        return one_hot(context, self.phases), one_hot(core, self.phases)


def _orders(alike: Sequence[object]) -> Tensor:
    """Return the ways, (P, 3), in which axes of equal values can change places."""
    return torch.tensor(
        [
            order
            for order in permutations(range(3))
            if all(alike[to] == alike[axis] for axis, to in enumerate(order))
        ]
    )


class SliceSampler:
    """Random crops of a set of high-res images of any sizes, mirrored and turned.

    Every place in every image, in every allowed orientation that fits, is equally
    likely; images that a crop does not fit into are left out.

    Parameters
    ----------
    images : (rows, columns) uint8 phase indices each
    phases : n
    size : rows and columns of a crop
    rotate : also turn crops by quarter turns
    mirror : also mirror crops, for all (bool) or along (rows, columns)
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.uint8]],
        phases: int,
        size: tuple[int, int],
        device: torch.device,
        *,
        rotate: bool = True,
        mirror: bool | tuple[bool, bool] = True,
    ) -> None:
        self.phases = phases
        self.size = size
        along = mirror if isinstance(mirror, tuple) else (mirror, mirror)
        self.rotate = rotate
        # turned and mirrored along one side is mirrored along the other
        self.mirror = torch.tensor([any(along)] * 2 if rotate else along)
        rows, columns = size
        shapes = torch.tensor([image.shape for image in images], dtype=torch.int64)
        offsets = torch.cumsum(shapes.prod(1), 0) - shapes.prod(1)
        self.pixels = torch.from_numpy(
            np.concatenate([np.ascontiguousarray(image).ravel() for image in images])
        ).to(device)
        turned = [False, True] if rotate else [False]
        sides = [torch.tensor([columns, rows] if turn else [rows, columns]) for turn in turned]
        self.free = torch.cat([shapes - side for side in sides])
        self.columns = shapes[:, 1].repeat(len(turned))
        self.offsets = offsets.repeat(len(turned))
        self.turned = torch.tensor(turned).repeat_interleave(len(images))
        places = (self.free + 1).clamp_min(0).prod(1).double()
        self.weights = places / places.sum()

    def sample(self, count: int, random: torch.Generator) -> Tensor:
        """Return (count, N, rows, columns) float32 one-hot crops."""
        rows, columns = self.size
        which = torch.multinomial(self.weights, count, replacement=True, generator=random)
        turned = self.turned[which]
        places = self.free[which] + 1
        first = (torch.rand(count, 2, generator=random, dtype=torch.float64) * places).long()
        flips = self._flips(torch.randint(2, (count, 2), generator=random).bool(), turned)
        r = torch.arange(rows)[None, :].expand(count, rows)
        c = torch.arange(columns)[None, :].expand(count, columns)
        r = torch.where(flips[:, :1], rows - 1 - r, r)
        c = torch.where(flips[:, 1:], columns - 1 - c, c)
        width = self.columns[which][:, None]
        # a turned crop walks down the image along its columns
        row_part = torch.where(turned[:, None], r, r * width)
        column_part = torch.where(turned[:, None], c * width, c)
        base = self.offsets[which] + first[:, 0] * self.columns[which] + first[:, 1]
        index = base[:, None, None] + row_part[:, :, None] + column_part[:, None, :]
        return one_hot(self.pixels[index.to(self.pixels.device)], self.phases)

    def _flips(self, coin_B2: Tensor, turned_B: Tensor) -> Tensor:
        """Return which sides of each crop are reversed, (B, 2) bool."""
        if self.rotate and not bool(self.mirror.any()):
            # half a turn reverses both sides; a quarter turn is transposed, one side reversed
            first_B = coin_B2[:, 0]
            return torch.stack([first_B, first_B ^ turned_B], 1)
        return coin_B2 & self.mirror


def plane_symmetries(
    rotations: str, mirrors: str, axis: int, *, anisotropic: bool
) -> tuple[bool, tuple[bool, bool]]:
    """Return whether slices normal to `axis` may be turned, and mirrored along rows and columns.

    Parameters
    ----------
    rotations : axes whose slices may be turned: letters of "zyx", "none", or "auto" (all
        when isotropic, none when anisotropic)
    mirrors : axes along which the material may be mirrored: letters, "none" or "auto" (all)
    axis : 0 z, 1 y, 2 x
    """
    turn = not anisotropic if rotations == "auto" else "zyx"[axis] in rotations.replace("none", "")
    along = "zyx" if mirrors == "auto" else mirrors.replace("none", "")
    rows, columns = (name in along for name in "zyx" if name != "zyx"[axis])
    return turn, (rows, columns)


def random_slices(
    volumes_BNZYX: Tensor, axis: int, count: int | None, random: torch.Generator
) -> Tensor:
    """Return slices normal to `axis` (0 z, 1 y, 2 x) of each volume.

    Parameters
    ----------
    volumes_BNZYX : generated probabilities
    count : slices per volume, without repetition; None for all

    Returns
    -------
    (B · count, N, rows, columns)
    """
    size = volumes_BNZYX.shape[axis + 2]
    if count is not None and count < size:
        index = torch.randperm(size, generator=random)[:count].to(volumes_BNZYX.device)
        volumes_BNZYX = volumes_BNZYX.index_select(axis + 2, index)
    slices = volumes_BNZYX.movedim(axis + 2, 1)
    return slices.reshape(-1, *slices.shape[2:])
