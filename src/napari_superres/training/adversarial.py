"""The losses of the adversarial game: scores in, one number out.

Legend of shape suffixes: B scored images.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Score = Callable[[Tensor], Tensor]


def generator_loss(kind: str, fake_B: Tensor, real_B: Tensor) -> Tensor:
    """Return the adversarial loss of the generator, a scalar.

    Only the first kind uses `real_B`, and needs as many real as generated images.

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
    """Return the adversarial loss of the discriminator, a scalar, without its penalty."""
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
