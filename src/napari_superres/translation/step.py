"""One step of unpaired translation (Zhu et al. 2017, across sizes as in Liu & Mukerji 2022).

Legend of shape suffixes: B images, C channels, Y X pixels.

Least-squares loss; L1 cycles both ways; L1 between a low-res image and its
down-sampled translation in place of the identity loss, which has no meaning
across sizes; discriminators also see a pool of past images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.data.patches.cutting import Patches
from napari_superres.runs.device import arithmetic as chosen_arithmetic
from napari_superres.runs.device import autocast
from napari_superres.runs.tensors import gather_state, restore_random, spread_state
from napari_superres.training.clock import annealed
from napari_superres.training.real_images import RealImages
from napari_superres.translation.networks import (
    PatchCritic,
    RandomNoise,
    ToHighRes,
    ToLowRes,
    down_sample,
    parameters_of,
)
from napari_superres.translation.settings import TranslationSettings

RAMP = 0.2
"""The moving average forgets at least so fast, as a share of the steps done."""


class Pool:
    """Past images: each new one may be swapped for one of them (Shrivastava et al. 2017).

    Parameters
    ----------
    size : images kept; 0 for none
    random : a generator on the CPU
    """

    def __init__(self, size: int, random: torch.Generator) -> None:
        self.size, self.random = size, random
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

    def state(self) -> Tensor:
        """Return the images, (kept, C, Y, X); empty for none."""
        return torch.stack(self.kept) if self.kept else torch.zeros(0)

    def load(self, state: Tensor, device: torch.device) -> None:
        """Take up a state."""
        self.kept = list(state.to(device)) if state.numel() else []


class Trainer:
    """Everything that a step needs, advanced by `step`.

    Parameters
    ----------
    low_res, high_res : training patches of the two domains, not paired
    phases : of both; 0 for grey values
    settings : what to learn
    device : where to train
    """

    def __init__(
        self,
        low_res: Patches,
        high_res: Patches,
        phases: int,
        settings: TranslationSettings,
        device: str,
    ) -> None:
        engine, factor = settings.engine, settings.scale_factor
        self.settings, self.engine, self.phases = settings, engine, phases
        self.device = torch.device(device)
        self.dtype = chosen_arithmetic(engine.precision, device)
        self.random = torch.Generator().manual_seed(settings.seed)
        self.noise_random = torch.Generator(self.device).manual_seed(settings.seed + 1)
        self.noise = RandomNoise(self.noise_random)
        channels, width = max(1, phases), engine.discriminator_channels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.to_high, self.average = (ToHighRes(engine, factor, phases) for _ in range(2))
            self.to_low = ToLowRes(engine, factor, phases)
            self.critic_high = PatchCritic(channels, width, 3, engine.scales)
            self.critic_low = PatchCritic(channels, width, 2, 1)
        self.average.load_state_dict(self.to_high.state_dict())
        self.average.requires_grad_(False).eval()
        for module in (*self._modules().values(), self.average):
            module.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        betas = (engine.beta_1, 0.999)
        self.generators = [*self.to_high.parameters(), *self.to_low.parameters()]
        critics = [*self.critic_high.parameters(), *self.critic_low.parameters()]
        self.generator_optimiser = torch.optim.Adam(self.generators, engine.learning_rate, betas)
        self.critic_optimiser = torch.optim.Adam(critics, engine.learning_rate, betas)
        self.low_res = RealImages(low_res, phases, settings.directed, self.device)
        self.high_res = RealImages(high_res, phases, settings.directed, self.device)
        self.pool_high = Pool(engine.pool, self.random)
        self.pool_low = Pool(engine.pool, self.random)
        self.steps = 0

    def parameters(self) -> tuple[int, int]:
        """Return the learnt numbers of generators and discriminators."""
        generators, critics = (self.to_high, self.to_low), (self.critic_high, self.critic_low)
        return parameters_of(generators), parameters_of(critics)

    def anneal(self, share: float) -> None:
        """Set the learning rate for when `share` of a budget, 0 to 1, is used."""
        rate = self.engine.learning_rate * annealed(share, self.engine.annealing)
        for optimiser in self._optimisers().values():
            optimiser.param_groups[0]["lr"] = rate

    def step(self) -> dict[str, Tensor]:
        """Do one step and return the value of each loss term, detached scalars."""
        self.steps += 1
        low = self.low_res.draw(self.engine.batch, self.random)
        high = self.high_res.draw(self.engine.batch, self.random)
        terms, fake_low, fake_high = self._update_generators(low, high)
        terms |= self._update_critics(low, high, fake_low, fake_high)
        self._update_average()
        return {name: value.detach() for name, value in terms.items()}

    def _update_generators(
        self, low_BCYX: Tensor, high_BCYX: Tensor
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        engine, noise = self.engine, self.noise
        for critic in (self.critic_high, self.critic_low):
            critic.requires_grad_(False)
        with self.arithmetic():
            fake_high, fake_low = self.to_high(low_BCYX, noise), self.to_low(high_BCYX, noise)
            terms = {
                "adversarial_high": _aim(self.critic_high(fake_high), 1.0),
                "adversarial_low": _aim(self.critic_low(fake_low), 1.0),
                "cycle_low": F.l1_loss(self.to_low(fake_high, noise), low_BCYX),
            }
            if engine.cycle_high > 0:
                terms["cycle_high"] = F.l1_loss(self.to_high(fake_low, noise), high_BCYX)
        coarse = down_sample(fake_high, self.settings.scale_factor)
        terms["identity"] = F.l1_loss(coarse, low_BCYX)
        weights = {
            "cycle_low": engine.cycle_low,
            "cycle_high": engine.cycle_high,
            "identity": engine.identity,
        }
        loss = torch.stack([weights.get(name, 1.0) * term for name, term in terms.items()]).sum()
        self._descend(self.generator_optimiser, loss)
        for critic in (self.critic_high, self.critic_low):
            critic.requires_grad_(True)
        return terms, fake_low.detach(), fake_high.detach()

    def _update_critics(
        self, low: Tensor, high: Tensor, fake_low: Tensor, fake_high: Tensor
    ) -> dict[str, Tensor]:
        fake_high, fake_low = self.pool_high.swap(fake_high), self.pool_low.swap(fake_low)
        with self.arithmetic():
            on_high = _aim(self.critic_high(high), 1.0) + _aim(self.critic_high(fake_high), 0.0)
            on_low = _aim(self.critic_low(low), 1.0) + _aim(self.critic_low(fake_low), 0.0)
        self._descend(self.critic_optimiser, (on_high + on_low) / 2)
        return {"critic_high": on_high / 2, "critic_low": on_low / 2}

    def _descend(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    @torch.no_grad()
    def _update_average(self) -> None:
        half_life = min(self.engine.average_half_life, self.steps * RAMP)
        keep = 0.5 ** (1 / half_life) if half_life > 0 else 0.0
        for mean, now in zip(self.average.parameters(), self.to_high.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def healthy(self) -> bool:
        """Whether every weight of the generators is finite."""
        return all(bool(torch.isfinite(p).all()) for p in self.generators)

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """Run the networks inside in the precision of the settings."""
        with autocast(self.device, self.dtype):
            yield

    def average_state(self) -> dict[str, Tensor]:
        """Return the averaged generator's weights: enough to translate."""
        return dict(self.average.state_dict())

    def state(self) -> dict[str, Tensor]:
        """Return everything that resuming needs beside the average, by name."""
        return gather_state(self._modules(), self._optimisers()) | {
            "random": self.random.get_state(),
            "noise_random": self.noise_random.get_state(),
            "pool_high": self.pool_high.state(),
            "pool_low": self.pool_low.state(),
        }

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        """Take up the state that `state` returned, and the averaged generator."""
        self.steps = steps
        self.average.load_state_dict(dict(average))
        spread_state(tensors, self._modules(), self._optimisers())
        self.random.set_state(tensors["random"].cpu())
        restore_random(
            self.noise_random, tensors["noise_random"], self.settings.seed + 1 + 11 * steps
        )
        self.pool_high.load(tensors["pool_high"], self.device)
        self.pool_low.load(tensors["pool_low"], self.device)

    def _modules(self) -> dict[str, nn.Module]:
        return {
            "to_high": self.to_high,
            "to_low": self.to_low,
            "critic_high": self.critic_high,
            "critic_low": self.critic_low,
        }

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"generators": self.generator_optimiser, "critics": self.critic_optimiser}


def _aim(scores: Sequence[Tensor], target: float) -> Tensor:
    """Return the least-squares loss towards `target`, mean over resolutions."""
    return torch.stack([(score - target).square().mean() for score in scores]).mean()
