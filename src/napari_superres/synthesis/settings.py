"""Settings of synthesis, each written once with its description."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

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
from napari_superres.data.patches import PatchGrid
from napari_superres.runs.config import Kind

RESOLUTIONS = (16, 32, 64, 128, 256, 512, 1024)


class StylePreset(StrEnum):
    """Bundles of network and optimisation settings."""

    QUICK = "quick"
    SMALL = "small"
    PAPER = "paper"


class StyleEngine(FrozenModel):
    """Style-based networks and their optimisation; a preset sets them all."""

    SAFE_TO_CHANGE: ClassVar[tuple[str, ...]] = SAFE_FOR_ALL

    base_channels: int = Field(
        4096,
        ge=64,
        description="Width at resolution r is this divided by r, up to the largest width; "
        "doubled from 1024 pixels on.",
    )
    max_channels: int = Field(128, ge=8, le=1024, description="Largest width.")
    latent: int = Field(128, ge=8, le=1024, description="Size of z and of the style w.")
    start: Literal["constant", "style"] = Field(
        "constant",
        description="What the generator starts from: a learned constant of 4 × 4 pixels, as the "
        "paper's, or that and maps laid out by the style, up to a quarter of the size.",
    )
    noise_start: float = Field(
        0.0,
        ge=0,
        description="Strength of the noise of each layer at the start, trained from then on; 0 as "
        "in the paper's.",
    )
    loss: Literal["logistic", "relativistic"] = Field(
        "logistic",
        description="Adversarial loss: logistic with R1, or relativistic with R1 and R2.",
    )
    grey_levels: int = Field(
        0,
        ge=0,
        le=5,
        description="Grey values are mixed of so many learned levels, with some shade added, as "
        "pictures of distinct phases are; 0 for grey values as the network puts them out.",
    )
    frequency_weight: float = Field(
        0.0,
        ge=0,
        description="Weight of the loss on how often phases, or levels of grey, meet in the "
        "real images, as in the fusion; 0 for none.",
    )
    mapping_layers: int = Field(2, ge=1, le=8, description="Layers from z to the style w.")
    mapping_rate: float = Field(
        0.01, gt=0, description="Learning rate of the mapping, relative to the rest."
    )
    style_mixing: float = Field(
        0.9, ge=0, le=1, description="Share of training samples whose style changes midway."
    )
    path_length_weight: float | None = Field(
        None,
        ge=0,
        description="Weight of path-length regularisation; empty for 2 above 64 pixels, else 0.",
    )
    path_length_every: int = Field(4, ge=1, description="Steps between path-length steps.")
    r1_gamma: float | None = Field(
        None, ge=0, description="Weight of R1; empty for 0.0002 · resolution² / batch."
    )
    r1_every: int = Field(16, ge=1, description="Steps between gradient penalties (lazy).")
    minibatch_group: int = Field(
        4, ge=1, description="Images over which the discriminator's standard deviation is taken."
    )
    batch: int = Field(8, ge=2, description="Images in a step.")
    learning_rate: float = Field(2.5e-3, gt=0, description="Adam's learning rate.")
    annealing: Annealing = 0.0
    beta_2: float = Field(0.99, ge=0, lt=1, description="Adam's second moment decay; β₁ is 0.")
    average_half_life: float | None = Field(
        None,
        ge=0,
        description="Half-life of the generator's moving average, in thousands of images; "
        "empty for batch · 10/32.",
    )
    augmentation: Literal["adaptive", "fixed", "off"] = Field(
        "adaptive", description="Adaptive discriminator augmentation, a fixed strength, or none."
    )
    augmentation_target: float = Field(
        0.6,
        gt=0,
        lt=1,
        description="Aim of r_t, the mean sign of the discriminator on real images.",
    )
    augmentation_every: int = Field(
        4, ge=1, description="Batches between adjustments of the strength p."
    )
    augmentation_kimg: float = Field(
        500.0, gt=0, description="Thousands of images in which p can rise from 0 to 1."
    )
    augmentation_start: float = Field(
        0.0, ge=0, le=1, description="Strength p at the start, or all the time where it is fixed."
    )
    precision: Precision = "auto"
    measure_every: int = Field(100, ge=1, description="Steps between measurements.")
    measured_images: int = Field(64, ge=2, description="Images in a measurement.")
    patience: Patience = None
    preview_seconds: float = Field(5.0, ge=0, description="Seconds between previews.")
    checkpoint_seconds: float = Field(60.0, gt=0, description="Seconds between checkpoints.")

    def channels(self, resolution: int, size: int) -> int:
        """Return the width at `resolution` of networks whose images have `size` pixels."""
        base = self.base_channels * (2 if size >= 1024 else 1)
        return max(1, min(base // resolution, self.max_channels))


STYLE_PRESETS: dict[StylePreset, StyleEngine] = {
    StylePreset.QUICK: StyleEngine(
        base_channels=2048,
        max_channels=96,
        start="style",
        noise_start=0.15,
        grey_levels=4,
        frequency_weight=3.0,
        learning_rate=1e-3,
        annealing=0.5,
        augmentation_kimg=50.0,
    ),
    StylePreset.SMALL: StyleEngine(
        base_channels=8192, max_channels=256, latent=256, augmentation_kimg=100.0
    ),
    StylePreset.PAPER: StyleEngine(
        base_channels=16384, max_channels=512, latent=512, batch=32, precision="float32"
    ),
}


class SynthesisSettings(PresetSettings):
    """Settings of a synthesis."""

    PRESETS = STYLE_PRESETS

    size: int = Field(
        64, description="Side of the images in pixels: " + ", ".join(map(str, RESOLUTIONS)) + "."
    )
    stride: int | None = Field(
        None, ge=1, description="Pixels from a training patch to the next; empty for an eighth."
    )
    overlap: float | None = Field(
        None, ge=0, lt=1, description="Overlap of training patches, instead of a stride."
    )
    count: int | None = Field(
        None, ge=1, description="Training patches taken of each image; empty for all on the grid."
    )
    border: Literal["drop", "shift", "mirror"] = Field(
        "shift",
        description="A last patch that does not fit: drop it, shift it back to the edge, or fill "
        "it up with mirrored pixels.",
    )
    held_out: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share of each image kept from training, one whole region, to compare with.",
    )
    directed: bool = Field(
        False,
        description="The material looks different rotated or mirrored: train on patches as they "
        "are.",
    )
    preset: StylePreset = Field(
        StylePreset.QUICK,
        description="quick: minutes on a laptop; small: better, for hours or a GPU; paper: widths "
        "and pace of StyleGAN2-ADA.",
    )
    device: Device = "auto"
    seed: Seed = 0
    engine: StyleEngine = Field(description="Network and optimisation; set by the preset.")

    @model_validator(mode="after")
    def _check(self) -> SynthesisSettings:
        if self.size not in RESOLUTIONS:
            raise ValueError(f"size: one of {', '.join(map(str, RESOLUTIONS))} is needed")
        if self.stride is not None and self.overlap is not None:
            raise ValueError("stride and overlap: give one of them, the other follows")
        if self.engine.batch % min(self.engine.minibatch_group, self.engine.batch):
            raise ValueError("batch: a multiple of minibatch_group is needed")
        return self

    @property
    def grid(self) -> PatchGrid:
        """How training images are cut."""
        return PatchGrid.choose(self.size, self.stride, self.overlap, self.count, self.border)

    @property
    def r1_gamma(self) -> float:
        """Weight of R1 in use."""
        engine = self.engine
        given = engine.r1_gamma
        return 0.0002 * self.size**2 / engine.batch if given is None else given

    @property
    def path_length_weight(self) -> float:
        """Weight of path-length regularisation in use."""
        given = self.engine.path_length_weight
        return (2.0 if self.size > 64 else 0.0) if given is None else given

    @property
    def half_life(self) -> float:
        """Half-life of the moving average in use, in images."""
        given = self.engine.average_half_life
        return 1000 * (self.engine.batch * 10 / 32 if given is None else given)


SYNTHESIS = Kind("synthesis", SynthesisSettings)
