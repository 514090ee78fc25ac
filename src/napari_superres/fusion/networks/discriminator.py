"""The discriminators, which tell generated slices from real ones.

Legend of shape suffixes: B slices, N phases (one-hot or probabilities), Y X pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from napari_superres.config import EngineSettings


class Discriminator(nn.Module):
    """Convolutions over a slice; the score is the mean over its patches."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, slices_BNYX: Tensor) -> Tensor:
        """Return one score per slice, (B,) float32; higher is more real."""
        scores: Tensor = self.layers(slices_BNYX)
        return scores.float().mean((1, 2, 3))


def light_discriminator(phases: int, channels: Sequence[int]) -> Discriminator:
    """Return strided convolutions k4 s2 of `channels`, one k3, and a 1² score per patch."""
    layers: list[nn.Module] = []
    c_in = phases
    for c_out in channels:
        layers += [nn.Conv2d(c_in, c_out, 4, 2, 1), nn.LeakyReLU(0.2)]
        c_in = c_out
    layers += [nn.Conv2d(c_in, c_in, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(c_in, 1, 1)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, 0.2)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return Discriminator(nn.Sequential(*layers))


def paper_discriminator(phases: int, channels: Sequence[int]) -> Discriminator:
    """Return the paper's discriminator (Dahari et al. 2022, SI Figure 13).

    Conv2d and ReLU without normalisation: k4 s2 p1 three times, k3 s2 p1, then
    k4 s2 p0 to one channel: one score for a 56² slice.
    """
    layers: list[nn.Module] = []
    c_in = phases
    for index, c_out in enumerate(channels):
        last = index == len(channels) - 1
        layers += [nn.Conv2d(c_in, c_out, 3 if last else 4, 2, 1), nn.ReLU()]
        c_in = c_out
    layers.append(nn.Conv2d(c_in, 1, 4, 2, 0))
    return Discriminator(nn.Sequential(*layers))


def build_discriminators(
    settings: EngineSettings, phases: int, *, anisotropic: bool
) -> nn.ModuleList:
    """Return one discriminator shared by all axes, or one for each of z, y, x."""
    make = paper_discriminator if settings.generator == "paper" else light_discriminator
    count = 3 if anisotropic else 1
    return nn.ModuleList(make(phases, settings.discriminator_channels) for _ in range(count))
