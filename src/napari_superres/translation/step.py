"""One step of unpaired translation (Zhu et al. 2017, across sizes as in Liu & Mukerji 2022).

Legend of shape suffixes: B images, C channels, Y X pixels.

Least-squares loss; L1 cycles both ways; L1 between a low-res image and its
down-sampled translation in place of the identity loss, which has no meaning
across sizes; discriminators also see a pool of past images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_superres.data.patches import Patches
from napari_superres.training.networks import (
    NetworkLearner,
    Networks,
    descend,
    detached,
)
from napari_superres.training.real_images import RealImages
from napari_superres.translation.networks import (
    PatchCritic,
    RandomNoise,
    ToHighRes,
    ToLowRes,
    down_sample,
)
from napari_superres.translation.settings import TranslationSettings

RAMP = 0.2
"""The moving average forgets at least so fast, as a share of the steps done."""


class Pool:
    """Past images: each new one may be swapped for one of them (Shrivastava et al. 2017).

    `name` is that in checkpoints; `size` images are kept, 0 for none.
    """

    def __init__(self, name: str, size: int, random: torch.Generator, device: torch.device) -> None:
        self.name, self.size, self.random, self.device = name, size, random, device
        self.kept: list[Tensor] = []

    def swap(self, images_BCYX: Tensor) -> Tensor:
        """Return as many images, about half of them from the past once the pool is full."""
        if self.size == 0:
            return images_BCYX
        shown = []
        for image in images_BCYX.detach():
            if len(self.kept) < self.size:
                self.kept.append(image.clone())
                shown.append(image)
            elif float(torch.rand((), generator=self.random)) < 0.5:
                place = int(torch.randint(self.size, (), generator=self.random))
                shown.append(self.kept[place])
                self.kept[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)

    def forget(self) -> None:
        """Drop all images."""
        self.kept = []

    def state(self) -> dict[str, Tensor]:
        """Return the images, (kept, C, Y, X), by name; an empty tensor for none."""
        return {self.name: torch.stack(self.kept) if self.kept else torch.zeros(0)}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load what `state` returned."""
        state = tensors[self.name]
        self.kept = list(state.to(self.device)) if state.numel() else []


class TranslationNetworks(Networks):
    """Generators between the domains, the average of the one to high-res, critics, optimisers."""

    generator: ToHighRes
    average: ToHighRes

    def __init__(self, settings: TranslationSettings, phases: int, device: str) -> None:
        engine, factor = settings.engine, settings.scale_factor
        self.half_life = engine.average_half_life
        channels, width = max(1, phases), engine.discriminator_channels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            to_high, average = (ToHighRes(engine, factor, phases) for _ in range(2))
            self.to_high, self.to_low = to_high, ToLowRes(engine, factor, phases)
            self.critic_high = PatchCritic(channels, width, 3, engine.scales)
            self.critic_low = PatchCritic(channels, width, 2, 1)
        self.generators, self.critics = (to_high, self.to_low), (self.critic_high, self.critic_low)
        for module in (*self.generators, *self.critics, average):
            module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        betas = (engine.beta_1, 0.999)
        self.generator_optimiser, self.critic_optimiser = (
            torch.optim.Adam(
                [p for module in modules for p in module.parameters()], engine.learning_rate, betas
            )
            for modules in (self.generators, self.critics)
        )
        super().__init__(
            average,
            {"to_high": to_high, "to_low": self.to_low},
            {"critic_high": self.critic_high, "critic_low": self.critic_low},
            {"generators": self.generator_optimiser, "critics": self.critic_optimiser},
            (settings, phases, device),
        )

    def follow(self, steps: int) -> None:
        """Move the average towards the generator; after few steps it forgets faster."""
        half_life = min(self.half_life, steps * RAMP)
        self.update_average(0.5 ** (1 / half_life) if half_life > 0 else 0.0)


class TranslationLearner(NetworkLearner):
    """Trains on patches of the two domains, not paired, of `phases` phases, 0 for grey values."""

    networks: TranslationNetworks

    def __init__(
        self,
        low_res: Patches,
        high_res: Patches,
        phases: int,
        settings: TranslationSettings,
        device: str,
    ) -> None:
        super().__init__(settings, TranslationNetworks(settings, phases, device), device)
        engine = settings.engine
        self.settings, self.engine, self.phases = settings, engine, phases
        self.noise = RandomNoise(self.noise_random)
        self.low_res = RealImages(low_res, phases, settings.directed, self.device)
        self.high_res = RealImages(high_res, phases, settings.directed, self.device)
        self.pool_high, self.pool_low = (
            Pool(name, engine.pool, self.random, self.device) for name in ("pool_high", "pool_low")
        )

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Do one step, part by part; yield the name and loss terms of each part done."""
        self.steps += 1
        low = self.low_res.draw(self.engine.batch, self.random)
        high = self.high_res.draw(self.engine.batch, self.random)
        terms, fake_low, fake_high = self._update_generators(low, high)
        yield "generators", detached(terms)
        terms = self._update_critics(low, high, fake_low, fake_high)
        self.networks.follow(self.steps)
        yield "critics", detached(terms)

    def memories(self) -> Sequence[Pool]:
        """Return the pools of past images."""
        return self.pool_high, self.pool_low

    def _update_generators(
        self, low_BCYX: Tensor, high_BCYX: Tensor
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        engine, networks, noise = self.engine, self.networks, self.noise
        for critic in networks.critics:
            critic.requires_grad_(False)
        with self.arithmetic():
            fake_high, fake_low = (
                networks.to_high(low_BCYX, noise),
                networks.to_low(high_BCYX, noise),
            )
            terms = {
                "adversarial_high": _aim(networks.critic_high(fake_high), 1.0),
                "adversarial_low": _aim(networks.critic_low(fake_low), 1.0),
                "cycle_low": F.l1_loss(networks.to_low(fake_high, noise), low_BCYX),
            }
            if engine.cycle_high > 0:
                terms["cycle_high"] = F.l1_loss(networks.to_high(fake_low, noise), high_BCYX)
        coarse = down_sample(fake_high, self.settings.scale_factor)
        terms["identity"] = F.l1_loss(coarse, low_BCYX)
        weights = {
            "cycle_low": engine.cycle_low,
            "cycle_high": engine.cycle_high,
            "identity": engine.identity,
        }
        loss = torch.stack([weights.get(name, 1.0) * term for name, term in terms.items()]).sum()
        descend(networks.generator_optimiser, loss)
        for critic in networks.critics:
            critic.requires_grad_(True)
        return terms, fake_low.detach(), fake_high.detach()

    def _update_critics(
        self, low: Tensor, high: Tensor, fake_low: Tensor, fake_high: Tensor
    ) -> dict[str, Tensor]:
        networks = self.networks
        fake_high, fake_low = self.pool_high.swap(fake_high), self.pool_low.swap(fake_low)
        with self.arithmetic():
            on_high = _aim(networks.critic_high(high), 1.0) + _aim(
                networks.critic_high(fake_high), 0.0
            )
            on_low = _aim(networks.critic_low(low), 1.0) + _aim(networks.critic_low(fake_low), 0.0)
        descend(networks.critic_optimiser, (on_high + on_low) / 2)
        return {"critic_high": on_high / 2, "critic_low": on_low / 2}


def _aim(scores: Sequence[Tensor], target: float) -> Tensor:
    """Return the least-squares loss towards `target`, mean over resolutions."""
    return torch.stack([(score - target).square().mean() for score in scores]).mean()
