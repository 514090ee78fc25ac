"""Images interpolated at places between their pixels, with derivatives of every order.

torch's `grid_sample` cannot be differentiated twice in older versions (2.5 cannot),
as R1 through the augmentation needs it.

Legend of shape suffixes: B images, C channels, Y X pixels, N places.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor


def sample(images_BCYX: Tensor, grid_BYX2: Tensor) -> Tensor:
    """Return images at places, bilinear, mirrored outside: (B, C, Y, X) of the grid.

    Parameters
    ----------
    images_BCYX : images
    grid_BYX2 : x, y of each place; -1 and 1 are the outer edges of the outer pixels
    """
    if _twice_differentiable(images_BCYX.device.type):
        return F.grid_sample(
            images_BCYX, grid_BYX2, mode="bilinear", padding_mode="reflection", align_corners=False
        )
    return gathered(images_BCYX, grid_BYX2)


def gathered(images_BCYX: Tensor, grid_BYX2: Tensor) -> Tensor:
    """Do as `sample` does by indexing, which is linear in the images and so has all derivatives."""
    batch, channels, rows, columns = images_BCYX.shape
    x, y = (
        _mirrored((grid_BYX2[..., place] + 1) * size / 2 - 0.5, size).flatten(1)
        for place, size in enumerate((columns, rows))
    )
    left_BN, top_BN = x.floor().clamp(max=columns - 1), y.floor().clamp(max=rows - 1)
    flat_BCN = images_BCYX.flatten(2)
    result = torch.zeros(batch, channels, x.shape[1]).to(images_BCYX)
    for down in (0, 1):
        for right in (0, 1):
            row_BN = (top_BN + down).clamp(max=rows - 1)
            column_BN = (left_BN + right).clamp(max=columns - 1)
            weight_BN = (1 - (y - top_BN - down).abs()) * (1 - (x - left_BN - right).abs())
            index_BN = (row_BN * columns + column_BN).long()
            taken = flat_BCN.gather(2, index_BN[:, None].expand(-1, channels, -1))
            result = result + weight_BN[:, None] * taken
    return result.reshape(batch, channels, *grid_BYX2.shape[1:3])


def _mirrored(place: Tensor, size: int) -> Tensor:
    """Return places in [0, size - 1], mirrored at the outer edges of the outer pixels."""
    from_edge = torch.remainder(place + 0.5, 2 * size)
    return (torch.minimum(from_edge, 2 * size - from_edge) - 0.5).clamp(0, size - 1)


@cache
def _twice_differentiable(device: str) -> bool:
    """Whether this torch differentiates `grid_sample` twice."""
    image = torch.ones(1, 1, 2, 2, device=device, requires_grad=True)
    seen = F.grid_sample(image, torch.zeros(1, 1, 1, 2, device=device), align_corners=False)
    (gradient,) = torch.autograd.grad(seen.square().sum(), image, create_graph=True)
    try:
        gradient.square().sum().backward()  # type: ignore[no-untyped-call]
    except (RuntimeError, NotImplementedError):
        return False
    return True
