"""One step of adversarial training (Dahari et al. 2022, Algorithm 1).

Legend of shape suffixes: B volumes or slices, M low-res phases, N high-res
phases, Z Y X voxels.

A step updates the discriminators; every `critic_steps` steps it updates the
generator too. The generated volumes of a step serve both updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Box
from napari_superres.data.checks.inputs import InputReport
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.fusion import material
from napari_superres.fusion.crops.low_res import LowResSampler
from napari_superres.fusion.losses.adversary import Adversary, SlicePair, descend
from napari_superres.fusion.losses.diversity_loss import DiversityLoss, now_twice, share_of_reward
from napari_superres.fusion.losses.imaging import Imaging
from napari_superres.fusion.losses.voxel import (
    saturation_penalty,
    voxel_cross_entropy,
    voxel_mismatch,
)
from napari_superres.fusion.networks.generator import Generator, RandomNoise
from napari_superres.fusion.networks.trained import Networks
from napari_superres.runs.device import arithmetic, autocast
from napari_superres.training import distributed
from napari_superres.training.frequencies.running_mean import RunningMean

SATURATION_WEIGHT = 0.01


class Trainer:
    """Everything that a step needs, advanced by `step`.

    Parameters
    ----------
    low_res, high_res, settings, report : checked inputs
    device : where to train
    known : all slices where some are held back from `high_res`: of these, fractions count
    """

    def __init__(
        self,
        low_res: SegmentedVolume,
        high_res: SegmentedSlices,
        settings: TrainingSettings,
        report: InputReport,
        device: str,
        known: SegmentedSlices | None = None,
    ) -> None:
        engine = settings.engine
        self.settings = settings
        self.engine = engine
        self.device = torch.device(device)
        self.dtype = arithmetic(engine.precision, device)
        self.random = torch.Generator()
        self.noise_random = torch.Generator(self.device)
        self.noise = RandomNoise(self.noise_random)
        self.seed_random()
        self.phases = (len(low_res.phases), len(high_res.phases))
        self.networks = Networks(settings, *self.phases, self.device)
        self.out = Box.whole(report.high_res_crop)
        self.crop_shape = report.low_res_crop
        self.low_res = LowResSampler(
            low_res.labels,
            len(low_res.phases),
            report.low_res_crop,
            self.networks.generator.low_res_box(self.out, self.crop_shape),
            tuple(factor.denominator for factor in settings.scale_factor),  # type: ignore[arg-type]
            self.device,
            real_context=engine.context,
            alike=settings.scale_factor if engine.augment_low_res else None,
        )
        self.slices = material.slice_samplers(high_res, settings, report, self.device)
        self.adversary = Adversary(engine, self.slices, self.random, self.device, self.dtype)
        self.frequencies = material.frequency_loss(high_res, settings, report, self.device)
        self.fractions = material.fraction_loss(low_res, known or high_res, report, self.device)
        self.diversity = DiversityLoss(self.device)
        self.imaging = Imaging(
            settings,
            report.lr_of_hr.tolist(),
            len(low_res.phases),
            report.low_res_crop,
            report.high_res_crop,
            self.device,
        )
        self.one_sided_M = torch.tensor(
            [phase.value in settings.one_sided for phase in low_res.phases], device=self.device
        )
        self.steps = 0

    def step(self) -> dict[str, Tensor]:
        """Do one step and return the value of each loss term, detached scalars."""
        return {name: value for _, terms in self.parts() for name, value in terms.items()}

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Do one step, part by part; yield the name and loss terms of each part done."""
        self.steps += 1
        with_generator = self.steps % self.engine.critic_steps == 0
        context_BMZYX, low_res_BMZYX, twice = self._crops()
        with torch.set_grad_enabled(with_generator):
            logits_BNZYX = self.logits(self.networks.generator, context_BMZYX)
            fake_BNZYX = torch.softmax(logits_BNZYX, 1)
        yield "crops", {}
        fakes = self.adversary.fake_slices(fake_BNZYX)
        pairs = self.adversary.pairs(self.networks, fakes)
        penalise = self.engine.gradient_penalty > 0 and self.steps % self.engine.penalty_every == 0
        found = self.adversary.update(self.networks, pairs, penalise=penalise)
        yield "discriminator", _detached(found)
        if with_generator:
            terms = {"saturation": saturation_penalty(logits_BNZYX)}
            if self.frequencies is not None:
                terms["frequencies"] = self.frequencies(fakes)
            if self.engine.fraction_weight > 0:
                terms["fractions"] = self.fractions(fake_BNZYX, low_res_BMZYX)
            if twice:
                terms["diversity"] = self.diversity(fake_BNZYX)
            terms = self._update_generator(pairs, fake_BNZYX, low_res_BMZYX, terms)
            yield "generator", _detached(terms)

    def _crops(self) -> tuple[Tensor, Tensor, bool]:
        """Return low-res crops with and without context, and whether they are all there twice."""
        engine = self.engine
        starts_B3 = self.low_res.random_starts(engine.batch, self.random)
        context_BMZYX, low_res_BMZYX = self.low_res.pair(starts_B3, self.random)
        half = engine.batch // 2
        asked = engine.diversity_weight > 0 and engine.noise != "off" and half > 0
        if not asked or not now_twice(self.steps, engine.critic_steps):
            return context_BMZYX, low_res_BMZYX, False
        repeated = (2, 1, 1, 1, 1)
        return context_BMZYX[:half].repeat(repeated), low_res_BMZYX[:half].repeat(repeated), True

    def logits(self, generator: Generator, context_BMZYX: Tensor) -> Tensor:
        """Return logits of generated crops, (B, N, Z, Y, X) float32."""
        with autocast(self.device, self.dtype):
            return generator.logits(context_BMZYX, self.out, self.crop_shape, self.noise)

    def generate(self, generator: Generator, context_BMZYX: Tensor) -> Tensor:
        """Return generated probabilities of crops, (B, N, Z, Y, X) float32."""
        return torch.softmax(self.logits(generator, context_BMZYX), 1)

    def _update_generator(
        self,
        pairs: list[SlicePair],
        fake_BNZYX: Tensor,
        low_res_BMZYX: Tensor,
        terms: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        engine = self.engine
        self.networks.discriminators.requires_grad_(False)
        adversarial = self.adversary.objection(pairs)
        down_BMZYX = self.imaging.soft(fake_BNZYX)
        given_back_BMZYX = self.imaging.near_one_hot(down_BMZYX)
        mismatch = voxel_mismatch(given_back_BMZYX, low_res_BMZYX, self.one_sided_M)
        voxel = mismatch
        if engine.voxel_loss != "mse":
            focus = given_back_BMZYX if engine.voxel_loss == "focal" else None
            voxel = voxel_cross_entropy(down_BMZYX, low_res_BMZYX, self.one_sided_M, focus)
        active = (mismatch.detach() > engine.voxel_threshold).float()
        total = adversarial + active * engine.voxel_weight * voxel
        reward = share_of_reward(self.steps / engine.critic_steps) * self.networks.annealed**2
        for name, weight in (
            ("saturation", SATURATION_WEIGHT),
            ("frequencies", engine.frequency_weight),
            ("fractions", engine.fraction_weight),
            ("diversity", engine.diversity_weight * reward),
        ):
            if name in terms:
                total = total + weight * terms[name]
        optimiser = self.networks.generator_optimiser
        descend(optimiser, self.networks.generator, total, engine.clip_norm)
        self.networks.discriminators.requires_grad_(True)
        self.networks.update_average(self.steps // engine.critic_steps)
        return terms | {"generator": adversarial, "voxel": mismatch}

    def seed_random(self, again: int = 0) -> None:
        """Start the random numbers anew; `again` counts how often, so that others come."""
        seed = self.settings.seed + 1_000_003 * again + 7_000_003 * distributed.rank()
        self.random.manual_seed(seed)
        self.noise_random.manual_seed(seed + 1)

    def start_over(self, again: int) -> None:
        """Forget everything learnt; `again` counts how often, so that other weights come."""
        seed = (self.settings.seed + 1_000_003 * again) % 2**31
        self.networks = Networks(self.settings.replace(seed=seed), *self.phases, self.device)
        self.steps = 0
        for running in self._running():
            running.forget()

    def _running(self) -> list[RunningMean]:
        """Return the losses that have a memory."""
        engine = self.engine
        asked = (
            self.frequencies,
            self.fractions if engine.fraction_weight > 0 else None,
            self.diversity if engine.diversity_weight > 0 else None,
        )
        return [loss for loss in asked if loss is not None]

    def state(self) -> dict[str, Tensor]:
        """Return everything that resuming needs beside the average, by name."""
        tensors = self.networks.state()
        for running in self._running():
            tensors |= running.state()
        for rank, state in enumerate(distributed.gathered(self.random.get_state())):
            tensors[f"random{rank or ''}"] = state
        for rank, state in enumerate(distributed.gathered(self.noise_random.get_state())):
            tensors[f"noise_random{rank or ''}"] = state
        return tensors

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        """Take up the state that `state` returned, and the averaged generator."""
        self.steps = steps
        self.networks.load(average, tensors)
        for running in self._running():
            running.load(tensors)
        rank = distributed.rank()
        for name, random in (("random", self.random), ("noise_random", self.noise_random)):
            state = tensors.get(f"{name}{rank or ''}")
            if state is None or state.shape != random.get_state().shape:
                # more processes than before, or another kind of device
                random.manual_seed(self.settings.seed + 11 * steps + 7_000_003 * rank)
            else:
                random.set_state(state.cpu())


def _detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in terms.items()}
