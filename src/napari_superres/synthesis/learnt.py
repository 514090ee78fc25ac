"""What a synthesis learns: the networks, their optimisers, and the generator's moving average."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_superres.synthesis.levels import GreyClasses, palette
from napari_superres.synthesis.networks import Discriminator, Generator, parameters_of
from napari_superres.synthesis.settings import SynthesisSettings
from napari_superres.training.clock import annealed

RAMP = 0.05
"""The moving average forgets at least so fast, as a share of the images seen."""


class Learnt:
    """Generator, its average, discriminator and optimisers.

    Parameters
    ----------
    settings : networks, optimisers, seed
    phases : how many; 0 for grey values
    device : where to train
    classes : of the real images' grey values

    Attributes
    ----------
    steps : done so far
    """

    def __init__(
        self, settings: SynthesisSettings, phases: int, device: str, classes: GreyClasses
    ) -> None:
        engine = settings.engine
        self.settings, self.engine, self.phases = settings, engine, phases
        self.device = torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            channels = max(1, phases)
            self.generator = Generator(engine, settings.size, channels)
            self.average = Generator(engine, settings.size, channels)
            self.discriminator = Discriminator(engine, settings.size, channels)
        if self.generator.palette is not None:
            with torch.no_grad():
                self.generator.palette.copy_(palette(classes, engine.grey_levels))
        self.average.load_state_dict(self.generator.state_dict())
        self.average.requires_grad_(False).eval()
        for module in (self.generator, self.average, self.discriminator):
            module.to(self.device)
        path_every = engine.path_length_every if settings.path_length_weight > 0 else None
        r1_every = engine.r1_every if settings.r1_gamma > 0 else None
        self.generator_optimiser = self._optimiser(self.generator, path_every)
        self.discriminator_optimiser = self._optimiser(self.discriminator, r1_every)
        self.rates = [o.param_groups[0]["lr"] for o in self._optimisers().values()]
        self.steps = 0

    def _optimiser(self, module: nn.Module, every: int | None) -> torch.optim.Adam:
        engine = self.engine
        share = 1.0 if every is None else every / (every + 1)  # Karras et al. 2020a, appendix B
        return torch.optim.Adam(
            module.parameters(), engine.learning_rate * share, (0.0, engine.beta_2**share)
        )

    def parameters(self) -> tuple[int, int]:
        """Return the learnt numbers of generator and discriminator."""
        return parameters_of(self.generator), parameters_of(self.discriminator)

    def anneal(self, share: float) -> None:
        """Set the learning rates for when `share` of a budget, 0 to 1, is used."""
        factor = annealed(share, self.engine.annealing)
        for optimiser, rate in zip(self._optimisers().values(), self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * factor

    @torch.no_grad()
    def _update_average(self) -> None:
        batch = self.engine.batch
        half_life = min(self.settings.half_life, self.steps * batch * RAMP)
        keep = 0.5 ** (batch / half_life) if half_life > 0 else 0.0
        for mean, now in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def healthy(self) -> bool:
        """Whether every weight of the generator is finite."""
        return all(bool(torch.isfinite(p).all()) for p in self.generator.parameters())

    def average_state(self) -> dict[str, Tensor]:
        """Return the averaged generator's weights: enough to generate."""
        return dict(self.average.state_dict())

    def _modules(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "generator_optimiser": self.generator_optimiser,
            "discriminator_optimiser": self.discriminator_optimiser,
        }
