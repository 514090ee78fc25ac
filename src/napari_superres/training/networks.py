"""Networks in training: weights, optimisers, random numbers, and a step down a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from napari_superres.runs.device import arithmetic, autocast
from napari_superres.runs.tensors import gather_state, spread_state
from napari_superres.training import distributed


class Networks:
    """Networks, their optimisers, and the moving average of the first generator.

    An optimiser's group may name a `share` of the learning rate.

    Parameters
    ----------
    average : becomes a copy of the first generator, which it follows
    generators, discriminators, optimisers : by their names in checkpoints
    made_from : settings, and what else the class was given
    """

    def __init__(
        self,
        average: nn.Module,
        generators: Mapping[str, nn.Module],
        discriminators: Mapping[str, nn.Module],
        optimisers: Mapping[str, torch.optim.Optimizer],
        made_from: Sequence[Any],
    ) -> None:
        self.generator, self.average = next(iter(generators.values())), average
        self.modules = {**generators, **discriminators}
        self.optimisers, self._generators = optimisers, tuple(generators.values())
        self._discriminators, self._made_from = tuple(discriminators.values()), made_from
        average.load_state_dict(self.generator.state_dict())
        average.requires_grad_(False).eval()

    def parameters(self) -> tuple[int, int]:
        """Return the number of parameters of generators and discriminators."""
        return parameters_of(self._generators), parameters_of(self._discriminators)

    def again(self, seed: int) -> Self:
        """Return networks of the same settings with other weights."""
        settings, *others = self._made_from
        return type(self)(settings.replace(seed=seed), *others)

    def set_rate(self, rate: float, annealed: float = 1.0) -> None:
        """Set Adam's learning rate of all networks to `rate` × `annealed`."""
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("share", 1.0) * annealed

    @torch.no_grad()
    def update_average(self, keep: float) -> None:
        """Move the average towards the generator; `keep` is the share of it that stays."""
        distributed.average_buffers(self.generator)
        for mean, now in zip(
            self.average.state_dict().values(), self.generator.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def free_gradients(self) -> None:
        """Free the memory of the gradients."""
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)

    def healthy(self) -> bool:
        """Whether every weight of the generators is finite."""
        return all(
            bool(torch.isfinite(weight).all())
            for module in self._generators
            for weight in module.parameters()
        )

    def state(self) -> dict[str, Tensor]:
        """Return weights and optimiser states beside the average, by name."""
        return gather_state(self.modules, self.optimisers)

    def load(self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
        """Load the averaged generator, and what `state` returned."""
        self.average.load_state_dict(dict(average))
        spread_state(tensors, self.modules, self.optimisers)


class Memory(Protocol):
    """What a learner remembers beside its networks."""

    def forget(self) -> None:
        """Begin again."""

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint keeps, by name."""

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load what `state` returned."""


class NetworkLearner:
    """A learner but for its step: networks, random numbers, memories, and their state.

    Parameters
    ----------
    settings : with `seed` and `engine`
    networks : to train
    device : where they are

    Attributes
    ----------
    random, noise_random : on the CPU, and on the device
    dtype : of the networks' arithmetic; weights are float32
    """

    def __init__(self, settings: Any, networks: Networks, device: str | torch.device) -> None:
        self.networks = networks
        self.seed = settings.seed
        self.device = torch.device(device)
        self.dtype = arithmetic(settings.engine.precision, str(device))
        self.random = torch.Generator()
        self.noise_random = torch.Generator(self.device)
        self.seed_random()
        self.steps = 0

    @property
    def updates(self) -> int:
        """Return how often the generator was updated."""
        return self.steps

    def step(self) -> dict[str, Tensor]:
        """Do one step and return the value of each loss term, detached scalars."""
        return {name: value for _, terms in self.parts() for name, value in terms.items()}

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Do one step, part by part; yield the name and loss terms of each part done."""
        raise NotImplementedError

    def memories(self) -> Sequence[Memory]:
        """Return what the losses remember of earlier steps."""
        return ()

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """Run the networks inside in the precision of the settings."""
        with autocast(self.device, self.dtype):
            yield

    def parameters(self) -> tuple[int, int]:
        """Return the number of parameters of generators and discriminators."""
        return self.networks.parameters()

    def set_rate(self, rate: float, annealed: float = 1.0) -> None:
        """Set the learning rate of the next step to `rate` × `annealed`."""
        self.networks.set_rate(rate, annealed)

    def healthy(self) -> bool:
        """Whether every weight of the generators is finite."""
        return self.networks.healthy()

    def free_gradients(self) -> None:
        """Free the memory of the gradients."""
        self.networks.free_gradients()

    def seed_random(self, again: int = 0) -> None:
        """Seed the random numbers; `again` counts how often, so that others come."""
        seed = self.seed + 1_000_003 * again + 7_000_003 * distributed.rank()
        self.random.manual_seed(seed)
        self.noise_random.manual_seed(seed + 1)

    def start_over(self, again: int) -> None:
        """Begin with new weights; `again` counts how often, so that others come."""
        self.networks = self.networks.again((self.seed + 1_000_003 * again) % 2**31)
        self.steps = 0
        for memory in self.memories():
            memory.forget()

    def average_state(self) -> dict[str, Tensor]:
        """Return the averaged generator's weights: enough to generate."""
        return dict(self.networks.average.state_dict())

    def state(self) -> dict[str, Tensor]:
        """Return everything that resuming needs beside the average, by name."""
        tensors = self.networks.state()
        for memory in self.memories():
            tensors |= memory.state()
        for name, random in self._randoms():
            for rank, state in enumerate(distributed.gathered(random.get_state())):
                tensors[f"{name}{rank or ''}"] = state
        return tensors

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        """Load what `average_state` and `state` returned after `steps`."""
        self.steps = steps
        self.networks.load(average, tensors)
        for memory in self.memories():
            memory.load(tensors)
        rank = distributed.rank()
        for name, random in self._randoms():
            state = tensors.get(f"{name}{rank or ''}")
            if state is None or state.shape != random.get_state().shape:
                # more processes than before, or another kind of device
                random.manual_seed(self.seed + 11 * steps + 7_000_003 * rank)
            else:
                random.set_state(state.cpu())

    def _randoms(self) -> tuple[tuple[str, torch.Generator], ...]:
        return (("random", self.random), ("noise_random", self.noise_random))


def descend(optimiser: torch.optim.Optimizer, loss: Tensor, clip_norm: float | None = None) -> None:
    """Take one step down the gradient of a loss."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    apply_gradients(optimiser, clip_norm)


def apply_gradients(optimiser: torch.optim.Optimizer, clip_norm: float | None = None) -> None:
    """Take one step with the gradients that are there, averaged over all processes.

    Parameters
    ----------
    clip_norm : largest norm of the gradient; None for no limit
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    distributed.average_gradients(parameters)
    if clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, clip_norm)
    optimiser.step()


def detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return loss terms without their graphs."""
    return {name: value.detach() for name, value in terms.items()}


def parameters_of(modules: Sequence[nn.Module]) -> int:
    """Return how many parameters modules have together."""
    return sum(parameter.numel() for module in modules for parameter in module.parameters())
