"""The loss on frequencies pulls as the squared error would whose value it has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_superres.training.frequencies import frequency_loss
from napari_superres.training.frequencies.frequency_loss import (
    EVERY,
    FrequencyLoss,
    wanted_frequencies,
)
from napari_superres.training.frequencies.labels import one_hot
from napari_superres.training.frequencies.statistics import frequencies

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


def test_a_large_image_is_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    image = (np.indices((96, 64)).sum(0) // 5 % 3).astype(np.uint8)
    whole = wanted_frequencies([image], 3, DISTANCES, turned=False, mirrored=(False, False))
    monkeypatch.setattr(frequency_loss, "PIECE", 40)
    sizes = [piece.shape for piece in frequency_loss.pieces(image)]
    assert sizes == [(32, 32)] * 6
    parts = wanted_frequencies([image], 3, DISTANCES, turned=False, mirrored=(False, False))
    assert not torch.equal(parts, whole)
    torch.testing.assert_close(parts, whole, rtol=0.05, atol=0.005)
