"""Match the volume fractions of generated crops to those of the inputs.

Legend of shape suffixes: B crops, M low-res phases, N high-res phases, Z Y X voxels.

A crop holds as much of a phase as its place in the low-res volume has, so a few crops
say little about the whole. What the place explains is known from the low-res volume
and is subtracted; the rest has a fifth of the spread or less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.phases import value_counts
from napari_superres.data.volumes import Labels
from napari_superres.fusion.losses.voxel import voxel_cross_entropy
from napari_superres.training.frequencies.labels import first_largest, one_hot
from napari_superres.training.frequencies.running_mean import RunningMean

SCALE = 0.05
"""Error of a fraction that counts as one."""
LARGEST_ERROR = 0.15
"""Errors are clipped to this, in units of `SCALE`."""
LOST = 0.1
"""A phase with less than this share of its fraction counts as lost."""


def pooled_fractions(arrays: Sequence[Labels], phases: int) -> NDArray[np.float64]:
    """Return the volume fractions, (phases,), of several images or volumes together."""
    counts = np.sum([value_counts(array)[:phases] for array in arrays], axis=0)
    return np.asarray(counts / counts.sum())


def wanted_fractions(
    high_res_N: NDArray[np.float64],
    low_res_M: NDArray[np.float64],
    lr_of_hr: Sequence[int],
    *,
    agree: bool,
) -> NDArray[np.float64]:
    """Return the fraction that each high-res phase should have in the volume, (n,).

    Where the slices represent the volume (`agree`), that in the slices. Where not, they only
    give how the high-res phases share what the low-res volume has of theirs.
    """
    wanted = high_res_N.astype(np.float64).copy()
    if not agree:
        belongs = np.asarray(lr_of_hr)
        for phase, share in enumerate(low_res_M):
            parts = belongs == phase
            if wanted[parts].sum() > 0:
                wanted[parts] *= share / wanted[parts].sum()
    return np.asarray(wanted / wanted.sum())


class FractionLoss(RunningMean):
    """Compares the running volume fractions of generated crops with those wanted.

    Parameters
    ----------
    wanted_N : of the whole super-res volume
    low_res_M : fractions in the low-res volume
    lr_of_hr : low-res phase of each high-res phase
    device : of the crops
    """

    def __init__(
        self,
        wanted_N: NDArray[np.float64],
        low_res_M: NDArray[np.float64],
        lr_of_hr: Sequence[int],
        device: torch.device,
    ) -> None:
        self.wanted = torch.as_tensor(wanted_N, dtype=torch.float32, device=device)
        self.low_res = torch.as_tensor(low_res_M, dtype=torch.float32, device=device)
        self.lr_of_hr = torch.as_tensor(lr_of_hr, device=device)
        totals = torch.zeros_like(self.low_res).index_add_(0, self.lr_of_hr, self.wanted)
        self.share = self.wanted / totals[self.lr_of_hr].clamp_min(1e-9)
        super().__init__("fractions", self.wanted)

    def __call__(self, fake_BNZYX: Tensor, low_res_BMZYX: Tensor) -> Tensor:
        """Return the mean squared error of the running fractions, a scalar; more where one is lost.

        Labels are counted, the gradient is that of the probabilities, as in `FrequencyLoss`;
        `low_res_BMZYX` is one-hot and of the same crops.
        """
        soft_N = fake_BNZYX.mean((0, 2, 3, 4))
        with torch.no_grad():
            labels = first_largest(fake_BNZYX)
            counted_N = one_hot(labels, len(self.wanted)).mean((0, 2, 3, 4))
            explained_M = low_res_BMZYX.mean((0, 2, 3, 4)) - self.low_res
            counted_N = counted_N - self.share * explained_M[self.lr_of_hr]
            found_N = self.latest(counted_N)
            error_N = (found_N - self.wanted) / SCALE
            error_N.clamp_(-LARGEST_ERROR, LARGEST_ERROR)
        pull = 2 * error_N / SCALE * (soft_N - soft_N.detach())
        loss = error_N.square().mean() + pull.mean()
        if self.any_lost(found_N, soft_N.detach()):
            loss = loss + self.recovery_loss(fake_BNZYX, low_res_BMZYX)
        return loss

    def any_lost(self, found_N: Tensor, soft_N: Tensor) -> bool:
        """Return whether phases have so little left that no other loss recovers them.

        That is where a low-res phase has no labels, or a high-res one neither labels nor
        probability; running fractions `found_N` of labels, mean probabilities `soft_N`.
        """
        least_N = LOST * self.wanted
        without_N = found_N < least_N
        groups_M = torch.zeros_like(self.low_res).index_add_(0, self.lr_of_hr, found_N - least_N)
        return bool((groups_M < 0).any() | (without_N & (soft_N < least_N)).any())

    def recovery_loss(self, fake_BNZYX: Tensor, low_res_BMZYX: Tensor) -> Tensor:
        """Return the cross-entropy towards the low-res volume as it is, up-sampled.

        A generator collapsed to one phase has saturated probabilities, which let no gradient of
        the discriminator or of frequencies through; the voxel-wise loss of a sampled volume
        sees one voxel in many. The logarithm's gradient vanishes nowhere. High-res phases share
        out the low-res phase that they belong to as they do on the whole.
        """
        coarse = functional.interpolate(low_res_BMZYX.float(), fake_BNZYX.shape[2:])
        wanted_BNZYX = coarse[:, self.lr_of_hr] * self.share.view(1, -1, 1, 1, 1)
        return voxel_cross_entropy(fake_BNZYX, wanted_BNZYX)
