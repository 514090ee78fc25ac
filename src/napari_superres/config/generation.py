"""Settings of a generation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from napari_superres.config.model import FrozenModel
from napari_superres.config.shared import Device


class GenerationSettings(FrozenModel):
    """How a volume is generated."""

    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the noise: one realisation.")
    symmetry: Literal["auto", "none"] = Field(
        "auto",
        description="auto: each seed turns and mirrors the material as it may be, generates, and "
        "turns the result back, so that no side is preferred; none: as it lies.",
    )
    region: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = Field(
        None,
        description="Part to generate, in low-res voxels, half open, zyx; empty for the whole.",
    )
    crop_border: bool = Field(
        False, description="Drop one low-res voxel from each face, where the context is unknown."
    )
    periodic_axes: tuple[Literal[0, 1, 2], ...] = Field(
        (),
        description="Axes (0 z, 1 y, 2 x) along which the noise repeats with the size of what is "
        "generated: features that come from noise become periodic.",
    )
    held_region: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = Field(
        None,
        description="Part, in low-res voxels, half open, zyx, whose noise stays that of held_seed "
        "whatever the seed; empty for none.",
    )
    held_seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the held part's noise.")
    tile: int | None = Field(
        None,
        ge=4,
        description="Side of a tile in low-res voxels; empty to choose it from free memory.",
    )
    checkpoint: str = Field(
        "best", description="Checkpoint to generate from: best, last, or a step number."
    )
    device: Device = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Arithmetic of the network; float32 is exact whatever the tiling."
    )
