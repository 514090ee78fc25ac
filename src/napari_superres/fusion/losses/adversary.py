"""The slices that the discriminators compare, their update, and the generator's loss.

Legend of shape suffixes: B volumes or slices, N high-res phases, Z Y X voxels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_superres.config import EngineSettings
from napari_superres.fusion.crops.slices import SliceSampler, random_slices
from napari_superres.fusion.networks.trained import FusionNetworks
from napari_superres.runs.device import autocast
from napari_superres.training.adversarial import (
    discriminator_loss,
    generator_loss,
    wasserstein_penalty,
    zero_centred_penalty,
)
from napari_superres.training.networks import apply_gradients

AXES = range(3)
MANY = 2**20
"""Values of slices from which a shared discriminator sees the axes one by one: less memory."""
SlicePair = tuple[nn.Module, Tensor, Tensor]
"""A discriminator, and the generated and real slices that it compares."""


class Adversary:
    """Shows generated and real slices to the discriminators (Dahari et al. 2022, Algorithm 1)."""

    def __init__(
        self,
        engine: EngineSettings,
        slices: Sequence[SliceSampler],
        random: torch.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.engine, self.slices, self.random = engine, slices, random
        self.device, self.dtype = device, dtype

    def fake_slices(self, fake_BNZYX: Tensor) -> list[Tensor]:
        """Return generated slices (B, N, Y, X) normal to each axis."""
        cut = self.engine.crop_margin
        if cut:
            fake_BNZYX = fake_BNZYX[..., cut:-cut, cut:-cut, cut:-cut]
        count = self.engine.slices_per_axis
        fakes = (random_slices(fake_BNZYX, axis, count, self.random) for axis in AXES)
        return [fake.contiguous(memory_format=torch.channels_last) for fake in fakes]

    def pairs(self, networks: FusionNetworks, fakes: Sequence[Tensor]) -> list[SlicePair]:
        """Return (discriminator, fake slices, real slices) for each to be judged."""
        discriminators = networks.discriminators
        reals = []
        for axis in AXES:
            count = len(fakes[axis])
            if self.engine.loss != "relativistic":  # which compares them pair by pair
                count = self.engine.real_slices_per_axis or count
            reals.append(self.slices[axis].sample(count, self.random))
        if len(discriminators) == 3:
            return list(zip(discriminators, fakes, reals, strict=True))
        shared = discriminators[0]
        few = sum(fake.numel() for fake in fakes) < MANY
        if few and len({fake.shape[2:] for fake in fakes}) == 1:
            return [(shared, torch.cat(list(fakes)), torch.cat(reals))]
        return [(shared, fake, real) for fake, real in zip(fakes, reals, strict=True)]

    def update(
        self, networks: FusionNetworks, pairs: Sequence[SlicePair], *, penalise: bool
    ) -> dict[str, Tensor]:
        """Let the discriminators learn from the slices; return their loss and penalty."""
        engine = self.engine
        weight = engine.gradient_penalty * engine.penalty_every
        optimiser = networks.discriminator_optimiser
        optimiser.zero_grad(set_to_none=True)
        total, penalty = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for discriminator, fake, real in pairs:
            fake = fake.detach()
            if penalise and engine.loss != "wasserstein":
                fake = fake.requires_grad_(engine.loss == "relativistic")
                real = real.requires_grad_(True)
            fake_B, real_B = self.score(discriminator, fake), self.score(discriminator, real)
            loss = discriminator_loss(engine.loss, fake_B, real_B) / len(pairs)
            total = total + loss.detach()
            if penalise:
                one = self._penalty(discriminator, fake, real, fake_B, real_B) / len(pairs)
                penalty = penalty + one.detach()
                loss = loss + weight * one
            loss.backward()  # type: ignore[no-untyped-call]
        apply_gradients(optimiser, engine.clip_norm)
        return {"discriminator": total} | ({"penalty": penalty} if penalise else {})

    def _penalty(
        self, discriminator: nn.Module, fake: Tensor, real: Tensor, fake_B: Tensor, real_B: Tensor
    ) -> Tensor:
        if self.engine.loss == "wasserstein":
            pairs = min(len(fake), len(real))
            if len(fake) > pairs:
                chosen = torch.randperm(len(fake), generator=self.random)[:pairs]
                fake = fake[chosen.to(self.device)]
            real = real[:pairs]
            mix_B = torch.rand(pairs, generator=self.random).to(self.device)
            return wasserstein_penalty(
                lambda mixed: self.score(discriminator, mixed), fake, real, mix_B
            )
        penalty = zero_centred_penalty(real_B, real)
        if self.engine.loss == "relativistic":
            penalty = penalty + zero_centred_penalty(fake_B, fake)
        return penalty

    def generator_loss(self, pairs: Sequence[SlicePair]) -> Tensor:
        """Return the generator's adversarial loss, a scalar."""
        engine = self.engine
        adversarial = torch.zeros((), device=self.device)
        for discriminator, fake, real in pairs:
            fake_B = real_B = self.score(discriminator, fake)
            if engine.loss == "relativistic":
                with torch.no_grad():
                    real_B = self.score(discriminator, real.detach())
            adversarial = adversarial + generator_loss(engine.loss, fake_B, real_B)
        return adversarial / len(pairs)

    def score(self, discriminator: nn.Module, slices_BNYX: Tensor) -> Tensor:
        """Return how real each slice looks, (B,) float32."""
        with autocast(self.device, self.dtype):
            scores_B: Tensor = discriminator(slices_BNYX)
        return scores_B.float()
