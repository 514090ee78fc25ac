"""The networks of a fusion: to train with, and the generator of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from napari_superres.config import TrainingSettings
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.discriminator import build_discriminators
from napari_superres.fusion.networks.generator import Generator
from napari_superres.runs.checkpoints import load_weights
from napari_superres.runs.config import HIGH_RES, LOW_RES
from napari_superres.runs.run import Run
from napari_superres.runs.tensors import tensors_of
from napari_superres.training.networks import Networks

SHORTEST = 0.3
"""Share of the average's half-life that is left when the learning rate is annealed."""
RAMP = 0.2
"""The average forgets at least so fast, as a share of the updates done."""


class FusionNetworks(Networks):
    """Generator, its average, discriminators and optimisers.

    Weights are float32; autocast gives the arithmetic.
    """

    generator: Generator
    average: Generator

    def __init__(
        self, settings: TrainingSettings, low_phases: int, high_phases: int, device: str
    ) -> None:
        engine = settings.engine
        self.annealed = 1.0
        self.longest_half_life = self.half_life = engine.average_half_life
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            generator, average = (
                build_generator(engine, settings.scale_factor, low_phases, high_phases)
                for _ in range(2)
            )
            self.discriminators = build_discriminators(
                engine, high_phases, anisotropic=settings.anisotropic
            )
        for module, layout in (
            (generator, torch.channels_last_3d),
            (average, torch.channels_last_3d),
            (self.discriminators, torch.channels_last),
        ):
            module.to(device).to(memory_format=layout)  # type: ignore[call-overload]
        betas = (engine.beta_1, engine.beta_2)
        self.generator_optimiser, self.discriminator_optimiser = (
            torch.optim.Adam(module.parameters(), engine.learning_rate, betas)
            for module in (generator, self.discriminators)
        )
        super().__init__(
            average,
            {"generator": generator},
            {"discriminators": self.discriminators},
            {
                "generator_optimiser": self.generator_optimiser,
                "discriminator_optimiser": self.discriminator_optimiser,
            },
            (settings, low_phases, high_phases, device),
        )

    def follow(self, updates: int) -> None:
        """Move the average towards the generator; after few updates it forgets faster."""
        half_life = min(self.half_life, max(updates, 1) * RAMP)
        self.update_average(0.5 ** (1 / half_life) if half_life > 0 else 0.0)

    def set_rate(self, rate: float, annealed: float = 1.0) -> None:
        """Set Adam's learning rate of all networks to `rate` × `annealed`.

        The half-life of the average shrinks too, but not below `SHORTEST` of itself: an
        average of weights has other phase fractions than the generator whose fractions the
        losses have set, so it must not reach far back; yet slow steps jitter too.
        """
        self.annealed = annealed
        self.half_life = self.longest_half_life * max(annealed, SHORTEST)
        super().set_rate(rate, annealed)

    def start_from(self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
        """Load the weights of another run: its average, and its discriminators."""
        self.average.load_state_dict(dict(average))
        self.generator.load_state_dict(dict(average))
        self.discriminators.load_state_dict(tensors_of(tensors, "discriminators"))


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
