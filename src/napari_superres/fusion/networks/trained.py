"""The networks of a run, their optimisers, and the generator's moving average."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from napari_superres.config import TrainingSettings
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.discriminator import build_discriminators
from napari_superres.fusion.networks.generator import Generator
from napari_superres.runs.checkpoints import load_weights
from napari_superres.runs.config import HIGH_RES, LOW_RES
from napari_superres.runs.run import Run
from napari_superres.runs.tensors import gather_state, spread_state, tensors_of
from napari_superres.training import distributed

SHORTEST = 0.3
"""Share of the average's half-life that is left when the learning rate is annealed."""


class Networks:
    """Generator, its average, discriminators and optimisers.

    Weights are float32; autocast gives the arithmetic.

    Parameters
    ----------
    settings : network, optimiser, seed
    low_phases, high_phases : m and n
    device : where to train
    """

    def __init__(
        self, settings: TrainingSettings, low_phases: int, high_phases: int, device: torch.device
    ) -> None:
        engine = settings.engine
        self.annealed = 1.0
        self.longest_half_life = self.half_life = engine.average_half_life
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.generator, self.average = (
                build_generator(engine, settings.scale_factor, low_phases, high_phases)
                for _ in range(2)
            )
            self.discriminators = build_discriminators(
                engine, high_phases, anisotropic=settings.anisotropic
            )
        self.average.load_state_dict(self.generator.state_dict())
        self.average.requires_grad_(False).eval()
        for module, layout in (
            (self.generator, torch.channels_last_3d),
            (self.average, torch.channels_last_3d),
            (self.discriminators, torch.channels_last),
        ):
            module.to(device).to(memory_format=layout)  # type: ignore[call-overload]
        betas = (engine.beta_1, engine.beta_2)
        self.generator_optimiser, self.discriminator_optimiser = (
            torch.optim.Adam(module.parameters(), engine.learning_rate, betas)
            for module in (self.generator, self.discriminators)
        )

    @torch.no_grad()
    def update_average(self, updates: int) -> None:
        """Move the average towards the generator; after few updates it forgets faster."""
        distributed.average_buffers(self.generator)
        keep = 0.0
        if self.half_life > 0:
            keep = 0.5 ** (1 / min(self.half_life, max(updates, 1) * 0.2))
        for mean, now in zip(
            self.average.state_dict().values(), self.generator.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def set_learning_rate(self, rate: float, annealed: float = 1.0) -> None:
        """Set Adam's learning rate of all networks to `rate` × `annealed`.

        The half-life of the average shrinks too, but not below `SHORTEST` of itself: an
        average of weights has other phase fractions than the generator whose fractions the
        losses have set, so it must not reach far back; yet slow steps jitter too.
        """
        self.annealed = annealed
        self.half_life = self.longest_half_life * max(annealed, SHORTEST)
        rate *= annealed
        for optimiser in self._optimisers().values():
            for group in optimiser.param_groups:
                group["lr"] = rate

    def forget_gradients(self) -> None:
        """Free the gradients."""
        for optimiser in self._optimisers().values():
            optimiser.zero_grad(set_to_none=True)

    def take_over(self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
        """Start from another run's weights: its average, and its discriminators."""
        self.average.load_state_dict(dict(average))
        self.generator.load_state_dict(dict(average))
        self.discriminators.load_state_dict(tensors_of(tensors, "discriminators"))

    def healthy(self) -> bool:
        """Whether every weight of the generator is finite."""
        return all(bool(torch.isfinite(p).all()) for p in self.generator.parameters())

    def state(self) -> dict[str, Tensor]:
        """Return weights and optimiser states beside the average, by name."""
        return gather_state(self._modules(), self._optimisers())

    def load(self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
        """Take up the averaged generator, and what `state` returned."""
        self.average.load_state_dict(dict(average))
        spread_state(tensors, self._modules(), self._optimisers())

    def _modules(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminators": self.discriminators}

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "generator_optimiser": self.generator_optimiser,
            "discriminator_optimiser": self.discriminator_optimiser,
        }


def load_generator(
    run: Run[TrainingSettings], checkpoint: str = "best", device: str = "cpu"
) -> Generator:
    """Return the generator of a checkpoint, ready to generate.

    Parameters
    ----------
    run : an opened run
    checkpoint : best, last, or a step
    device : where to put it

    Raises
    ------
    RunFolderError
        No such checkpoint, or damaged weights.
    """
    info = run.find_checkpoint(checkpoint)
    generator = build_generator(
        run.settings.engine,
        run.settings.scale_factor,
        len(run.kept(LOW_RES).phases),
        len(run.kept(HIGH_RES).phases),
    )
    load_weights(generator, info.folder)
    return generator.to(device).eval().requires_grad_(False)
