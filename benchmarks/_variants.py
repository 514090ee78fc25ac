"""The variants that `variants.py` tries: what is said of each, and what it changes in `quick`."""

from __future__ import annotations

from typing import Any

WGAN = {"loss": "wasserstein", "gradient_penalty": 10.0}
PAPER = {"critic_steps": 5, "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999}
LOGISTIC = {"loss": "logistic", "gradient_penalty": 1.0}
CROSS_ENTROPY = {"voxel_loss": "cross_entropy", "voxel_weight": 2.0}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick": ("as it is", {}),
    "wgan-gp": ("WGAN-GP, one critic step", WGAN),
    "wgan-gp-5": ("WGAN-GP, five critic steps", WGAN | {"critic_steps": 5}),
    "wgan-gp-paper": ("WGAN-GP, critic steps and Adam of the paper", WGAN | PAPER),
    "logistic-r1": ("logistic, R1 every step", LOGISTIC),
    "logistic-lazy-r1": ("logistic, R1 every 16 steps", LOGISTIC | {"penalty_every": 16}),
    "gamma-1": ("relativistic, R1 + R2 with γ 1", {"gradient_penalty": 1.0}),
    "gamma-0.1": ("relativistic, R1 + R2 with γ 0.1", {"gradient_penalty": 0.1}),
    "width-8": ("half the generator's width", {"channels": 8, "max_channels": 32}),
    "width-32": ("twice the generator's width", {"channels": 32, "max_channels": 128}),
    "d-width-64": ("twice the discriminator's width", {"discriminator_channels": (64, 128, 256)}),
    "blocks-0": ("no residual block", {"residual_blocks": 0}),
    "blocks-2": ("two residual blocks", {"residual_blocks": 2}),
    "crop-32": ("crops of 32³, 4 a step", {"crop": 32, "batch": 4}),
    "crop-64": ("crops of 64³, 1 a step", {"crop": 64, "batch": 1}),
    "batch-1": ("one crop a step", {"batch": 1}),
    "slices-6": ("6 slices an axis and crop", {"slices_per_axis": 6}),
    "slices-24": ("24 slices an axis and crop", {"slices_per_axis": 24}),
    "slices-all": ("all slices", {"slices_per_axis": None}),
    "no-context": ("no real context around the crop", {"context": False}),
    "no-context-cut": ("no real context, 4 voxels cut off", {"context": False, "crop_margin": 4}),
    "noise-input": ("noise at the input only", {"noise": "input"}),
    "noise-off": ("no noise", {"noise": "off"}),
    "ema-off": ("no moving average", {"average_half_life": 0.0}),
    "ema-200": ("moving average over 200 steps", {"average_half_life": 200.0}),
    "frequency-0": ("no loss on how often phases meet", {"frequency_weight": 0.0}),
    "frequency-3": ("that loss with weight 3", {"frequency_weight": 3.0}),
    "fraction-0": ("no loss on volume fractions", {"fraction_weight": 0.0}),
    "diversity-0": ("nothing rewards realisations that differ", {"diversity_weight": 0.0}),
    "diversity-3": ("that reward with weight 3", {"diversity_weight": 3.0}),
    "annealing-0": ("constant learning rate", {"annealing": 0.0}),
    "voxel-mse": ("voxel-wise loss: mean square", {"voxel_loss": "mse"}),
    "voxel-ce": ("voxel-wise loss: cross-entropy, weight 2", CROSS_ENTROPY),
    "lr-5e-4": ("half the learning rate", {"learning_rate": 5e-4}),
}  # fmt: skip
