"""The adversarial and voxel-wise losses: mathematics only.

Legend of shape suffixes: B slices or volumes, M low-res phases, N high-res
phases, Z Y X voxels. Scores are (B,) discriminator outputs, higher is more real.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Score = Callable[[Tensor], Tensor]


def generator_loss(kind: str, fake_B: Tensor, real_B: Tensor) -> Tensor:
    """Return the adversarial loss of the generator.

    relativistic: softplus(real − fake), paired (Huang et al. 2025, eq. 2);
    logistic: softplus(−fake) (Goodfellow et al. 2014, non-saturating);
    wasserstein: −fake (Dahari et al. 2022, Algorithm 1).
    """
    if kind == "relativistic":
        return F.softplus(real_B - fake_B).mean()
    if kind == "logistic":
        return F.softplus(-fake_B).mean()
    return -fake_B.mean()


def discriminator_loss(kind: str, fake_B: Tensor, real_B: Tensor) -> Tensor:
    """Return the adversarial loss of the discriminator, its penalty not included."""
    if kind == "relativistic":
        return F.softplus(fake_B - real_B).mean()
    if kind == "logistic":
        return F.softplus(fake_B).mean() + F.softplus(-real_B).mean()
    return fake_B.mean() - real_B.mean()


def zero_centred_penalty(scores_B: Tensor, slices_BNYX: Tensor) -> Tensor:
    """Return half the mean squared gradient of the scores (R1 on reals, R2 on fakes).

    Mescheder et al. 2018, eq. 9; multiply by γ.
    """
    (gradient,) = torch.autograd.grad(scores_B.sum(), slices_BNYX, create_graph=True)
    squares_B: Tensor = gradient.square().sum((1, 2, 3))
    return 0.5 * squares_B.mean()


def wasserstein_penalty(
    score: Score, fake_BNYX: Tensor, real_BNYX: Tensor, mix_B: Tensor
) -> Tensor:
    """Return the gradient penalty at random mixtures (Gulrajani et al. 2017, eq. 3).

    Parameters
    ----------
    mix_B : random numbers in [0, 1), one per pair of slices
    """
    share = mix_B.view(-1, 1, 1, 1)
    mixed = (share * real_BNYX + (1 - share) * fake_BNYX).requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(mixed).sum(), mixed, create_graph=True)
    lengths_B: Tensor = gradient.flatten(1).norm(dim=1)
    return (lengths_B - 1).square().mean()


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
    squared error does: a generator fallen to one phase finds its way back. For that
    the probabilities are cut off near float32's smallest, no earlier.

    Parameters
    ----------
    down_BMZYX : blurred and down-sampled probabilities p
    low_res_BMZYX : one-hot low-res phases y
    one_sided_M : as for `voxel_mismatch`
    given_back_BMZYX : near one-hot p̂; then w = 1 − p̂, so that only voxels not given
        back are pulled, and the others are free; None for w = 1 everywhere
    """
    terms = low_res_BMZYX * torch.log(down_BMZYX.clamp_min(1e-30))
    if given_back_BMZYX is not None:
        terms = terms * (1 - given_back_BMZYX.detach())
    if one_sided_M is not None and bool(one_sided_M.any()):
        terms = terms[:, one_sided_M]
    return -terms.sum(1).mean()


def saturation_penalty(logits_BNZYX: Tensor, limit: float = 15.0) -> Tensor:
    """Return the mean square of what logits exceed `limit` by, their mean over N taken off.

    Nothing while training goes well. A generator that has run into one phase has
    logits far beyond, where no other loss has a gradient; this one leads it back.
    """
    centred = logits_BNZYX - logits_BNZYX.mean(1, keepdim=True)
    return torch.relu(centred.abs() - limit).square().mean()
