"""The style-based networks and their layers."""

import pytest
import torch

from napari_superres.synthesis.layers import blur
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


def layouts(start: str) -> torch.Tensor:
    torch.manual_seed(0)
    generator = Generator(TINY.replace(start=start), 16, 1)
    w = generator.broadcast(generator.mapping(torch.randn(8, generator.latent)))
    noise = [torch.zeros(8, 1, r, r) for r in generator.noise_sizes()]
    with torch.no_grad():
        images: torch.Tensor = generator(w, noise)
    return images[:, 0]


def likeness(images: torch.Tensor) -> float:
    return float(torch.corrcoef(images.flatten(1)).abs().mean())


def test_images_of_other_styles_are_laid_out_otherwise_where_they_start_from_the_style() -> None:
    assert likeness(layouts("style")) < likeness(layouts("constant"))
