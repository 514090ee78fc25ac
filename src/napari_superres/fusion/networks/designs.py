"""The two designs of the generator: the light one, and the paper's.

The light one has all its width at the coarse grid and adds noise after each
convolution; it never pads, its low-res input is read with real context. The paper's
has the layers of Dahari et al. 2022 (SI Figure 13), which pad by replication at the
faces of the volume.
"""

from __future__ import annotations

from itertools import count

from napari_superres.config import EngineSettings
from napari_superres.fusion.networks.blocks import Block, Convolution, OutputConvolution, Residual
from napari_superres.fusion.networks.generator import Generator
from napari_superres.fusion.networks.light_blocks import factor_stages, up_convolution
from napari_superres.fusion.networks.paper_blocks import paper_blocks, saved_names
from napari_superres.scale_factor import ScaleFactor

OUTPUT_SCALE = 0.1
"""The last convolution starts at a tenth: a saturated softmax has no gradient back."""


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
    layers = count(1)

    def noisy(c_in: int, c_out: int) -> Convolution:
        return Convolution(c_in, c_out, layer())

    def layer() -> int | None:
        return next(layers) if settings.noise == "levels" else None

    input_noise = settings.noise == "input"
    blocks: list[Block] = [noisy(low_phases + input_noise, widths[0])]
    blocks += [
        Residual([noisy(widths[0], widths[0]), noisy(widths[0], widths[0])])
        for _ in range(settings.residual_blocks)
    ]
    for c_in, c_out, factor in zip(widths, widths[1:], stages, strict=False):
        blocks.append(up_convolution(c_in, c_out, factor, layer()))
        blocks.append(Residual([noisy(c_out, c_out)]))
    blocks.append(OutputConvolution(widths[-1], high_phases, OUTPUT_SCALE))
    return Generator(
        blocks,
        scale_factor,
        low_phases,
        high_phases,
        padded=False,
        input_noise=input_noise,
        saved_names=_light_names(blocks),
    )


def _light_names(blocks: list[Block]) -> dict[str, str]:
    """Return path of a layer in a residual block : the name of its tensors in a checkpoint."""
    names: dict[str, str] = {}
    for number, block in enumerate(blocks):
        if isinstance(block, Residual):
            own = ("",) if len(block.branch) == 1 else (".first", ".second")
            names |= {
                f"blocks.{number}.branch.{at}": f"blocks.{number}{name}"
                for at, name in enumerate(own)
            }
    return names


def paper_generator(
    settings: EngineSettings, scale_factor: ScaleFactor, low_phases: int, high_phases: int
) -> Generator:
    """Return the paper's network (Dahari et al. 2022, SI Figure 13)."""
    input_noise = settings.noise != "off"
    blocks = paper_blocks(low_phases + input_noise, scale_factor, settings.residual_blocks)
    blocks.append(OutputConvolution(64, high_phases, scale=1.0))
    return Generator(
        blocks,
        scale_factor,
        low_phases,
        high_phases,
        padded=True,
        input_noise=input_noise,
        saved_names=saved_names(blocks),
    )
