"""One step of a style-based GAN's training (Karras et al. 2020a, b).

Legend of shape suffixes: B images, C channels, L layers, W style, Y X pixels.

A step updates the generator, then the discriminator, by the non-saturating
logistic loss; path-length regularisation and R1 join every few steps (lazy
regularisation: their weight and Adam's pace make up for it).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from napari_superres.data.patches import Patches
from napari_superres.synthesis.augmentation import Augmentation, Controller
from napari_superres.synthesis.levels import GreyClasses, TextureLoss, palette
from napari_superres.synthesis.networks import Discriminator, Generator
from napari_superres.synthesis.settings import SynthesisSettings
from napari_superres.training import distributed
from napari_superres.training.adversarial import (
    discriminator_loss,
    generator_loss,
    zero_centred_penalty,
)
from napari_superres.training.networks import (
    Memory,
    NetworkLearner,
    Networks,
    apply_gradients,
    detached,
)
from napari_superres.training.real_images import RealImages

PATH_DECAY = 0.01
RAMP = 0.05
"""The moving average forgets at least so fast, as a share of the images seen."""


class StyleNetworks(Networks):
    """Generator, its average, discriminator and optimisers; `phases` is 0 for grey values."""

    generator: Generator
    average: Generator

    def __init__(
        self, settings: SynthesisSettings, phases: int, device: str, classes: GreyClasses
    ) -> None:
        engine = settings.engine
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            channels = max(1, phases)
            generator = Generator(engine, settings.size, channels)
            average = Generator(engine, settings.size, channels)
            self.discriminator = Discriminator(engine, settings.size, channels)
        if generator.palette is not None:
            with torch.no_grad():
                generator.palette.copy_(palette(classes, engine.grey_levels))
        for module in (generator, average, self.discriminator):
            module.to(device)
        path_every = engine.path_length_every if settings.path_length_weight > 0 else None
        r1_every = engine.r1_every if settings.r1_gamma > 0 else None
        self.generator_optimiser = self._optimiser(generator, path_every)
        self.discriminator_optimiser = self._optimiser(self.discriminator, r1_every)
        super().__init__(
            average,
            {"generator": generator},
            {"discriminator": self.discriminator},
            {
                "generator_optimiser": self.generator_optimiser,
                "discriminator_optimiser": self.discriminator_optimiser,
            },
            (settings, phases, device, classes),
        )

    def _optimiser(self, module: nn.Module, every: int | None) -> torch.optim.Adam:
        engine = self.settings.engine
        share = 1.0 if every is None else every / (every + 1)  # Karras et al. 2020a, appendix B
        groups = [{"params": list(module.parameters()), "share": share}]
        return torch.optim.Adam(groups, engine.learning_rate * share, (0.0, engine.beta_2**share))

    def follow(self, steps: int) -> None:
        """Move the average towards the generator; after few steps it forgets faster."""
        settings = self.settings
        batch = settings.engine.batch
        half_life = min(settings.half_life, steps * batch * RAMP)
        self.update_average(0.5 ** (batch / half_life) if half_life > 0 else 0.0)


class StyleLearner(NetworkLearner):
    """Trains on patches of `phases` phases, 0 for grey values."""

    networks: StyleNetworks

    def __init__(
        self, patches: Patches, phases: int, settings: SynthesisSettings, device: str
    ) -> None:
        engine, classes = settings.engine, GreyClasses(patches.parts)
        super().__init__(settings, StyleNetworks(settings, phases, device, classes), device)
        self.settings, self.engine, self.phases = settings, engine, phases
        self.texture: TextureLoss | None = None
        if engine.frequency_weight > 0:
            self.texture = TextureLoss(
                patches.parts,
                phases,
                settings.size,
                directed=settings.directed,
                device=self.device,
                classes=classes,
            )
        self.real = RealImages(patches, phases, settings.directed, self.device)
        self.controller = Controller(
            engine.augmentation_target,
            engine.augmentation_every,
            engine.augmentation_kimg,
            0.0 if engine.augmentation == "off" else engine.augmentation_start,
        )
        self.augmentation = Augmentation(phases == 0, self.random)
        self.path_mean = torch.zeros((), device=self.device)

    def parts(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Do one step, part by part; yield the name and loss terms of each part done."""
        self.steps += 1
        yield "generator", detached(self._update_generator())
        if self.settings.path_length_weight > 0 and self.steps % self.engine.path_length_every == 0:
            yield "path length", detached({"path_length": self._update_path_length()})
        terms = self._update_discriminator()
        self.networks.follow(self.steps)
        terms["r_t"] = torch.tensor(self.controller.overfitting)
        terms["p"] = torch.tensor(self.controller.strength)
        yield "discriminator", detached(terms)

    def memories(self) -> Sequence[Memory]:
        """Return what the losses remember of earlier steps."""
        return () if self.texture is None else (self.texture.frequencies,)

    def styles(self, count: int) -> Tensor:
        """Return styles for training, some of which change midway, (B, L, W)."""
        generator, random = self.networks.generator, self.random
        z = torch.randn((2, count, generator.latent), generator=random).to(self.device)
        first, second = (generator.broadcast(generator.mapping(part)) for part in z)
        crossing = torch.randint(1, generator.styles, (count,), generator=random)
        mixed = torch.rand(count, generator=random) < self.engine.style_mixing
        crossing = torch.where(mixed, crossing, generator.styles)
        layer = torch.arange(generator.styles)
        early = (layer < crossing[:, None]).to(self.device)
        return torch.where(early[:, :, None], first, second)

    def generate(self, count: int) -> Tensor:
        """Return generated images, (B, C, Y, X)."""
        with self.arithmetic():
            images: Tensor = self.networks.generator(
                self.styles(count), self.networks.generator.draw_noise(count, self.noise_random)
            )
        return images

    def score(self, images_BCYX: Tensor) -> Tensor:
        """Return the discriminator's logits of images, augmented, (B,)."""
        seen = self.augmentation(images_BCYX, self.controller.strength)
        with self.arithmetic():
            logits: Tensor = self.networks.discriminator(seen)
        return logits

    def _update_generator(self) -> dict[str, Tensor]:
        self.networks.discriminator.requires_grad_(False)
        engine = self.engine
        images_BCYX = self.generate(engine.batch)
        fake_B = real_B = self.score(images_BCYX)
        if engine.loss == "relativistic":
            with torch.no_grad():
                real_B = self.score(self.real.draw(engine.batch, self.random))
        loss = adversarial = generator_loss(engine.loss, fake_B, real_B)
        terms = {"generator": adversarial}
        if self.texture is not None:
            terms["frequencies"] = self.texture(images_BCYX)
            loss = loss + engine.frequency_weight * terms["frequencies"]
        self._descend(self.networks.generator_optimiser, loss)
        self.networks.discriminator.requires_grad_(True)
        return terms

    def _update_path_length(self) -> Tensor:
        """Pull towards equal steps in the image for equal steps in w (2020a, eq. 4)."""
        batch = max(1, self.engine.batch // 2)
        w_BLW = self.styles(batch)
        with self.arithmetic():
            images = self.networks.generator(
                w_BLW, self.networks.generator.draw_noise(batch, self.noise_random)
            )
        direction = torch.randn(images.shape, generator=self.noise_random, device=self.device)
        direction = direction / math.sqrt(images.shape[2] * images.shape[3])
        (slope_BLW,) = torch.autograd.grad((images * direction).sum(), w_BLW, create_graph=True)
        lengths_B = slope_BLW.float().square().sum(dim=2).mean(dim=1).sqrt()
        self.path_mean = self.path_mean.lerp(
            distributed.mean_over_ranks(lengths_B.detach().mean()), PATH_DECAY
        )
        penalty = (lengths_B - self.path_mean).square().mean()
        weight = self.settings.path_length_weight * self.engine.path_length_every
        self._descend(self.networks.generator_optimiser, weight * penalty)
        return penalty

    def _update_discriminator(self) -> dict[str, Tensor]:
        engine = self.engine
        with torch.no_grad():
            fake = self.generate(engine.batch)
        real = self.real.draw(engine.batch, self.random)
        penalise = self.settings.r1_gamma > 0 and self.steps % engine.r1_every == 0
        together = penalise and engine.loss == "relativistic"
        if together:
            fake, real = fake.requires_grad_(True), real.requires_grad_(True)
        fake_B, real_B = self.score(fake), self.score(real)
        loss = discriminator_loss(engine.loss, fake_B, real_B)
        terms = {"discriminator": loss}
        if together:
            penalty = zero_centred_penalty(real_B, real)
            penalty = penalty + zero_centred_penalty(fake_B, fake)
            terms["penalty"] = penalty
            loss = loss + self.settings.r1_gamma * engine.r1_every * penalty
        self._descend(self.networks.discriminator_optimiser, loss)
        if engine.augmentation == "adaptive":
            # of a relativistic discriminator only differences mean something
            sure_B = real_B - fake_B if engine.loss == "relativistic" else real_B
            self.controller.observe(sure_B)
        if penalise and not together:
            terms["r1"] = self._update_r1(real)
        return terms

    def _update_r1(self, real_BCYX: Tensor) -> Tensor:
        """Penalise the discriminator's gradient at real images (Mescheder et al. 2018)."""
        real = real_BCYX.detach().requires_grad_(True)
        penalty = zero_centred_penalty(self.score(real), real)
        weight = self.settings.r1_gamma * self.engine.r1_every
        self._descend(self.networks.discriminator_optimiser, weight * penalty)
        return penalty

    def _descend(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.nan_to_num_(0.0, 1e5, -1e5)
        apply_gradients(optimiser)

    def start_over(self, again: int) -> None:
        """Begin with new weights; `again` counts how often, so that others come."""
        super().start_over(again)
        self.controller.forget()
        self.path_mean = torch.zeros((), device=self.device)

    def state(self) -> dict[str, Tensor]:
        """Return everything that resuming needs beside the average, by name."""
        return super().state() | {
            "controller": self.controller.state(),
            "path_mean": self.path_mean,
        }

    def load(
        self, average: Mapping[str, Tensor], tensors: Mapping[str, Tensor], steps: int
    ) -> None:
        """Load what `average_state` and `state` returned after `steps`."""
        super().load(average, tensors, steps)
        self.controller.load(tensors["controller"])
        self.path_mean = tensors["path_mean"].to(self.device)
