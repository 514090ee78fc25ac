from __future__ import annotations

import re
from fractions import Fraction

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from napari_superres.config import PRESETS, EngineSettings, Preset
from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.discriminator import build_discriminators
from napari_superres.fusion.networks.generator import RandomNoise
from napari_superres.fusion.networks.light_blocks import (
    UpConvolution,
    _nearest_then_conv,
    factor_stages,
)
from napari_superres.scale_factor import parse_scale_factor, super_res_shape

NOISE = RandomNoise(torch.Generator().manual_seed(0))
PAPER = PRESETS[Preset.PAPER]


def test_a_transposed_convolution_starts_as_nearest_up_sampling_and_convolution() -> None:
    weight, x = torch.randn(5, 4, 3, 3, 3), torch.randn(1, 4, 5, 5, 5)
    slow = torch.nn.functional.conv3d(
        torch.nn.functional.interpolate(x, scale_factor=(2, 1, 2)), weight, padding=1
    )
    fast = torch.nn.functional.conv_transpose3d(
        x, _nearest_then_conv(weight, (2, 1, 2)), stride=(2, 1, 2), padding=1
    )
    torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-4)


def test_up_sampling_reads_exactly_the_inputs_its_outputs_depend_on() -> None:
    block = UpConvolution(2, 3, (Fraction(2),) * 3, None)
    out = Box((3, 4, 5), (8, 8, 8))
    x = torch.randn(1, 2, *block.inputs(out).shape, requires_grad=True)
    block(x, block.inputs(out), out, NOISE).sum().backward()
    assert bool((x.grad != 0).all())


@pytest.mark.parametrize("text", ["1", "8/5", "2", "3", "4", "16/3", "8", "16", "4,2,2"])
def test_stages_multiply_to_the_scale_factor(text: str) -> None:
    factor = parse_scale_factor(text)
    product = [Fraction(1)] * 3
    for stage in factor_stages(factor):
        product = [p * s for p, s in zip(product, stage, strict=True)]
        assert all(1 <= part <= 2 for part in stage)
    assert tuple(product) == factor


@pytest.mark.parametrize("text", ["1", "8/5", "3", "16/3", "4,2,2"])
@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_probabilities_cover_the_super_res_grid(text: str, preset: str) -> None:
    factor = parse_scale_factor(text)
    engine = PRESETS[Preset(preset)]
    generator = build_generator(engine, factor, 2, 3).eval()
    shape = (5, 6, 5)
    whole = Box.whole(super_res_shape(shape, factor))
    low_res = torch.rand(1, 2, *generator.low_res_box(whole, shape).shape)
    with torch.no_grad():
        probabilities = generator(low_res, whole, shape, NOISE)
    assert probabilities.shape == (1, 3, *whole.shape)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(1, *whole.shape))


# Layers of METHOD, "Paper network": weights, biases and two numbers a channel per norm.
@pytest.mark.parametrize(
    ("text", "low", "high", "parameters"),
    [
        (
            "4",
            2,
            3,
            (3 * 256 + 2 * 256 * 256) * 27
            + 3 * 256
            + 3 * 2 * 256
            + (256 * 128 * 64 + 128 + 256)
            + (128 * 64 * 27 + 64 + 128)
            + (64 * 3 * 27 + 3),
        ),
        (
            "2",
            2,
            2,
            (3 * 128 + 2 * 128 * 128) * 27
            + 3 * 128
            + 3 * 2 * 128
            + (128 * 64 * 27 + 64 + 128)
            + (64 * 2 * 27 + 2),
        ),
        (
            "8",
            3,
            3,
            (4 * 512 + 2 * 512 * 512) * 27
            + 3 * 512
            + 3 * 2 * 512
            + (512 * 256 * 27 + 256 + 512)
            + (256 * 128 * 64 + 128 + 256)
            + (128 * 64 * 27 + 64 + 128)
            + (64 * 3 * 27 + 3),
        ),
    ],
)
def test_the_paper_generator_has_the_papers_parameters(
    text: str, low: int, high: int, parameters: int
) -> None:
    generator = build_generator(PAPER, parse_scale_factor(text), low, high)
    assert sum(p.numel() for p in generator.parameters()) == parameters


@pytest.mark.parametrize(("text", "gmac"), [("8/5", 117), ("2", 89), ("4", 82.5), ("8", 90)])
def test_the_paper_generator_costs_what_the_papers_does(text: str, gmac: float) -> None:
    factor = parse_scale_factor(text)
    generator = build_generator(PAPER, factor, 2, 3).eval().to("meta")
    shape = tuple(int(64 / part) for part in factor)
    low_res = torch.rand(1, 2, *shape, device="meta")

    class NoNoise:
        def __call__(self, layer: int, box: Box, like: torch.Tensor) -> torch.Tensor:
            return torch.zeros(1, 1, *box.shape, device=like.device)

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        generator(low_res, Box.whole((64, 64, 64)), shape, NoNoise())
    assert counter.get_total_flops() / 2e9 == pytest.approx(gmac, rel=0.08)


@pytest.mark.parametrize(
    ("engine", "layers"),
    [
        (PAPER, ["0", "3", "4", "8", "9", "11", "12"]),
        (
            PRESETS[Preset.QUICK].replace(residual_blocks=1),
            ["0", "1.first", "1.second", "2", "3", "4", "5", "6", "7", "8"],
        ),
    ],
    ids=["paper", "light"],
)
def test_tensors_keep_the_names_of_the_checkpoints_of_version_0_1(
    engine: EngineSettings, layers: list[str]
) -> None:
    names = build_generator(engine, parse_scale_factor(8), 2, 3).state_dict()
    found = dict.fromkeys(re.split(r"\.(?:conv|norm|noise)\.", name)[0] for name in names)
    assert list(found) == [f"blocks.{layer}" for layer in layers]


def test_the_paper_discriminator_costs_what_the_papers_does() -> None:
    (discriminator,) = build_discriminators(PAPER, 3, anisotropic=False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        scores = discriminator(torch.rand(1, 3, 56, 56))
    assert scores.shape == (1,)
    assert counter.get_total_flops() / 2e6 == pytest.approx(72.7, rel=0.05)


def test_anisotropic_materials_have_a_discriminator_for_each_axis() -> None:
    assert len(build_discriminators(PRESETS[Preset.QUICK], 2, anisotropic=True)) == 3
