"""Images from a trained style generator: new styles, new noise, and what lies between.

Legend of shape suffixes: B images, L layers, W style, Y X pixels.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.files.images import check_place, write_images
from napari_superres.data.files.tiff import COMPRESSES
from napari_superres.data.phases import Phase, values_of
from napari_superres.errors import SettingsError
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    TileCompleted,
)
from napari_superres.runs.checkpoints import load_weights
from napari_superres.runs.device import choose_device, exact_convolutions
from napari_superres.runs.run import Run
from napari_superres.synthesis.networks import Generator
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings
from napari_superres.training.failures import engine_errors
from napari_superres.training.real_images import as_pixels

MEAN_OF, MEAN_SEED = 4096, 2020
CHUNK_PIXELS = 8 * 256**2
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class SampleRequest:
    """Which images are wanted.

    Attributes
    ----------
    styles : seed of each image's style
    noises : seed of each image's noise
    truncation : styles are drawn towards their mean by this factor; 1 for not at all
    """

    styles: tuple[int, ...]
    noises: tuple[int, ...]
    truncation: float = 1.0

    def __post_init__(self) -> None:
        if len(self.styles) != len(self.noises) or not self.styles:
            raise SettingsError(
                f"There are {len(self.styles)} styles and {len(self.noises)} noises.",
                "One of each is needed for an image.",
            )
        if not 0 <= self.truncation <= 2:
            raise SettingsError(f"The truncation is {self.truncation}.", "0 to 2 is needed.")

    @classmethod
    def choose(
        cls,
        count: int,
        seed: int = 0,
        vary: Literal["both", "style", "noise"] = "both",
        truncation: float = 1.0,
    ) -> SampleRequest:
        """Return `count` images that differ in style, in noise, or in both."""
        if count < 1:
            raise SettingsError(f"{count} images are asked for.", "At least 1 is needed.")
        same, new = (seed,) * count, tuple(range(seed, seed + count))
        return cls(same if vary == "noise" else new, same if vary == "style" else new, truncation)


class Synthesiser:
    """A trained generator, ready to make images.

    Attributes
    ----------
    settings, phases, pixel_size : of the run; no phases for grey values
    size : side of an image
    """

    def __init__(
        self,
        generator: Generator,
        settings: SynthesisSettings,
        phases: tuple[Phase, ...],
        pixel_size: float | None,
        device: str,
    ) -> None:
        self.generator = generator.to(device).requires_grad_(False).eval()
        self.settings, self.phases, self.pixel_size = settings, phases, pixel_size
        self.device = torch.device(device)
        self.size = settings.size
        random = torch.Generator().manual_seed(MEAN_SEED)
        z = torch.randn((MEAN_OF, generator.latent), generator=random).to(self.device)
        self.mean_W = generator.mapping(z).mean(dim=0)

    @classmethod
    def load(cls, run: Path | str, checkpoint: str = "best", device: str = "auto") -> Synthesiser:
        """Load a run's generator; a RunFolderError where there is none of synthesis."""
        folder = Run.open(run, SYNTHESIS)
        settings = folder.settings
        info = folder.kept("real")
        generator = Generator(settings.engine, settings.size, len(info.phases) or 1)
        load_weights(generator, folder.find_checkpoint(checkpoint).folder)
        return cls(generator, settings, info.phases, info.pixel_size, choose_device(device))

    @torch.no_grad()
    def styles(self, seeds: Sequence[int], truncation: float = 1.0) -> Tensor:
        """Return the style of each seed, (B, W)."""
        z = torch.stack(
            [
                torch.randn(self.generator.latent, generator=torch.Generator().manual_seed(seed))
                for seed in seeds
            ]
        )
        w_BW = self.generator.mapping(z.to(self.device))
        return torch.lerp(self.mean_W, w_BW, truncation)

    @torch.no_grad()
    def images(self, w_BW: Tensor, noises: Sequence[int]) -> Images:
        """Return images of styles and noise seeds, (B, Y, X) grey values or phase indices."""
        noise = [self._noise(seed) for seed in noises]
        maps = [torch.cat(level).to(self.device) for level in zip(*noise, strict=True)]
        with exact_convolutions():
            made = self.generator(self.generator.broadcast(w_BW), maps)
        pixels: Images = as_pixels(made, len(self.phases)).numpy()
        return pixels

    def _noise(self, seed: int) -> list[Tensor]:
        # drawn on the CPU: the same on every device
        return self.generator.draw_noise(1, torch.Generator().manual_seed(seed + 2**31))

    @property
    def chunk(self) -> int:
        """Images made at once."""
        return max(1, CHUNK_PIXELS // self.size**2)

    def sample(self, request: SampleRequest) -> Images:
        """Return the images of a request, (B, Y, X)."""
        return np.concatenate(list(self.parts(request)))

    def parts(self, request: SampleRequest) -> Iterator[Images]:
        """Yield the images of a request in order, a few at a time."""
        for start in range(0, len(request.styles), self.chunk):
            part = slice(start, start + self.chunk)
            w_BW = self.styles(request.styles[part], request.truncation)
            yield self.images(w_BW, request.noises[part])

    def interpolate(
        self, first: int, last: int, frames: int = 16, noise: int = 0, truncation: float = 1.0
    ) -> Images:
        """Return images on the way between two styles, with one noise, (frames, Y, X).

        Parameters
        ----------
        first, last : seeds of the styles at the ends
        frames : images, both ends included
        """
        return np.concatenate(list(self.way(first, last, frames, noise, truncation)))

    def way(
        self, first: int, last: int, frames: int = 16, noise: int = 0, truncation: float = 1.0
    ) -> Iterator[Images]:
        """Yield what `interpolate` returns, a few images at a time."""
        if frames < 2:
            raise SettingsError(f"{frames} frames are asked for.", "At least 2 are needed.")
        ends_BW = self.styles([first, last], truncation)
        way = torch.linspace(0, 1, frames, device=self.device)[:, None]
        w_BW = torch.lerp(ends_BW[:1], ends_BW[1:], way)
        for part_BW in torch.split(w_BW, self.chunk):
            yield self.images(part_BW, [noise] * len(part_BW))

    def values(self, images: Images) -> Images:
        """Return the user's label values of phase indices; grey values as they are."""
        return values_of(images, self.phases) if self.phases else images


def export(
    run: Path,
    request: SampleRequest,
    output: Path | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Make many images, to a TIFF stack, or as numbered PNG files in a folder.

    Parameters
    ----------
    run : of synthesis
    request : which images
    output : a .tif file, a folder for PNG files, or None for in memory

    Yields
    ------
    GenerationStarted, TileCompleted for each batch, GenerationFinished.

    Raises
    ------
    InputError
        Not such a run, or an output that cannot be written.
    """
    synthesiser = Synthesiser.load(run, checkpoint, device)
    count, size = len(request.styles), synthesiser.size
    if output is not None:
        check_place(output, count * size**2 // (COMPRESSES if synthesiser.phases else 1))
    tiles = -(-count // synthesiser.chunk)
    yield GenerationStarted((count, size, size), tiles)
    began = time.monotonic()
    with engine_errors(str(synthesiser.device), task="Sampling"):
        images = np.empty((count, size, size), np.uint8)
        for done, part in enumerate(synthesiser.parts(request), 1):
            first = (done - 1) * synthesiser.chunk
            images[first : first + len(part)] = part
            yield TileCompleted(done, tiles, (time.monotonic() - began) / done * (tiles - done))
            if stop is not None and stop.is_set() and done < tiles:
                yield GenerationFinished(FinishReason.STOPPED)
                return
    if output is None:
        yield GenerationFinished(FinishReason.COMPLETED, labels=images)
        return
    provenance = {
        "made by": "napari-superres synthesise sample",
        "run": str(run),
        "styles": ",".join(map(str, request.styles)),
        "noises": ",".join(map(str, request.noises)),
        "truncation": f"{request.truncation:g}",
    }
    values, phases = synthesiser.values(images), synthesiser.phases
    write_images(output, values, phases, synthesiser.pixel_size, provenance)
    yield GenerationFinished(FinishReason.COMPLETED, path=output)
