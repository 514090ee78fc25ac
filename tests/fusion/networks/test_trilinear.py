from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import nn

from napari_superres.config import PRESETS, Preset
from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.generator import Generator, RandomNoise
from napari_superres.fusion.networks.trilinear import convolve_on_coarse_grid, interpolation
from napari_superres.scale_factor import parse_scale_factor, super_res_shape

TWO = (Fraction(2),) * 3


def convolution(dtype: torch.dtype = torch.float64) -> nn.Conv3d:
    torch.manual_seed(0)
    return nn.Conv3d(3, 2, 3).to(dtype)


def on_whole_volume(x: torch.Tensor, conv: nn.Conv3d, factor: tuple[Fraction, ...]) -> torch.Tensor:
    coarse = Box.whole(x.shape[2:])
    fine = Box.whole(super_res_shape(coarse.shape, factor))
    return convolve_on_coarse_grid(x, conv, factor, coarse, fine, fine)


@pytest.mark.parametrize("text", ["2", "8/5", "4/3", "2,1,2", "1"])
def test_order_of_up_sampling_and_convolution_does_not_matter(text: str) -> None:
    factor = parse_scale_factor(text)
    x, conv = torch.randn(2, 3, 5, 10, 15, dtype=torch.float64), convolution()
    if text == "4/3":
        x = x.narrow(2, 0, 3).narrow(3, 0, 6)
    up = nn.functional.interpolate(
        x, scale_factor=[float(part) for part in factor], mode="trilinear", align_corners=False
    )
    plain = conv(nn.functional.pad(up, (1,) * 6, mode="replicate"))
    torch.testing.assert_close(on_whole_volume(x, conv, factor), plain)


def test_what_a_generation_has_interpolated_a_training_can_use() -> None:
    interpolation.cache_clear()
    x, conv = torch.randn(1, 3, 2, 3, 2, dtype=torch.float64), convolution()
    with torch.inference_mode():
        on_whole_volume(x, conv, TWO)
    on_whole_volume(x, conv, TWO).sum().backward()
    assert conv.weight.grad is not None


def test_gradients_on_the_coarse_grid_are_exact() -> None:
    x = torch.randn(1, 3, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    conv = convolution()

    def run(*inputs: torch.Tensor) -> torch.Tensor:
        for name, value in zip(("weight", "bias"), inputs[1:], strict=True):
            delattr(conv, name) if hasattr(conv, name) else None
            setattr(conv, name, value)
        return on_whole_volume(inputs[0], conv, TWO)

    weight, bias = (p.detach().clone().requires_grad_(True) for p in conv.parameters())
    assert torch.autograd.gradcheck(run, (x, weight, bias))


def test_interpolation_repeats_the_border_at_the_faces() -> None:
    first_tap = interpolation((0, 2), (0, 4), (0, 4), Fraction(2))[0]
    expected = torch.tensor([[1, 0], [1, 0], [0.75, 0.25], [0.25, 0.75]], dtype=torch.float64)
    torch.testing.assert_close(first_tap, expected)


@pytest.mark.parametrize("text", ["4", "16/3", "8/5", "6,3,3"])
def test_the_paper_generator_gives_the_same_inside_a_volume_and_at_its_faces(text: str) -> None:
    torch.manual_seed(0)
    factor = parse_scale_factor(text)
    generator = thin(build_generator(PRESETS[Preset.PAPER], factor, 2, 3))
    shape = (7, 6, 5)
    size = super_res_shape(shape, factor)
    out = Box((0, 3, size[2] - 4), (4, 8, size[2]))
    low_res = torch.rand(2, 2, *generator.low_res_box(out, shape).shape, dtype=torch.float64)
    found = []
    for on_coarse_grid in (True, False):
        for block in generator.blocks:
            block.on_coarse_grid = on_coarse_grid
        noise = RandomNoise(torch.Generator().manual_seed(0))
        found.append(generator.double().logits(low_res, out, shape, noise))
    torch.testing.assert_close(found[0], found[1])


def thin(generator: Generator) -> Generator:
    """Return the generator with every layer of width 1 to 3 only."""
    for module in generator.modules():
        conv = getattr(module, "conv", None)
        norm = getattr(module, "norm", None)
        if conv is None:
            continue
        c_in = min(conv.in_channels, 3)
        c_out = min(conv.out_channels, 3)
        module.conv = type(conv)(c_in, c_out, conv.kernel_size, conv.stride)
        if norm is not None:
            module.norm = nn.BatchNorm3d(c_out)
    return generator


def test_bfloat16_is_as_near_as_in_the_plain_order() -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(32, 8, 3)
    x = torch.randn(1, 32, 8, 8, 8)
    exact = on_whole_volume(x, conv, TWO)
    up = nn.functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)
    with torch.autocast("cpu", torch.bfloat16):
        near = on_whole_volume(x, conv, TWO)
        plain = conv(nn.functional.pad(up, (1,) * 6, mode="replicate"))
    assert near.dtype == torch.bfloat16
    error = (near.float() - exact).square().mean()
    assert error < 5 * (plain.float() - exact).square().mean()
