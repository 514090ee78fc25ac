"""The style-based networks and their layers."""

import pytest
import torch

from napari_superres.synthesis.layers import StyledConv, blur
from napari_superres.synthesis.networks import Generator
from tests.synthesis.materials import TINY


@pytest.mark.parametrize("stride", [1, 2])
def test_a_blur_in_half_precision_and_its_gradient_are_those_in_full(stride: int) -> None:
    torch.manual_seed(0)
    full = torch.randn(2, 3, 8, 8).to(torch.bfloat16).float().requires_grad_()
    half = full.detach().to(torch.bfloat16).requires_grad_()
    one, other = blur(full, stride), blur(half, stride)
    assert other.dtype == torch.bfloat16
    torch.testing.assert_close(other.float(), one, atol=0.02, rtol=0.02)
    one.square().sum().backward()  # type: ignore[no-untyped-call]
    other.float().square().sum().backward()  # type: ignore[no-untyped-call]
    assert full.grad is not None
    assert half.grad is not None
    torch.testing.assert_close(half.grad.float(), full.grad, atol=0.03, rtol=0.03)


@pytest.mark.parametrize(("start", "alike"), [("constant", True), ("style", False)])
def test_only_a_layout_separates_styles_that_modulate_alike(start: str, alike: bool) -> None:
    torch.manual_seed(0)
    generator = Generator(TINY.replace(start=start), 16, 1)
    for layer in generator.modules():
        if isinstance(layer, StyledConv):
            torch.nn.init.zeros_(layer.style.weight)
    w = generator.broadcast(generator.mapping(torch.randn(2, generator.latent)))
    noise = [torch.zeros(2, 1, r, r) for r in generator.noise_sizes()]
    with torch.no_grad():
        first, second = generator(w, noise)
    assert torch.allclose(first, second, atol=1e-5) is alike


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_noise_starts_as_strong_as_it_is_set(strength: float) -> None:
    torch.manual_seed(0)
    generator = Generator(TINY.replace(noise_start=strength), 16, 1)
    w = generator.broadcast(generator.mapping(torch.randn(1, generator.latent)))
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        first, second = (generator(w, generator.draw_noise(1, random)) for _ in range(2))
    assert torch.equal(first, second) is (strength == 0)
