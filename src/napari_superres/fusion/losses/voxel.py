"""The adversarial and voxel-wise losses: mathematics only.

Legend of shape suffixes: B slices or volumes, M low-res phases, N high-res
phases, Z Y X voxels. Scores are (B,) discriminator outputs, higher is more real.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def voxel_mismatch(
    down_BMZYX: Tensor, low_res_BMZYX: Tensor, one_sided_M: Tensor | None = None
) -> Tensor:
    """Return MSE · m/2: for one-hot volumes, the fraction of mismatched voxels.

    Dahari et al. 2022, Algorithm 1 line 9. With `one_sided_M` (bool), only the
    marked low-res phases are compared, and only where they are in the low-res
    volume: they must be kept but may also appear elsewhere.
    """
    if one_sided_M is not None and bool(one_sided_M.any()):
        low = low_res_BMZYX[:, one_sided_M]
        return F.mse_loss(down_BMZYX[:, one_sided_M] * low, low)
    phases = low_res_BMZYX.shape[1]
    return F.mse_loss(down_BMZYX, low_res_BMZYX) * (phases / 2)


def voxel_cross_entropy(
    down_BMZYX: Tensor,
    low_res_BMZYX: Tensor,
    one_sided_M: Tensor | None = None,
    given_back_BMZYX: Tensor | None = None,
) -> Tensor:
    """Return −Σ w · y · log p of the down-sampled probabilities, a mean over voxels.

    Its gradient does not vanish where the softmax is saturated, as that of the mean
    squared error does, so that a generator collapsed to one phase recovers. For that
    the probabilities are cut off near float32's smallest, no earlier.

    Parameters
    ----------
    down_BMZYX : blurred and down-sampled probabilities p
    low_res_BMZYX : one-hot low-res phases y
    one_sided_M : as for `voxel_mismatch`
    given_back_BMZYX : near one-hot p̂; then w = 1 − p̂, so that only voxels that are
        not recovered are pulled, and the others are free; None for w = 1 everywhere
    """
    terms = low_res_BMZYX * torch.log(down_BMZYX.clamp_min(1e-30))
    if given_back_BMZYX is not None:
        terms = terms * (1 - given_back_BMZYX.detach())
    if one_sided_M is not None and bool(one_sided_M.any()):
        terms = terms[:, one_sided_M]
    return -terms.sum(1).mean()


def saturation_penalty(logits_BNZYX: Tensor, limit: float = 15.0) -> Tensor:
    """Return the mean square of the excess over `limit` of logits, less their mean over N.

    Zero while training goes well. A generator that has collapsed to one phase has
    logits far beyond, where no other loss has a gradient; this one leads it back.
    """
    centred = logits_BNZYX - logits_BNZYX.mean(1, keepdim=True)
    return torch.relu(centred.abs() - limit).square().mean()
