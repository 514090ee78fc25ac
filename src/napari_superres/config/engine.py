"""Network and optimisation of the fusion, and the presets that set them all."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from napari_superres.config.model import FrozenModel
from napari_superres.config.shared import Annealing, Patience, Precision

SMALLEST_CROP = 32
"""High-res voxels: smaller crops show the discriminator too little to be offered."""
FEW_SLICES = 8


class Preset(StrEnum):
    """Bundles of engine settings."""

    QUICK = "quick"
    STANDARD = "standard"
    PAPER = "paper"


class EngineSettings(FrozenModel):
    """Networks and optimisation of a fusion; a preset sets them all."""

    SAFE_TO_CHANGE: ClassVar[tuple[str, ...]] = (
        "batch",
        "crop",
        "slices_per_axis",
        "learning_rate",
        "annealing",
        "clip_norm",
        "precision",
        "measure_every",
        "patience",
        "preview_seconds",
        "checkpoint_seconds",
    )
    """What a resumed run may have other values of: no weight changes its shape."""

    generator: Literal["light", "paper"] = Field(
        "light", description="Generator network: the light design, or the paper's layers."
    )
    channels: int = Field(
        16,
        ge=4,
        le=256,
        description="Generator width at the high-res grid; doubled at each coarser level.",
    )
    max_channels: int = Field(
        64, ge=8, le=1024, description="Largest generator width, at the low-res grid."
    )
    residual_blocks: int = Field(1, ge=0, le=16, description="Residual blocks at the low-res grid.")
    noise: Literal["levels", "input", "off"] = Field(
        "levels",
        description="Where noise enters: after each convolution, with the input, or nowhere "
        "(a deterministic generator).",
    )
    discriminator_channels: tuple[PositiveInt, ...] = Field(
        (32, 64, 128),
        min_length=1,
        description="Widths of the discriminator's strided convolutions.",
    )
    loss: Literal["relativistic", "logistic", "wasserstein"] = Field(
        "relativistic", description="Adversarial loss."
    )
    gradient_penalty: float = Field(
        0.3, ge=0, description="Weight of the gradient penalty (R1 + R2, R1, or WGAN-GP)."
    )
    penalty_every: int = Field(
        1, ge=1, description="Apply the gradient penalty every so many steps (lazy regularisation)."
    )
    critic_steps: int = Field(1, ge=1, description="Discriminator steps for each generator step.")
    crop: int = Field(
        48, ge=16, le=256, description="Side of a generated training crop, in high-res voxels."
    )
    crop_margin: int = Field(
        0, ge=0, description="High-res voxels cut from each face before the discriminator looks."
    )
    context: bool = Field(
        True, description="Give the generator real low-res context around each crop."
    )
    batch: int = Field(2, ge=1, description="Volumes generated in a step.")
    slices_per_axis: int | None = Field(
        12,
        ge=1,
        description="Random slices of each volume shown to the discriminator, per axis; "
        "empty for all of them.",
    )
    real_slices_per_axis: int | None = Field(
        None,
        ge=1,
        description="Real slices shown to the discriminator in a step, per axis; empty for as "
        "many as generated ones, which the relativistic loss needs.",
    )
    learning_rate: float = Field(1e-3, gt=0, description="Adam's learning rate.")
    annealing: Annealing = 0.5
    beta_1: float = Field(0.0, ge=0, lt=1, description="Adam's first moment decay.")
    beta_2: float = Field(0.99, ge=0, lt=1, description="Adam's second moment decay.")
    average_half_life: float = Field(
        50.0,
        ge=0,
        description="Half-life, in steps, of the generator's moving average; 0 for none.",
    )
    voxel_loss: Literal["focal", "cross_entropy", "mse"] = Field(
        "focal",
        description="Voxel-wise loss against the low-res volume: the paper's mean squared error, "
        "cross-entropy, or cross-entropy of just the voxels not given back.",
    )
    voxel_weight: float = Field(10.0, ge=0, description="Weight c of the voxel-wise loss.")
    voxel_threshold: float = Field(
        0.005, ge=0, description="The voxel-wise loss counts only above this mismatch b."
    )
    frequency_weight: float = Field(
        10.0,
        ge=0,
        description="Weight of the loss on how often phases meet, against the high-res slices: "
        "pairs at 1 to 16 voxels in each direction, thin parts, single voxels, parts and "
        "triples; 0 for none.",
    )
    fraction_weight: float = Field(
        5.0,
        ge=0,
        description="Weight of the loss on the volume fractions of generated crops; 0 for none.",
    )
    diversity_weight: float = Field(
        0.5,
        ge=0,
        description="Weight of the loss that asks two realisations of a crop to differ, from "
        "150 updates on, falling with the learning rate's square; 0 for none. More makes them "
        "differ more and interfaces more ragged. It needs noise, and two crops a step.",
    )
    clip_norm: float | None = Field(
        1.0, gt=0, description="Largest gradient norm; empty for no limit."
    )
    precision: Precision = "auto"
    measure_every: int = Field(
        50, ge=1, description="Steps between measurements of the generated crops."
    )
    held_back: float = Field(
        0.125,
        ge=0,
        le=0.5,
        description="Share of the high-res slices that is never trained on, to measure against; "
        "0 for none.",
    )
    patience: Patience = None
    augment_low_res: bool = Field(
        False,
        description="Mirror and turn the low-res crops at random; only for isotropic materials.",
    )
    preview_seconds: float = Field(
        5.0, ge=0, description="Seconds between previews; the first comes after one step."
    )
    checkpoint_seconds: float = Field(
        60.0, gt=0, description="Seconds between checkpoints of a running training."
    )

    def less_memory(self) -> dict[str, int | str]:
        """Return the change that eases memory at the least cost; empty where there is none."""
        if self.batch > 1:
            return {"batch": self.batch // 2}
        smallest = max(SMALLEST_CROP, self.smallest_slice) + 2 * self.crop_margin
        crop = max(self.crop * 3 // 4 // 8 * 8, -(-smallest // 8) * 8)
        if crop < self.crop:
            return {"crop": crop}
        if self.slices_per_axis is None or self.slices_per_axis > FEW_SLICES:
            return {"slices_per_axis": FEW_SLICES}
        return {}

    @property
    def smallest_slice(self) -> int:
        """Pixels a side of the smallest slice that can be judged.

        Each strided convolution halves a side, rounding down; the last one of the paper's
        discriminator rounds up, and its score is of 4 × 4. Specks are looked for in 5 pixels.
        """
        halvings = len(self.discriminator_channels)
        side = 7 << (halvings - 1) if self.generator == "paper" else 1 << halvings
        return max(side, 5) if self.frequency_weight > 0 else side


PRESETS: dict[Preset, EngineSettings] = {
    Preset.QUICK: EngineSettings(),
    Preset.STANDARD: EngineSettings(
        channels=32,
        max_channels=128,
        residual_blocks=2,
        discriminator_channels=(64, 128, 256),
        crop=64,
        batch=8,
        slices_per_axis=32,
    ),
    Preset.PAPER: EngineSettings(
        generator="paper",
        residual_blocks=1,
        noise="input",
        discriminator_channels=(64, 128, 256, 512),
        loss="wasserstein",
        gradient_penalty=10.0,
        critic_steps=5,
        crop=64,
        crop_margin=4,
        context=False,
        batch=8,
        slices_per_axis=None,
        real_slices_per_axis=64,
        learning_rate=1e-4,
        annealing=0.0,
        beta_1=0.5,
        beta_2=0.999,
        average_half_life=0.0,
        voxel_loss="mse",
        voxel_weight=10.0,
        frequency_weight=0.0,
        fraction_weight=0.0,
        diversity_weight=0.0,
        clip_norm=None,
    ),
}
