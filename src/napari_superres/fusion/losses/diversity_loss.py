"""Reward realisations of the same low-res crop that differ.

Legend of shape suffixes: B crops, N high-res phases, Z Y X voxels.

Neither the discriminator nor the voxel-wise loss requires that noise changes anything: a
generator that makes one plausible volume of each low-res volume satisfies both. But
realisations should differ where the low-res volume leaves things open, or their spread
says nothing of the uncertainty. Mode seeking (Mao et al. 2019, eq. 4) rewards it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_superres.training.frequencies.labels import first_largest
from napari_superres.training.frequencies.running_mean import RunningMean

FLOOR = 0.01
"""Added to the share of voxels that differ before its logarithm is taken."""
TWICE_EVERY = 4
"""One generator step in so many makes two realisations of each crop."""
FIRST_UPDATES = 150
"""Updates before the reward begins, as the material comes first; whole at twice as many."""


def share_of_reward(updates: float) -> float:
    """Return how much of the reward counts after so many updates of the generator, 0 to 1."""
    return min(max(updates / FIRST_UPDATES - 1, 0.0), 1.0)


def now_twice(step: int, critic_steps: int) -> bool:
    """Whether a step makes two realisations of each of its crops."""
    begun = share_of_reward(step / critic_steps) > 0
    return begun and step % (TWICE_EVERY * critic_steps) == 0


class DiversityLoss(RunningMean):
    """Minus the logarithm of the share of voxels in which realisations differ.

    Of the logarithm, so that the reward falls as the share grows, and what the slices
    allow sets where it ends.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__("diversity", torch.zeros((), device=device))

    def __call__(self, fake_BNZYX: Tensor) -> Tensor:
        """Return the loss, a scalar; crop i and i + B / 2 have the same low-res crop.

        Labels are counted, the gradient is that of the probabilities, as in `FrequencyLoss`.
        Of these the squared difference: softer probabilities do not make it larger.
        """
        first, second = fake_BNZYX.chunk(2)
        soft = 0.5 * (first - second).square().sum(1).mean()
        with torch.no_grad():
            differ = (first_largest(first) != first_largest(second)).float().mean()
            share = self.latest(differ) + FLOOR
        return -share.log() - (soft - soft.detach()) / share
