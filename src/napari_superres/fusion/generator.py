"""The generators: low-res one-hot plus noise in, high-res phase probabilities out.

Legend of shape suffixes: B batch, C channels, M low-res phases, N high-res
phases, Z Y X voxels.

`LightGenerator` puts all its width at the coarse grid and adds noise after each
convolution; it never pads, its low-res input is read with real context.
`PaperGenerator` has the layers of Dahari et al. 2022 (SI Figure 13), which pad
by replication at the faces of the volume.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_superres.config import EngineSettings
from napari_superres.data.boxes import Box
from napari_superres.fusion.blocks import (
    AddKept,
    Block,
    Convolution,
    Keep,
    Noise,
    add_to,
    crop_to,
    factor_stages,
    replicate_to,
    up_convolution,
)
from napari_superres.fusion.paper_blocks import (
    NormConvolution,
    TransposedConvolution,
    Trilinear,
    paper_blocks,
)
from napari_superres.scale_factor import ScaleFactor, super_res_shape

LEAST_GAIN = 2
"""Up-sampling by fewer voxels than this is not worth the detour over the coarse grid."""

OUTPUT_SCALE = 0.1
"""The last convolution starts at a tenth: a saturated softmax has no gradient back."""


class Generator(nn.Module):
    """A chain of blocks from the low-res grid to the high-res grid.

    Attributes
    ----------
    padded : whether features are replicated at the volume's faces (the paper's
        network); otherwise the low-res labels are, by whoever reads them
    on_coarse_grid : whether, on the CPU, the convolution after a trilinear up-sampling
        is done before it, for crops; sums then depend on the crop's size, so a
        generator made ready for tiles has it off
    """

    on_coarse_grid = True

    def __init__(
        self,
        blocks: Sequence[Block],
        scale_factor: ScaleFactor,
        low_phases: int,
        high_phases: int,
        *,
        padded: bool,
        input_noise: bool,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.scale_factor = scale_factor
        self.low_phases = low_phases
        self.high_phases = high_phases
        self.padded = padded
        self.input_noise = input_noise

    def boxes(self, out: Box, low_res_shape: Sequence[int]) -> list[Box]:
        """Return the box to compute on each block's input grid, then `out` itself.

        Parameters
        ----------
        out : voxels wanted, on the high-res grid
        low_res_shape : of the whole low-res volume, zyx; bounds a padded network
        """
        boxes = [out]
        cumulative = list(self.scale_factor)
        for block in reversed(list(self.blocks)):
            assert isinstance(block, Block)
            needed = block.inputs(boxes[0])
            cumulative = [c / f for c, f in zip(cumulative, block.factor, strict=True)]
            if self.padded:
                grid: ScaleFactor = (cumulative[0], cumulative[1], cumulative[2])
                needed = needed.within(Box.whole(super_res_shape(low_res_shape, grid)))
            boxes.insert(0, needed)
        return boxes

    def low_res_box(self, out: Box, low_res_shape: Sequence[int]) -> Box:
        """Return the low-res voxels that `out` depends on, real context included."""
        return self.boxes(out, low_res_shape)[0]

    def forward(
        self, low_res_BMZYX: Tensor, out: Box, low_res_shape: Sequence[int], noise: Noise
    ) -> Tensor:
        """Return phase probabilities of a box of the high-res grid.

        Parameters
        ----------
        low_res_BMZYX : one-hot low-res phases covering `low_res_box(out, …)`
        out : voxels wanted, on the high-res grid
        low_res_shape : of the whole low-res volume, zyx
        noise : source of noise

        Returns
        -------
        (B, N, Z, Y, X) float32, adding up to 1 over N
        """
        return torch.softmax(self.logits(low_res_BMZYX, out, low_res_shape, noise), 1)

    def logits(
        self, low_res_BMZYX: Tensor, out: Box, low_res_shape: Sequence[int], noise: Noise
    ) -> Tensor:
        """Return what `forward` does, before the softmax, float32."""
        boxes = self.boxes(out, low_res_shape)
        x_BCZYX = low_res_BMZYX
        if self.input_noise:
            x_BCZYX = torch.cat([x_BCZYX, noise(0, boxes[0], x_BCZYX).to(x_BCZYX.dtype)], 1)
        if x_BCZYX.device.type in ("cpu", "cuda"):
            x_BCZYX = x_BCZYX.contiguous(memory_format=torch.channels_last_3d)
        kept: list[tuple[Tensor, Box]] = []
        up: tuple[Trilinear, Box] | None = None
        for block, have, want in zip(self.blocks, boxes, boxes[1:], strict=False):
            assert isinstance(block, Block)
            if up is not None and isinstance(block, NormConvolution):
                x_BCZYX = block.up_sampled(x_BCZYX, up[0].factor, up[1], have, want)
                up = None
            elif self._waits(block, x_BCZYX):
                assert isinstance(block, Trilinear)
                up = block, have
            elif isinstance(block, Keep):
                kept.append((x_BCZYX, have))
            elif isinstance(block, AddKept):
                x_BCZYX = block.add(x_BCZYX, crop_to(*kept.pop(), want))
            elif isinstance(block, TransposedConvolution):
                x_BCZYX = block.up_sampled(x_BCZYX, have, want)
            else:
                x_BCZYX = replicate_to(x_BCZYX, have, block.inputs(want))
                x_BCZYX = block(x_BCZYX, want, noise)
        return x_BCZYX.float()

    def _waits(self, block: Block, x_BCZYX: Tensor) -> bool:
        """Whether an up-sampling is left to the convolution after it; see `coarse_grid`."""
        return (
            self.on_coarse_grid
            and isinstance(block, Trilinear)
            and math.prod(block.factor) >= LEAST_GAIN
            and x_BCZYX.device.type == "cpu"
        )


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
