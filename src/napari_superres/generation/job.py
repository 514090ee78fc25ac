"""What to generate, fixed before it starts: the same for every tile and worker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import torch

from napari_superres import __version__
from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box, Triple
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.fusion.networks.generator import Generator
from napari_superres.generation.memory import best_tile
from napari_superres.generation.noise import NoiseField, layer_factors
from napari_superres.generation.renderer import Precision, Renderer, for_generation
from napari_superres.generation.symmetry import IDENTITY, Symmetry, symmetry_of_seed
from napari_superres.generation.tiles import (
    low_res_box,
    low_res_to_high_res,
    result_box,
    result_place,
)
from napari_superres.runs.device import arithmetic, keep_freed_memory
from napari_superres.scale_factor import format_scale_factor
from napari_superres.writing.description import Description, digest

OUTSIDE = 1000
"""Low-res voxels; more than any network sees beyond a face."""


class Draw(NamedTuple):
    """A realisation: its noise, and how the material is turned for it."""

    noise: NoiseField
    symmetry: Symmetry


@dataclass(frozen=True)
class Job:
    """A volume to generate.

    Attributes
    ----------
    generator : with as many low-res phases as `low_res` has
    low_res : the whole low-res volume
    phases : of the result, in the order of the generator's channels
    settings : seed, region, tile, precision, noise; the checkpoint is not used
    device : torch's name; where the settings name no card, workers take several in turn
    provenance : more about the result for its file, name : text
    symmetries : of the material, of which each realisation has one
    """

    generator: Generator
    low_res: SegmentedVolume
    phases: tuple[Phase, ...]
    settings: GenerationSettings
    device: str = "cpu"
    provenance: Mapping[str, str] = field(default_factory=dict)
    symmetries: tuple[Symmetry, ...] = (IDENTITY,)

    @cached_property
    def result(self) -> Box:
        """The high-res voxels asked for."""
        return result_box(
            self.low_res.shape,
            self.generator.scale_factor,
            self.settings.region,
            crop_border=self.settings.crop_border,
        )

    @cached_property
    def noise(self) -> NoiseField:
        """The noise that the settings ask for."""
        settings, shape = self.settings, self.low_res.shape
        part = low_res_box(shape, settings.region, crop_border=settings.crop_border)
        z, y, x = (
            size if axis in settings.periodic_axes else None for axis, size in enumerate(part.shape)
        )
        held = settings.held_region
        box = None if held is None else _with_outside(low_res_box(shape, held), shape)
        factors = layer_factors(self.generator)
        return NoiseField(settings.seed, factors, (z, y, x), box, settings.held_seed)

    def symmetry(self, seed: int) -> Symmetry:
        """Return the symmetry of a realisation; with a held region that of the held seed."""
        held = self.settings.held_region is not None
        return symmetry_of_seed(self.settings.held_seed if held else seed, self.symmetries)

    def draw(self, seed: int) -> Draw:
        """Return a realisation: its noise lies in the turned volume."""
        symmetry, noise = self.symmetry(seed), self.noise
        z, y, x = (noise.period[axis] for axis in symmetry.order)
        held = None if noise.held is None else symmetry.box(noise.held, self.low_res.shape)
        return Draw(replace(noise, seed=seed, period=(z, y, x), held=held), symmetry)

    @cached_property
    def precision(self) -> Precision:
        """The precision asked for; `auto` is bfloat16 where the device is faster with it."""
        low = arithmetic(self.settings.precision, self.device) is torch.bfloat16
        return "bfloat16" if low else "float32"

    def renderer(self) -> Renderer:
        """Return a renderer on the job's device."""
        if self.device == "cpu":
            keep_freed_memory()
        return Renderer(self.generator, self.low_res.labels, self.device, self.precision)

    def tile(self, processes: int = 1) -> Triple:
        """Return the shape of a tile in high-res voxels: as set, or what is fast and fits.

        `processes` generate on this machine at once.
        """
        if self.settings.tile is not None:
            return low_res_to_high_res(self.settings.tile, self.generator.scale_factor)
        bytes_per_value = 2 if self.precision == "bfloat16" else 4
        device = torch.device(self.device)
        ready = for_generation(self.generator, self.low_res.shape)
        shape = self.low_res.shape
        return best_tile(ready, self.result, shape, device, bytes_per_value, processes)

    def description(self, seeds: Sequence[int], **more: str) -> Description:
        """Return the description that a file of these realisations carries."""
        size, offset = result_place(self.low_res, self.generator.scale_factor, self.settings)
        about = {
            "software": f"napari-superres-fusion {__version__}",
            "seed": ",".join(map(str, seeds)),
            "scale factor": format_scale_factor(self.generator.scale_factor),
            "low-res": self.low_res.name,
            "high-res voxels zyx": ",".join(f"{lo}:{hi}" for lo, hi in self.result.ranges()),
            "precision": self.precision,
        }
        if len(self.symmetries) > 1:
            about["symmetry"] = ",".join(str(self.symmetry(seed)) for seed in seeds)
        if self.settings.crop_border:
            about["border dropped"] = "yes"
        if self.settings.periodic_axes:
            about["periodic noise along"] = ",".join("zyx"[a] for a in self.settings.periodic_axes)
        if self.settings.held_region is not None:
            about["held region"] = str(self.settings.held_region)
            about["held seed"] = str(self.settings.held_seed)
        about |= dict(self.provenance) | more
        return Description(self.phases, size, offset, about, self.sources)

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """Fingerprints of network and low-res volume."""
        return {
            "network": digest(self.generator.state_dict()),
            "low-res": hashlib.sha256(self.low_res.labels.tobytes()).hexdigest(),
            "shape": str(self.low_res.shape),
        }


def _with_outside(box: Box, shape: Sequence[int]) -> Box:
    """Extend a box of low-res voxels that touches a face of the volume beyond that face.

    The network sees noise there too: held voxels at a face depend on it.
    """
    z, y, x = (
        (lo if lo else -OUTSIDE, hi if hi < size else size + OUTSIDE)
        for (lo, hi), size in zip(box.ranges(), shape, strict=True)
    )
    return Box((z[0], y[0], x[0]), (z[1], y[1], x[1]))
