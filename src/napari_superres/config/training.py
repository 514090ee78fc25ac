"""Settings of a fusion's training, and its budget."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from napari_superres.config.engine import PRESETS, EngineSettings, Preset
from napari_superres.config.model import FrozenModel, PresetSettings
from napari_superres.config.shared import Device, Seed
from napari_superres.scale_factor import ScaleFactor, format_scale_factor, parse_scale_factor

ScaleFactorField = Annotated[
    ScaleFactor,
    BeforeValidator(parse_scale_factor),
    PlainSerializer(format_scale_factor, return_type=str),
]
SomeAxes = Literal["auto", "none", "zyx", "zy", "zx", "yx", "z", "y", "x"]


class ImagingModel(StrEnum):
    """How the low-res volume came to be (Dahari et al. 2022, Methods)."""

    BLURRED = "blurred"
    SAMPLED = "sampled"


class TrainingSettings(PresetSettings):
    """Settings of a fusion's training."""

    PRESETS = PRESETS

    scale_factor: ScaleFactorField = Field(
        description="Low-res voxel size divided by high-res voxel size, 1 to 16: "
        "4, 8/5 or 4,2,2 (zyx)."
    )
    phase_map: dict[int, int] = Field(
        description="Pairs of high-res value : low-res value: the low-res phase that each "
        "high-res phase belongs to."
    )
    imaging: ImagingModel = Field(
        ImagingModel.BLURRED,
        description="How the low-res volume came to be: blurred (under-resolved, as X-ray CT) or "
        "sampled (under-sampled, as SEM).",
    )
    one_sided: tuple[int, ...] = Field(
        (), description="Low-res phases that must be kept but may also appear elsewhere."
    )
    anisotropic: bool = Field(
        False, description="The material differs between axes: three sets of high-res slices, zyx."
    )
    rotations: SomeAxes = Field(
        "auto",
        description="Axes whose slices may be turned by quarter turns; auto: all when isotropic, "
        "none when anisotropic.",
    )
    mirrors: SomeAxes = Field(
        "auto", description="Axes along which the material may be mirrored; auto: all."
    )
    warm_start: str | None = Field(
        None,
        description="Run folder whose networks to start from: same phases, phase map, scale "
        "factor and network; empty to start from random weights.",
    )
    blur_kernel: int | None = Field(
        None,
        ge=1,
        description="Size of the imaging blur in high-res voxels, odd; empty for the paper's rule.",
    )
    blur_sd: float | None = Field(
        None,
        gt=0,
        description="Standard deviation of the imaging blur in high-res voxels; empty for "
        "the paper's rule.",
    )
    preset: Preset = Field(
        Preset.QUICK,
        description="quick: minutes on a laptop; standard: for a GPU; paper: the paper's networks "
        "and losses.",
    )
    device: Device = "auto"
    seed: Seed = 0
    engine: EngineSettings = Field(description="Network and optimisation; set by the preset.")

    def less_memory(self) -> dict[str, int | str]:
        """Return the change of engine settings that eases memory; empty where there is none."""
        return self.engine.less_memory()


class Budget(FrozenModel):
    """When a training ends: after minutes, after steps, or whichever comes first."""

    minutes: float | None = Field(None, gt=0, description="Minutes to train, from this start.")
    steps: int | None = Field(None, gt=0, description="Train up to this many steps in all.")
