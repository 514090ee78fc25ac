"""Settings of translation, each written once with its description."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field, model_validator

from napari_superres.config import (
    SAFE_FOR_ALL,
    Annealing,
    Device,
    FrozenModel,
    Patience,
    Precision,
    PresetSettings,
    Seed,
)
from napari_superres.runs.config import Kind

SCALE_FACTORS = (1, 2, 4, 8, 16)
LEAST_SEEN = 8
"""Side of the smallest image that the high-res discriminator can halve three times."""


class TranslationPreset(StrEnum):
    """Bundles of network and optimisation settings."""

    QUICK = "quick"
    PAPER = "paper"


class TranslationEngine(FrozenModel):
    """Networks and optimisation of a translation; a preset sets them all."""

    SAFE_TO_CHANGE: ClassVar[tuple[str, ...]] = SAFE_FOR_ALL

    channels: int = Field(64, ge=4, le=512, description="Generator width at the low-res grid.")
    min_channels: int = Field(
        16, ge=4, description="Least width; it is halved at each doubling of the resolution."
    )
    residual_blocks: int = Field(4, ge=0, le=12, description="Residual blocks at the low-res grid.")
    discriminator_channels: int = Field(
        32, ge=4, le=512, description="Width of the discriminators' first convolution."
    )
    scales: int = Field(
        2, ge=1, le=3, description="Resolutions at which the high-res discriminator looks."
    )
    patch: int = Field(24, ge=8, le=256, description="Side of a training patch, in low-res pixels.")
    batch: int = Field(4, ge=1, description="Patches of each domain in a step.")
    learning_rate: float = Field(5e-4, gt=0, description="Adam's learning rate.")
    annealing: Annealing = 0.0
    beta_1: float = Field(0.5, ge=0, lt=1, description="Adam's first moment decay.")
    cycle_low: float = Field(10.0, ge=0, description="Weight of the cycle low → high → low.")
    cycle_high: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Weight of the cycle high → low → high; at most 1, or it rewards hidden codes.",
    )
    identity: float = Field(
        10.0,
        ge=0,
        description="Weight of the L1 loss between a low-res image and its translation, "
        "down-sampled.",
    )
    pool: int = Field(50, ge=0, description="Past images shown to the discriminators again.")
    average_half_life: float = Field(
        100.0, ge=0, description="Half-life, in steps, of the generator's moving average."
    )
    precision: Precision = "auto"
    measure_every: int = Field(100, ge=1, description="Steps between measurements.")
    measured_images: int = Field(24, ge=2, description="Images in a measurement.")
    patience: Patience = None
    preview_seconds: float = Field(5.0, ge=0, description="Seconds between previews.")
    checkpoint_seconds: float = Field(60.0, gt=0, description="Seconds between checkpoints.")


TRANSLATION_PRESETS: dict[TranslationPreset, TranslationEngine] = {
    TranslationPreset.QUICK: TranslationEngine(annealing=0.5),
    TranslationPreset.PAPER: TranslationEngine(
        channels=256,
        residual_blocks=6,
        discriminator_channels=64,
        scales=3,
        patch=64,
        batch=1,
        learning_rate=2e-4,
        annealing=0.5,
        precision="float32",
    ),
}


class TranslationSettings(PresetSettings):
    """Settings of a translation."""

    PRESETS = TRANSLATION_PRESETS

    scale_factor: int = Field(
        4, description="Low-res pixel size / high-res pixel size: 1, 2, 4, 8 or 16."
    )
    directed: bool = Field(
        False,
        description="The material looks different rotated or mirrored: train on patches as they "
        "are.",
    )
    preset: TranslationPreset = Field(
        TranslationPreset.QUICK,
        description="quick: minutes on a laptop; paper: widths for a GPU, 64² to 1024² at ×16.",
    )
    device: Device = "auto"
    seed: Seed = 0
    engine: TranslationEngine = Field(description="Network and optimisation; set by the preset.")

    @model_validator(mode="after")
    def _check(self) -> TranslationSettings:
        if self.scale_factor not in SCALE_FACTORS:
            raise ValueError(f"scale_factor: one of {', '.join(map(str, SCALE_FACTORS))} is needed")
        coarsest = self.high_res_patch >> (self.engine.scales - 1)
        if coarsest < LEAST_SEEN:
            raise ValueError(
                f"scales: at the coarsest of {self.engine.scales} resolutions a patch has "
                f"{coarsest} pixels, {LEAST_SEEN} are needed: fewer scales or a larger patch"
            )
        return self

    @property
    def high_res_patch(self) -> int:
        """Side of a training patch in high-res pixels."""
        return self.engine.patch * self.scale_factor


TRANSLATION = Kind("translation", TranslationSettings)
