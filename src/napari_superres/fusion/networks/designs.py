"""The designs of generators: the light one, and that of the paper.

The light one puts all its width at the coarse grid and adds noise after each
convolution; it never pads, its low-res input is read with real context. That of the
paper has the layers of Dahari et al. 2022 (SI Figure 13), which pad by replication at
the faces of the volume.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_superres.config import EngineSettings
from napari_superres.data.boxes import Box
from napari_superres.fusion.networks.blocks import Block, Convolution, Noise, add_to, crop_to
from napari_superres.fusion.networks.generator import Generator
from napari_superres.fusion.networks.light_blocks import factor_stages, up_convolution
from napari_superres.fusion.networks.paper_blocks import paper_blocks
from napari_superres.scale_factor import ScaleFactor

OUTPUT_SCALE = 0.1
"""The last convolution starts at a tenth: a saturated softmax has no gradient back."""


class OutputConvolution(Block):
    """The last 3³ convolution, to one logit per phase."""

    def __init__(self, c_in: int, phases: int, scale: float = OUTPUT_SCALE) -> None:
        super().__init__()
        self.conv = nn.Conv3d(c_in, phases, 3)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="linear")
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.conv.weight.mul_(scale)

    def inputs(self, out: Box) -> Box:
        return out.grown(1)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        result: Tensor = self.conv(x_BCZYX)
        return result


class ResidualBlock(Block):
    """Two noisy 3³ convolutions added to their input."""

    def __init__(self, channels: int, noise_layers: tuple[int | None, int | None]) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, noise_layers[0])
        self.second = Convolution(channels, channels, noise_layers[1])

    def inputs(self, out: Box) -> Box:
        return out.grown(2)

    def forward(self, x_BCZYX: Tensor, out: Box, noise: Noise) -> Tensor:
        middle = out.grown(1)
        y_BCZYX = self.second(self.first(x_BCZYX, middle, noise), out, noise)
        return add_to(y_BCZYX, crop_to(x_BCZYX, out.grown(2), out))


def light_generator(
    settings: EngineSettings, scale_factor: ScaleFactor, low_phases: int, high_phases: int
) -> Generator:
    """Return the light design: width at the coarse grid, noise at every level, no padding.

    Convolution and residual blocks at the low-res grid; per up-sampling stage one
    transposed convolution and one residual convolution; a last convolution to the
    phases. Widths double at each coarser level, up to `settings.max_channels`.
    """
    stages = factor_stages(scale_factor)
    widths = [
        min(settings.channels * 2**level, settings.max_channels)
        for level in range(len(stages), -1, -1)
    ]
    if not stages:
        widths = [min(2 * settings.channels, settings.max_channels)]
    layers = iter(range(1, 1000))

    def layer() -> int | None:
        return next(layers) if settings.noise == "levels" else None

    input_noise = settings.noise == "input"
    blocks: list[Block] = [Convolution(low_phases + input_noise, widths[0], layer())]
    blocks += [
        ResidualBlock(widths[0], (layer(), layer())) for _ in range(settings.residual_blocks)
    ]
    for c_in, c_out, factor in zip(widths, widths[1:], stages, strict=False):
        blocks.append(up_convolution(c_in, c_out, factor, layer()))
        blocks.append(Convolution(c_out, c_out, layer(), residual=True))
    blocks.append(OutputConvolution(widths[-1], high_phases))
    return Generator(
        blocks, scale_factor, low_phases, high_phases, padded=False, input_noise=input_noise
    )


def paper_generator(
    settings: EngineSettings, scale_factor: ScaleFactor, low_phases: int, high_phases: int
) -> Generator:
    """Return the paper's network (Dahari et al. 2022, SI Figure 13)."""
    input_noise = settings.noise != "off"
    blocks = paper_blocks(low_phases + input_noise, scale_factor, settings.residual_blocks)
    blocks.append(OutputConvolution(64, high_phases, scale=1.0))
    return Generator(
        blocks, scale_factor, low_phases, high_phases, padded=True, input_noise=input_noise
    )


def build_generator(
    settings: EngineSettings, scale_factor: ScaleFactor, low_phases: int, high_phases: int
) -> Generator:
    """Return the generator that `settings` asks for, with random weights.

    Parameters
    ----------
    settings : network settings
    scale_factor : per axis, zyx
    low_phases, high_phases : number of phases m and n
    """
    make = paper_generator if settings.generator == "paper" else light_generator
    return make(settings, scale_factor, low_phases, high_phases)
