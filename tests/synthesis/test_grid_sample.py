from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from napari_superres.synthesis import grid_sample


def test_gathering_gives_what_torch_gives_and_its_gradients() -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 6, 9, generator=random, requires_grad=True)
    grid = 3 * torch.randn(2, 5, 7, 2, generator=random)  # well outside, too
    ours = grid_sample.gathered(images, grid)
    theirs = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    seen = torch.randn(ours.shape, generator=random)
    gradients = [torch.autograd.grad((one * seen).sum(), images)[0] for one in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("able", [True, False])
def test_sampling_has_a_second_derivative(able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if able and not grid_sample._twice_differentiable("cpu"):
        pytest.skip("this torch cannot")
    monkeypatch.setattr(grid_sample, "_twice_differentiable", lambda device: able)
    images = torch.rand(1, 1, 4, 4, requires_grad=True)
    values = grid_sample.sample(images, torch.zeros(1, 2, 2, 2)).square().sum()
    (gradient,) = torch.autograd.grad(values, images, create_graph=True)
    gradient.square().sum().backward()  # type: ignore[no-untyped-call]
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
