"""One step of adversarial training (Dahari et al. 2022, Algorithm 1).

Legend of shape suffixes: B volumes or slices, M low-res phases, N high-res
phases, Z Y X voxels.

A step updates the discriminators; every `critic_steps` steps it updates the
generator too. The generated volumes of a step serve both updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from napari_superres.config import TrainingSettings
from napari_superres.fusion.losses.adversary import Adversary, SlicePair
from napari_superres.fusion.losses.diversity_loss import (
    DiversityLoss,
    now_twice,
    share_of_reward,
)
from napari_superres.fusion.losses.voxel import (
    saturation_penalty,
    voxel_cross_entropy,
    voxel_mismatch,
)
from napari_superres.fusion.material import Material
from napari_superres.fusion.networks.blocks import Noise
from napari_superres.fusion.networks.generator import Generator, RandomNoise
from napari_superres.fusion.networks.trained import FusionNetworks
from napari_superres.training.frequencies.running_mean import RunningMean
from napari_superres.training.networks import NetworkLearner, descend, detached

SATURATION_WEIGHT = 0.01


class Term(NamedTuple):
    """A term of the generator's loss: what is minimised, and what is reported."""

    name: str
    weight: float | Tensor
    value: Tensor
    reported: Tensor


class FusionLearner(NetworkLearner):
    """Everything that a step needs, advanced by `step`.

    Parameters
    ----------
    material : the inputs
    networks : to train
    settings : how
    """

    networks: FusionNetworks

    def __init__(
        self, material: Material, networks: FusionNetworks, settings: TrainingSettings
    ) -> None:
        super().__init__(settings, networks, material.device)
        self.material, self.engine = material, settings.engine
        self.noise = RandomNoise(self.noise_random)
        self.adversary = Adversary(
            settings.engine, material.slices, self.random, self.device, self.dtype
        )
        self.diversity = DiversityLoss(self.device)

    @property
    def updates(self) -> int:
        """Return how often the generator was updated."""
        return self.steps // self.engine.critic_steps

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Do one step, part by part; yield the name and loss terms of each part done."""
        self.steps += 1
        with_generator = self.steps % self.engine.critic_steps == 0
        context_BMZYX, low_res_BMZYX, twice = self._crops()
        with torch.set_grad_enabled(with_generator):
            logits_BNZYX = self.logits(self.networks.generator, context_BMZYX, self.noise)
            fake_BNZYX = torch.softmax(logits_BNZYX, 1)
        yield "crops", {}
        fakes = self.adversary.fake_slices(fake_BNZYX)
        pairs = self.adversary.pairs(self.networks, fakes)
        penalise = self.engine.gradient_penalty > 0 and self.steps % self.engine.penalty_every == 0
        found = self.adversary.update(self.networks, pairs, penalise=penalise)
        yield "discriminator", detached(found)
        if with_generator:
            statistics = self._statistics(logits_BNZYX, fake_BNZYX, low_res_BMZYX, fakes, twice)
            self.networks.discriminators.requires_grad_(False)
            fit = self._fit(pairs, fake_BNZYX, low_res_BMZYX)
            yield "generator", self._update_generator([*fit, *statistics])

    def logits(self, generator: Generator, context_BMZYX: Tensor, noise: Noise) -> Tensor:
        """Return logits of generated crops, (B, N, Z, Y, X) float32."""
        material = self.material
        with self.arithmetic():
            return generator.logits(context_BMZYX, material.out, material.crop_shape, noise)

    def generate(self, generator: Generator, context_BMZYX: Tensor, noise: Noise) -> Tensor:
        """Return generated probabilities of crops, (B, N, Z, Y, X) float32."""
        return torch.softmax(self.logits(generator, context_BMZYX, noise), 1)

    def memories(self) -> Sequence[RunningMean]:
        """Return the losses that have a memory."""
        engine, material = self.engine, self.material
        asked = (
            material.frequencies,
            material.fractions if engine.fraction_weight > 0 else None,
            self.diversity if engine.diversity_weight > 0 else None,
        )
        return [loss for loss in asked if loss is not None]

    def _crops(self) -> tuple[Tensor, Tensor, bool]:
        """Return low-res crops with and without context, and whether they are all there twice."""
        engine, low_res = self.engine, self.material.low_res
        starts_B3 = low_res.random_starts(engine.batch, self.random)
        context_BMZYX, low_res_BMZYX = low_res.pair(starts_B3, self.random)
        half = engine.batch // 2
        asked = engine.diversity_weight > 0 and engine.noise != "off" and half > 0
        if not asked or not now_twice(self.steps, engine.critic_steps):
            return context_BMZYX, low_res_BMZYX, False
        repeated = (2, 1, 1, 1, 1)
        return context_BMZYX[:half].repeat(repeated), low_res_BMZYX[:half].repeat(repeated), True

    def _fit(
        self, pairs: Sequence[SlicePair], fake_BNZYX: Tensor, low_res_BMZYX: Tensor
    ) -> Iterator[Term]:
        """Yield what asks crops to look like the slices and to give the low-res crops back."""
        engine, material = self.engine, self.material
        adversarial = self.adversary.generator_loss(pairs)
        yield Term("generator", 1.0, adversarial, adversarial)
        down_BMZYX = material.imaging.soft(fake_BNZYX)
        given_back_BMZYX = material.imaging.near_one_hot(down_BMZYX)
        mismatch = voxel_mismatch(given_back_BMZYX, low_res_BMZYX, material.one_sided_M)
        voxel = mismatch
        if engine.voxel_loss != "mse":
            focus = given_back_BMZYX if engine.voxel_loss == "focal" else None
            voxel = voxel_cross_entropy(down_BMZYX, low_res_BMZYX, material.one_sided_M, focus)
        active = (mismatch.detach() > engine.voxel_threshold).float()
        yield Term("voxel", active * engine.voxel_weight, voxel, mismatch)

    def _statistics(
        self,
        logits_BNZYX: Tensor,
        fake_BNZYX: Tensor,
        low_res_BMZYX: Tensor,
        fakes: Sequence[Tensor],
        twice: bool,
    ) -> list[Term]:
        """Return what asks crops for phase statistics, fractions and variety: a line a loss."""
        engine, material = self.engine, self.material
        reward = share_of_reward(self.steps / engine.critic_steps) * self.networks.annealed**2
        asked = [("saturation", SATURATION_WEIGHT, saturation_penalty(logits_BNZYX))]
        if material.frequencies is not None:
            asked.append(("frequencies", engine.frequency_weight, material.frequencies(fakes)))
        if engine.fraction_weight > 0:
            fractions = material.fractions(fake_BNZYX, low_res_BMZYX)
            asked.append(("fractions", engine.fraction_weight, fractions))
        if twice:
            asked.append(
                ("diversity", engine.diversity_weight * reward, self.diversity(fake_BNZYX))
            )
        return [Term(name, weight, value, value) for name, weight, value in asked]

    def _update_generator(self, terms: Sequence[Term]) -> dict[str, Tensor]:
        total = terms[0].value
        for term in terms[1:]:
            total = total + term.weight * term.value
        descend(self.networks.generator_optimiser, total, self.engine.clip_norm)
        self.networks.discriminators.requires_grad_(True)
        self.networks.follow(self.updates)
        return detached({term.name: term.reported for term in terms})
