"""The paper's algorithm, transcribed as plainly as it is written: what our step is timed against.

Dahari et al. 2022, Algorithm 1 and SI Figure 13: every step generates its volumes
with a graph, whether or not the generator learns from them; all slices of all
volumes go to the discriminator in one batch per axis; float32; the discriminator's
weights collect gradients in the generator's step too. Legend of shape suffixes: B
volumes or slices, C channels, N high-res phases, Z Y X voxels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CROP, MARGIN, VOLUMES, REAL_SLICES = 64, 4, 8, 64
THRESHOLD, COEFFICIENT, PENALTY, SHARPNESS = 0.005, 10.0, 10.0, 100.0
AXES = range(3)


class PlainGenerator(nn.Module):
    """SI Figure 13, for scale factors above 2 and up to 4."""

    def __init__(self, low_phases: int, high_phases: int, scale_factor: float) -> None:
        super().__init__()
        width = 2 ** (7 + int(math.log2(scale_factor - 1e-4)))
        self.rest = scale_factor / 2
        self.first = convolution(low_phases + 1, width)
        self.residual = nn.ModuleList([convolution(width, width) for _ in range(2)])
        self.up = nn.ConvTranspose3d(width, 128, 4, 2, 1)
        self.fine = convolution(128, 64)
        self.last = convolution(64, high_phases)
        self.norms = nn.ModuleList(nn.BatchNorm3d(c) for c in (width, width, width, 128, 64))

    def forward(self, x_BCZYX: Tensor) -> Tensor:
        """Return phase probabilities of low-res one-hot phases and one channel of noise."""
        x0 = F.relu(self.norms[0](self.first(x_BCZYX)))
        y = F.relu(self.norms[1](self.residual[0](x0)))
        y = F.relu(self.norms[2](self.residual[1](y)) + x0) + x0
        y = F.relu(self.norms[3](self.up(y)))
        y = F.interpolate(y, scale_factor=self.rest, mode="trilinear", align_corners=False)
        y = F.relu(self.norms[4](self.fine(y)))
        return torch.softmax(self.last(y), 1)


def convolution(c_in: int, c_out: int) -> nn.Conv3d:
    return nn.Conv3d(c_in, c_out, 3, padding=1, padding_mode="replicate")


def plain_discriminator(phases: int) -> nn.Sequential:
    """SI Figure 13: no normalisation, one score for a 56² slice."""
    return nn.Sequential(
        *(nn.Conv2d(phases, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 128, 4, 2, 1), nn.ReLU()),
        *(nn.Conv2d(128, 256, 4, 2, 1), nn.ReLU(), nn.Conv2d(256, 512, 3, 2, 1), nn.ReLU()),
        nn.Conv2d(512, 1, 4, 2, 0),
    )


class PlainTraining:
    """Algorithm 1 for an isotropic material imaged with blur.

    Parameters
    ----------
    low_res : (Z, Y, X) one-hot-able labels; `high_res` : (rows, columns) labels
    volumes : generated in a step; the paper's 8 by default
    """

    def __init__(
        self,
        low_res: Tensor,
        high_res: Tensor,
        low_of_high: list[int],
        scale_factor: int = 4,
        volumes: int = VOLUMES,
        device: str = "cpu",
    ) -> None:
        self.factor, self.volumes, self.device = scale_factor, volumes, device
        self.low_of_high = low_of_high
        low_phases, high_phases = max(low_of_high) + 1, len(low_of_high)
        self.low_res = F.one_hot(low_res.long(), low_phases).movedim(-1, 0).float().to(device)
        image = F.one_hot(high_res.long(), high_phases).movedim(-1, 0).float().to(device)
        turned = [image.rot90(k, (1, 2)) for k in range(4)]
        self.images = [*turned, *(one.flip(1) for one in turned)]
        self.generator = PlainGenerator(low_phases, high_phases, scale_factor).to(device)
        self.discriminator = plain_discriminator(high_phases).to(device)
        self.optimisers = [
            torch.optim.Adam(module.parameters(), 1e-4, (0.5, 0.999))
            for module in (self.generator, self.discriminator)
        ]

    def discriminator_step(self) -> None:
        """Algorithm 1, lines 3 to 7 and 16 to 19."""
        fake_BNZYX, _ = self.generate()
        self.optimisers[1].zero_grad()
        for axis in AXES:
            fake = slices(fake_BNZYX, axis).detach()
            real = self.real_slices()
            loss = self.discriminator(fake).mean() - self.discriminator(real).mean()
            loss = loss + PENALTY * self.gradient_penalty(fake[: len(real)], real)
            loss.backward()
        self.optimisers[1].step()

    def generator_step(self) -> None:
        """Algorithm 1, lines 3 to 14."""
        fake_BNZYX, low_res = self.generate()
        self.optimisers[0].zero_grad()
        loss = sum(-self.discriminator(slices(fake_BNZYX, axis)).mean() for axis in AXES)
        mismatch = F.mse_loss(self.down_sampled(fake_BNZYX), low_res) * low_res.shape[1] / 2
        if mismatch > THRESHOLD:
            loss = loss + COEFFICIENT * mismatch
        loss.backward()
        self.optimisers[0].step()

    def generate(self) -> tuple[Tensor, Tensor]:
        """Return generated volumes, and the one-hot low-res crops they were made from."""
        side = CROP // self.factor
        crops = []
        for _ in range(self.volumes):
            z, y, x = (int(torch.randint(size - side + 1, ())) for size in self.low_res.shape[1:])
            crops.append(self.low_res[:, z : z + side, y : y + side, x : x + side])
        low_res = torch.stack(crops)
        noise = torch.randn(self.volumes, 1, side, side, side, device=self.device)
        return self.generator(torch.cat([low_res, noise], 1)), low_res

    def real_slices(self) -> Tensor:
        """Return 64 random crops of the image in its 8 rotations and mirrors."""
        side, found = CROP - 2 * MARGIN, []
        for _ in range(REAL_SLICES):
            image = self.images[int(torch.randint(len(self.images), ()))]
            y, x = (int(torch.randint(size - side + 1, ())) for size in image.shape[1:])
            found.append(image[:, y : y + side, x : x + side])
        return torch.stack(found)

    def gradient_penalty(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return the penalty of Gulrajani et al. 2017, eq. 3, on pairs of fake and real slices."""
        real = real[: len(fake)]
        share = torch.rand(len(fake), 1, 1, 1, device=self.device)
        mixed = (share * real + (1 - share) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(self.discriminator(mixed).sum(), mixed, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()

    def down_sampled(self, fake_BNZYX: Tensor) -> Tensor:
        """σ: phase map, Gaussian blur of the paper's size, trilinear ÷ sf, near one-hot."""
        phases = max(self.low_of_high) + 1
        mapped = torch.zeros_like(fake_BNZYX[:, :phases])
        mapped = mapped.index_add(1, torch.tensor(self.low_of_high, device=self.device), fake_BNZYX)
        size = self.factor if self.factor % 2 else self.factor - 1
        deviation = 0.3 * ((size - 1) / 2 - 1) + 0.8
        reach = torch.arange(size, device=self.device) - size // 2
        line = torch.softmax(-(reach**2) / (2 * deviation**2), 0)
        kernel = line[:, None, None] * line[None, :, None] * line[None, None, :]
        kernel = kernel.expand(phases, 1, size, size, size)
        blurred = F.conv3d(mapped, kernel, padding=size // 2, groups=phases)
        low = F.interpolate(blurred, scale_factor=1 / self.factor, mode="trilinear")
        return torch.softmax(SHARPNESS * low, 1)


def slices(volumes_BNZYX: Tensor, axis: int) -> Tensor:
    """Return all slices normal to an axis, 4 voxels from each face left out."""
    inner = volumes_BNZYX[(..., *[slice(MARGIN, -MARGIN)] * 3)]
    return inner.movedim(axis + 2, 1).flatten(0, 1)
