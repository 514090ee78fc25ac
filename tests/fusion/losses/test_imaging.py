"""The imaging model of the loss: that of `data.down_sampling`, after the phase map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_superres.config import ImagingModel, TrainingSettings
from napari_superres.data.down_sampling import down_sample, down_sampling_matrix
from napari_superres.fusion.losses.imaging import Imaging

LOW, HIGH = (3, 4, 5), (6, 12, 20)
LOW_OF_HIGH = (0, 1, 0)


def settings_of(model: ImagingModel) -> TrainingSettings:
    return TrainingSettings(
        scale_factor=(2, 3, 4), phase_map={0: 0, 1: 1, 2: 0}, imaging=model, device="cpu"
    )


def imaging(model: ImagingModel) -> Imaging:
    return Imaging(settings_of(model), LOW_OF_HIGH, 2, LOW, HIGH, torch.device("cpu"))


def probabilities() -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.softmax(3 * torch.randn((2, 3, *HIGH), generator=random), 1)


@pytest.mark.parametrize("model", ImagingModel)
def test_phases_are_joined_then_down_sampled_along_each_axis(model: ImagingModel) -> None:
    fine = probabilities()
    joined = torch.stack([fine[:, 0] + fine[:, 2], fine[:, 1]], 1)
    z, y, x = (
        down_sampling_matrix(low, high, factor, model)
        for low, high, factor in zip(LOW, HIGH, settings_of(model).scale_factor, strict=True)
    )
    expected = down_sample(joined.numpy(), (z, y, x))
    found = imaging(model).soft(fine)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.sum(1), torch.ones(2, *LOW))


def test_blurred_probabilities_are_brought_near_one_hot_and_sampled_ones_left() -> None:
    soft = torch.tensor([0.55, 0.45]).view(1, 2, 1, 1, 1)
    sharp = imaging(ImagingModel.BLURRED).near_one_hot(soft)
    assert sharp[0, 0].item() == pytest.approx(1 / (1 + np.exp(-10)), rel=1e-4)
    assert imaging(ImagingModel.SAMPLED).near_one_hot(soft) is soft
