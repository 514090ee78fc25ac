"""Training crops of real slices, and slices of generated volumes.

Legend of shape suffixes: B crops or volumes, N high-res phases, Z Y X voxels. Images stay
on the device as uint8; crops are cut and one-hot encoded there in one go, without a loop
over samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.training.frequencies.labels import one_hot


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
    turn = not anisotropic if rotations == "auto" else "zyx"[axis] in rotations
    rows, columns = (may_mirror(mirrors, other) for other in range(3) if other != axis)
    return turn, (rows, columns)


def may_mirror(mirrors: str, axis: int) -> bool:
    """Whether the material may be mirrored along an axis; as for `plane_symmetries`."""
    return mirrors == "auto" or "zyx"[axis] in mirrors


def random_slices(
    volumes_BNZYX: Tensor, axis: int, count: int | None, random: torch.Generator
) -> Tensor:
    """Return slices normal to `axis` of each volume, (B · count, N, rows, columns).

    `count` slices of each, without repetition; None for all.
    """
    size = volumes_BNZYX.shape[axis + 2]
    if count is not None and count < size:
        index = torch.randperm(size, generator=random)[:count].to(volumes_BNZYX.device)
        volumes_BNZYX = volumes_BNZYX.index_select(axis + 2, index)
    slices = volumes_BNZYX.movedim(axis + 2, 1)
    return slices.reshape(-1, *slices.shape[2:])
