"""Translating images and whole volumes, slice by slice, tile by tile, streaming to disk.

Legend of shape suffixes: B images, C channels, Y X pixels, Z Y X voxels.

A tile is translated with a halo as wide as the network sees, and noise is a function
of seed, slice, level and place: the result does not depend on the tiles.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.output import check_writable, written_whole
from napari_superres.data.phases import Phase
from napari_superres.data.tiff import CLASSIC_LIMIT
from napari_superres.data.volumes import values_of
from napari_superres.errors import PhaseError, RunFolderError, SettingsError
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    TileCompleted,
)
from napari_superres.fusion.image_loop import engine_errors
from napari_superres.fusion.image_tensors import as_network, as_pixels
from napari_superres.runs.checkpoints import load_tensors
from napari_superres.runs.device import choose_device
from napari_superres.runs.image_run import ImageRun
from napari_superres.translation.networks import ToHighRes
from napari_superres.translation.settings import TranslationSettings
from napari_superres.translation.training import HIGH, KIND

Pixels = NDArray[np.uint8]
NOISE_BLOCK = 64
TILE_PIXELS = 512
"""Side of a tile in high-res pixels, unless another is asked for."""


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
        folder = ImageRun.open(run, KIND)
        settings = folder.settings(TranslationSettings)
        phases = folder.config.inputs[HIGH].phases
        network = ToHighRes(settings.engine, settings.scale_factor, len(phases))
        found = folder.find_checkpoint(checkpoint)
        try:
            network.load_state_dict(load_tensors(found.folder, "generator"))
        except RuntimeError as error:
            raise RunFolderError(
                f"The weights of {found.folder} do not fit the run's settings.",
                "",
                "Choose another checkpoint.",
            ) from error
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
        """
        factor, halo = self.scale_factor, self.network.halo
        side = max(1, TILE_PIXELS // factor) if tile is None else tile
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
                made = as_pixels(
                    self.network(low, PlacedNoise(seed, plane, (y, x))), len(self.phases)
                )[0].numpy()
                result[top * factor : bottom * factor, left * factor : right * factor] = made[
                    (top - y) * factor : (bottom - y) * factor,
                    (left - x) * factor : (right - x) * factor,
                ]
        return result


def translate(
    run: Path,
    volume: Pixels,
    output: Path | None = None,
    axis: int = 0,
    seed: int = 0,
    tile: int | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    voxel_size: tuple[float, float, float] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Translate an image or a volume, slice by slice along an axis.

    Parameters
    ----------
    run : of translation
    volume : (Z, Y, X) or (Y, X) uint8 grey values or label values
    output : a .tif file, written slice by slice; None for in memory
    axis : the slices are normal to it; the result is finer along the other two
    seed : of the noise: one realisation
    tile : side of a tile in low-res pixels
    voxel_size : of the volume in µm, zyx

    Yields
    ------
    GenerationStarted, TileCompleted for each slice, GenerationFinished with the
    label or grey values, (Z', Y', X'), or the path.

    Raises
    ------
    InputError
        Not such a run, a volume that does not fit, or an output that cannot be written.
    """
    stack = volume[None] if volume.ndim == 2 else volume
    if stack.ndim != 3 or axis not in (0, 1, 2):
        raise SettingsError(
            f"The volume has {volume.ndim} axes and the slices' axis is {axis}.",
            "Two or three axes, and an axis 0, 1 or 2, are needed.",
        )
    translator = Translator.load(run, checkpoint, device)
    indices, factor = translator.indices(stack), translator.scale_factor
    shape = tuple(n if a == axis else n * factor for a, n in enumerate(stack.shape))
    slices = stack.shape[axis]
    yield GenerationStarted((shape[0], shape[1], shape[2]), slices)
    if output is None:
        result = np.empty(shape, np.uint8)
        stopped = yield from _fill(translator, indices, result, axis, seed, tile, stop)
        labels = None if stopped else result
        yield GenerationFinished(_reason(stopped), labels)
        return
    check_writable(output, int(np.prod(shape)))
    try:
        with written_whole(output) as temporary:
            target = _memory_mapped(temporary, shape, axis, factor, voxel_size)
            stopped = yield from _fill(translator, indices, target, axis, seed, tile, stop)
            if stopped:
                raise _StoppedError  # what is there already stays
            target.flush()
            del target
    except _StoppedError:
        yield GenerationFinished(FinishReason.STOPPED)
        return
    yield GenerationFinished(FinishReason.COMPLETED, path=output)


class _StoppedError(Exception):
    """Leaves the writing without a result."""


def _reason(stopped: bool) -> FinishReason:
    return FinishReason.STOPPED if stopped else FinishReason.COMPLETED


def _fill(
    translator: Translator,
    indices: Pixels,
    target: Pixels,
    axis: int,
    seed: int,
    tile: int | None,
    stop: threading.Event | None,
) -> Generator[GenerationEvent, None, bool]:
    """Translate each slice into its place; return whether it was stopped."""
    began = time.monotonic()
    total = indices.shape[axis]
    planes, places = np.moveaxis(indices, axis, 0), np.moveaxis(target, axis, 0)
    with engine_errors(str(translator.device)):
        for plane in range(total):
            if stop is not None and stop.is_set():
                return True
            made = translator.image(np.ascontiguousarray(planes[plane]), seed, plane, tile)
            places[plane] = values_of(made, translator.phases) if translator.phases else made
            done = plane + 1
            left = (time.monotonic() - began) / done * (total - done)
            yield TileCompleted(done, total, left)
    return False


def _memory_mapped(
    path: Path,
    shape: tuple[int, ...],
    axis: int,
    factor: int,
    voxel_size: tuple[float, float, float] | None,
) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """Return an uncompressed TIFF stack to be filled along any axis; above 4 GiB a BigTIFF."""
    big = int(np.prod(shape)) > CLASSIC_LIMIT
    metadata: dict[str, Any] = {"axes": "ZYX"}
    resolution = None
    if voxel_size is not None:
        z, y, x = (s if a == axis else s / factor for a, s in enumerate(voxel_size))
        resolution = (1 / x, 1 / y)
        metadata |= {"unit": "micron", "spacing": z}
        if big:
            metadata = {"axes": "ZYX"} | {
                key: value
                for name, size in (("Z", z), ("Y", y), ("X", x))
                for key, value in (
                    (f"PhysicalSize{name}", size),
                    (f"PhysicalSize{name}Unit", "µm"),
                )
            }
    return tifffile.memmap(
        path,
        shape=shape,
        dtype=np.uint8,
        bigtiff=big,
        ome=big,
        imagej=not big,
        metadata=metadata,
        resolution=resolution if not big else None,
    )
