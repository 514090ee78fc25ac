"""A trained translation, ready to use: one image, tile by tile.

Legend of shape suffixes: B images, C channels, Y X pixels.

A tile is translated with a halo as wide as the network sees, and noise is a function
of seed, slice, level and place: the result does not depend on the tiles.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.config import GenerationSettings, validated
from napari_superres.data.phases import Phase
from napari_superres.errors import PhaseError
from napari_superres.runs.checkpoints import load_weights
from napari_superres.runs.device import choose_device, exact_convolutions
from napari_superres.runs.run import Run
from napari_superres.training.real_images import as_network, as_pixels
from napari_superres.translation.networks import ToHighRes
from napari_superres.translation.settings import TRANSLATION
from napari_superres.translation.training import HIGH

Pixels = NDArray[np.uint8]
NOISE_BLOCK = 64
TILE_PIXELS = 512
"""Side of a tile in high-res pixels, unless another is asked for."""


def tile_side(tile: int | None, scale_factor: int) -> int:
    """Return the side of a tile in low-res pixels, chosen where `tile` is None."""
    side = validated(GenerationSettings, {"tile": tile}).tile
    return TILE_PIXELS // scale_factor if side is None else side


class PlacedNoise:
    """Noise that is a function of seed, slice, level and place.

    Parameters
    ----------
    seed : one realisation
    plane : number of the slice
    origin : row and column of the tile, with its halo, in low-res pixels
    """

    def __init__(self, seed: int, plane: int, origin: tuple[int, int]) -> None:
        self.seed, self.plane, self.origin = seed, plane, origin

    def __call__(self, level: int, like_BCYX: Tensor) -> Tensor:
        """Return (1, 1, Y, X) on the device of `like_BCYX`."""
        top, left = (start << level for start in self.origin)
        rows, columns = like_BCYX.shape[2:]
        size = NOISE_BLOCK
        lines = []
        for y in range(top // size, (top + rows - 1) // size + 1):
            across = range(left // size, (left + columns - 1) // size + 1)
            lines.append(torch.cat([self._block(level, y, x) for x in across], 1))
        noise = torch.cat(lines)
        y, x = top % size, left % size
        return noise[None, None, y : y + rows, x : x + columns].to(like_BCYX.device)

    def _block(self, level: int, y: int, x: int) -> Tensor:
        key = f"{self.seed} {self.plane} {level} {y} {x}".encode()
        number = int.from_bytes(hashlib.blake2b(key, digest_size=7).digest(), "big")
        random = torch.Generator().manual_seed(number)
        return torch.randn((NOISE_BLOCK, NOISE_BLOCK), generator=random)


class Translator:
    """A trained translation, ready to use.

    Attributes
    ----------
    scale_factor, phases : of the run; no phases for grey values
    """

    def __init__(self, network: ToHighRes, phases: tuple[Phase, ...], device: str) -> None:
        self.network = network.to(device).requires_grad_(False).eval()
        self.scale_factor, self.phases = network.scale_factor, phases
        self.device = torch.device(device)

    @classmethod
    def load(cls, run: Path | str, checkpoint: str = "best", device: str = "auto") -> Translator:
        """Load a run's generator.

        Raises
        ------
        RunFolderError
            Not a run of translation, or no whole checkpoint.
        """
        folder = Run.open(run, TRANSLATION)
        settings = folder.settings
        phases = folder.kept(HIGH).phases
        network = ToHighRes(settings.engine, settings.scale_factor, len(phases))
        load_weights(network, folder.find_checkpoint(checkpoint).folder)
        return cls(network, phases, choose_device(device))

    def indices(self, values: Pixels) -> Pixels:
        """Return phase indices of the user's label values; grey values as they are.

        Raises
        ------
        PhaseError
            A value that the run does not know.
        """
        if not self.phases:
            return values
        table = np.full(256, 255, np.uint8)
        table[[phase.value for phase in self.phases]] = np.arange(len(self.phases))
        found = table[values]
        if (found == 255).any():
            raise PhaseError(
                f"There is the label value {int(values[found == 255][0])}.",
                f"The translation knows {[phase.value for phase in self.phases]}.",
            )
        return found

    @torch.no_grad()
    def image(
        self, image: Pixels, seed: int = 0, plane: int = 0, tile: int | None = None
    ) -> Pixels:
        """Translate one image, the same whatever the tile.

        Parameters
        ----------
        image : (rows, columns) uint8 grey values or phase indices
        seed, plane : of the noise: realisation and slice
        tile : side in low-res pixels; None for 512 high-res pixels

        Returns
        -------
        (rows · sf, columns · sf) uint8

        Raises
        ------
        SettingsError
            A tile that is too small.
        """
        factor, halo = self.scale_factor, self.network.halo
        side = tile_side(tile, factor)
        rows, columns = image.shape
        result = np.empty((rows * factor, columns * factor), np.uint8)
        for top in range(0, rows, side):
            for left in range(0, columns, side):
                bottom, right = min(top + side, rows), min(left + side, columns)
                y, x = max(0, top - halo), max(0, left - halo)
                part = image[y : min(bottom + halo, rows), x : min(right + halo, columns)]
                low = as_network(
                    torch.from_numpy(part.copy())[None].to(self.device), len(self.phases)
                )
                with exact_convolutions():
                    high = self.network(low, PlacedNoise(seed, plane, (y, x)))
                made = as_pixels(high, len(self.phases))[0].numpy()
                result[top * factor : bottom * factor, left * factor : right * factor] = made[
                    (top - y) * factor : (bottom - y) * factor,
                    (left - x) * factor : (right - x) * factor,
                ]
        return result
