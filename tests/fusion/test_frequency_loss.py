"""The loss on frequencies pulls as the squared error would whose value it has."""

from __future__ import annotations

import torch

from napari_superres.fusion.frequency_loss import EVERY, FrequencyLoss
from napari_superres.fusion.labels import one_hot
from napari_superres.fusion.statistics import frequencies

DISTANCES = (1, 2)


def test_the_gradient_is_that_of_the_mean_squared_relative_error() -> None:
    random = torch.Generator().manual_seed(0)
    slices = [
        one_hot(torch.randint(3, (2 * EVERY, 12, 12), generator=random), 3).requires_grad_(True)
        for _ in range(3)
    ]
    found_KS = torch.stack([frequencies(part[::EVERY], DISTANCES) for part in slices])
    loss = FrequencyLoss(1.02 * found_KS.detach(), 3, DISTANCES)
    expected = ((found_KS - loss.wanted) / loss.scale).square().mean()
    value = loss(slices)
    torch.testing.assert_close(value, expected)
    gradients = (torch.autograd.grad(one, slices) for one in (value, expected))
    for ours, theirs in zip(*gradients, strict=True):
        assert theirs.abs().max() > 0
        torch.testing.assert_close(ours, theirs)
