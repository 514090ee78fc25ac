"""One step of adversarial training (Dahari et al. 2022, Algorithm 1).

Legend of shape suffixes: B volumes or slices, M low-res phases, N high-res
phases, Z Y X voxels.

A step updates the discriminators; every `critic_steps` steps it updates the
generator too. The generated volumes of a step serve both updates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Box
from napari_superres.data.checks import InputReport
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.fusion import aims, distributed, losses
from napari_superres.fusion.fraction_loss import FractionLoss
from napari_superres.fusion.frequency_loss import FrequencyLoss
from napari_superres.fusion.generator import Generator
from napari_superres.fusion.imaging import Imaging
from napari_superres.fusion.networks import Networks
from napari_superres.fusion.sampling import LowResSampler, random_slices
from napari_superres.runs.device import arithmetic

AXES = range(3)
SATURATION_WEIGHT = 0.01
MANY = 2**20
"""Values of slices from which a shared discriminator sees the axes one by one: less memory."""


class RandomNoise:
    """Fresh Gaussian noise for each box, from a seeded generator."""

    def __init__(self, random: torch.Generator) -> None:
        self.random = random

    def __call__(self, layer: int, box: Box, like_BCZYX: Tensor) -> Tensor:
        """Return (B, 1, *box.shape) on the device of `like_BCZYX`."""
        return torch.randn(
            (len(like_BCZYX), 1, *box.shape), generator=self.random, device=like_BCZYX.device
        )


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
        self.slices = aims.slice_samplers(high_res, settings, report, self.device)
        self.frequencies = aims.frequency_loss(high_res, settings, report, self.device)
        self.fractions = aims.fraction_loss(low_res, known or high_res, report, self.device)
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
        context_BMZYX, low_res_BMZYX = self.low_res.pair(
            self.low_res.random_starts(self.engine.batch, self.random), self.random
        )
        with torch.set_grad_enabled(with_generator):
            logits_BNZYX = self.logits(self.networks.generator, context_BMZYX)
            fake_BNZYX = torch.softmax(logits_BNZYX, 1)
        yield "crops", {}
        fakes = self._fake_slices(fake_BNZYX)
        pairs = self._slice_pairs(fakes)
        yield "discriminator", _detached(self._update_discriminators(pairs))
        if with_generator:
            terms = {"saturation": losses.saturation_penalty(logits_BNZYX)}
            if self.frequencies is not None:
                terms["frequencies"] = self.frequencies(fakes)
            if self.engine.fraction_weight > 0:
                terms["fractions"] = self.fractions(fake_BNZYX, low_res_BMZYX)
            terms = self._update_generator(pairs, fake_BNZYX, low_res_BMZYX, terms)
            yield "generator", _detached(terms)

    def logits(self, generator: Generator, context_BMZYX: Tensor) -> Tensor:
        """Return logits of generated crops, (B, N, Z, Y, X) float32."""
        with self._arithmetic():
            return generator.logits(context_BMZYX, self.out, self.crop_shape, self.noise)

    def generate(self, generator: Generator, context_BMZYX: Tensor) -> Tensor:
        """Return generated probabilities of crops, (B, N, Z, Y, X) float32."""
        return torch.softmax(self.logits(generator, context_BMZYX), 1)

    def _fake_slices(self, fake_BNZYX: Tensor) -> list[Tensor]:
        """Return generated slices (B, N, Y, X) normal to each axis."""
        cut = self.engine.crop_margin
        if cut:
            fake_BNZYX = fake_BNZYX[..., cut:-cut, cut:-cut, cut:-cut]
        count = self.engine.slices_per_axis
        fakes = (random_slices(fake_BNZYX, axis, count, self.random) for axis in AXES)
        return [fake.contiguous(memory_format=torch.channels_last) for fake in fakes]

    def _slice_pairs(self, fakes: list[Tensor]) -> list[tuple[nn.Module, Tensor, Tensor]]:
        """Return (discriminator, fake slices, real slices) for each to be judged."""
        discriminators = self.networks.discriminators
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
            return [(shared, torch.cat(fakes), torch.cat(reals))]
        return [(shared, fake, real) for fake, real in zip(fakes, reals, strict=True)]

    def _update_discriminators(
        self, pairs: list[tuple[nn.Module, Tensor, Tensor]]
    ) -> dict[str, Tensor]:
        engine = self.engine
        penalise = engine.gradient_penalty > 0 and self.steps % engine.penalty_every == 0
        weight = engine.gradient_penalty * engine.penalty_every
        optimiser = self.networks.discriminator_optimiser
        optimiser.zero_grad(set_to_none=True)
        total, penalty = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for discriminator, fake, real in pairs:
            fake = fake.detach()
            if penalise and engine.loss != "wasserstein":
                fake = fake.requires_grad_(engine.loss == "relativistic")
                real = real.requires_grad_(True)
            fake_B, real_B = self._score(discriminator, fake), self._score(discriminator, real)
            loss = losses.discriminator_loss(engine.loss, fake_B, real_B) / len(pairs)
            total = total + loss.detach()
            if penalise:
                one = self._penalty(discriminator, fake, real, fake_B, real_B) / len(pairs)
                penalty = penalty + one.detach()
                loss = loss + weight * one
            loss.backward()  # type: ignore[no-untyped-call]
        self._apply(optimiser, self.networks.discriminators)
        return {"discriminator": total} | ({"penalty": penalty} if penalise else {})

    def _penalty(
        self,
        discriminator: nn.Module,
        fake: Tensor,
        real: Tensor,
        fake_B: Tensor,
        real_B: Tensor,
    ) -> Tensor:
        if self.engine.loss == "wasserstein":
            pairs = min(len(fake), len(real))
            if len(fake) > pairs:
                chosen = torch.randperm(len(fake), generator=self.random)[:pairs]
                fake = fake[chosen.to(self.device)]
            real = real[:pairs]
            mix_B = torch.rand(pairs, generator=self.random).to(self.device)
            return losses.wasserstein_penalty(
                lambda mixed: self._score(discriminator, mixed), fake, real, mix_B
            )
        penalty = losses.zero_centred_penalty(real_B, real)
        if self.engine.loss == "relativistic":
            penalty = penalty + losses.zero_centred_penalty(fake_B, fake)
        return penalty

    def _update_generator(
        self,
        pairs: list[tuple[nn.Module, Tensor, Tensor]],
        fake_BNZYX: Tensor,
        low_res_BMZYX: Tensor,
        terms: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        engine = self.engine
        self.networks.discriminators.requires_grad_(False)
        adversarial = torch.zeros((), device=self.device)
        for discriminator, fake, real in pairs:
            fake_B = real_B = self._score(discriminator, fake)
            if engine.loss == "relativistic":
                with torch.no_grad():
                    real_B = self._score(discriminator, real.detach())
            adversarial = adversarial + losses.generator_loss(engine.loss, fake_B, real_B)
        adversarial = adversarial / len(pairs)
        down_BMZYX = self.imaging.soft(fake_BNZYX)
        given_back_BMZYX = self.imaging.near_one_hot(down_BMZYX)
        mismatch = losses.voxel_mismatch(given_back_BMZYX, low_res_BMZYX, self.one_sided_M)
        voxel = mismatch
        if engine.voxel_loss != "mse":
            focus = given_back_BMZYX if engine.voxel_loss == "focal" else None
            voxel = losses.voxel_cross_entropy(down_BMZYX, low_res_BMZYX, self.one_sided_M, focus)
        active = (mismatch.detach() > engine.voxel_threshold).float()
        total = adversarial + active * engine.voxel_weight * voxel
        for name, weight in (
            ("saturation", SATURATION_WEIGHT),
            ("frequencies", engine.frequency_weight),
            ("fractions", engine.fraction_weight),
        ):
            if name in terms:
                total = total + weight * terms[name]
        self._descend(self.networks.generator_optimiser, self.networks.generator, total)
        self.networks.discriminators.requires_grad_(True)
        self.networks.update_average(self.steps // engine.critic_steps)
        return terms | {"generator": adversarial, "voxel": mismatch}

    def _descend(self, optimiser: torch.optim.Optimizer, module: nn.Module, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._apply(optimiser, module)

    def _apply(self, optimiser: torch.optim.Optimizer, module: nn.Module) -> None:
        distributed.average_gradients(module)
        if self.engine.clip_norm is not None:
            nn.utils.clip_grad_norm_(module.parameters(), self.engine.clip_norm)
        optimiser.step()

    def _score(self, discriminator: nn.Module, slices_BNYX: Tensor) -> Tensor:
        with self._arithmetic():
            scores_B: Tensor = discriminator(slices_BNYX)
        return scores_B.float()

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            yield

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

    def _running(self) -> list[FrequencyLoss | FractionLoss]:
        """Return the losses that have a memory."""
        asked = (self.frequencies, self.fractions if self.engine.fraction_weight > 0 else None)
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


def mean_terms(history: list[dict[str, Tensor]]) -> dict[str, float]:
    """Return the mean of each loss term over several steps."""
    names = {name for terms in history for name in terms}
    means = {}
    for name in sorted(names):
        values = [float(terms[name]) for terms in history if name in terms]
        means[name] = math.fsum(values) / len(values)
    return means
