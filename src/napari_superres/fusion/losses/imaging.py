"""The imaging model σ on the device: super-res probabilities to low-res probabilities.

Legend of shape suffixes: B volumes, M low-res phases, N high-res phases, Z Y X voxels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_superres.config import ImagingModel, TrainingSettings
from napari_superres.data.down_sampling import down_sampling_matrix

SHARPNESS = 100.0
"""Softmax temperature of the near one-hot encoding (Dahari et al. 2022, Methods)."""


class Imaging:
    """Phase map, blur and down-sampling for volumes of one shape.

    Parameters
    ----------
    settings : imaging model, scale factor, blur
    low_of_high_N : low-res phase index of each high-res phase, (n,)
    low_phases : m
    low_shape, high_shape : of the volumes to compare, zyx
    device : where the matrices live
    """

    def __init__(
        self,
        settings: TrainingSettings,
        low_of_high_N: Sequence[int],
        low_phases: int,
        low_shape: Sequence[int],
        high_shape: Sequence[int],
        device: torch.device,
    ) -> None:
        self.sharpen = settings.imaging is ImagingModel.BLURRED
        self.phase_map_MN = torch.zeros(low_phases, len(low_of_high_N), device=device)
        self.phase_map_MN[torch.as_tensor(low_of_high_N), torch.arange(len(low_of_high_N))] = 1
        self.matrices = [
            torch.from_numpy(
                down_sampling_matrix(
                    low, high, factor, settings.imaging, settings.blur_kernel, settings.blur_sd
                )
            ).to(device)
            for low, high, factor in zip(low_shape, high_shape, settings.scale_factor, strict=True)
        ]

    def soft(self, super_res_BNZYX: Tensor) -> Tensor:
        """Return M, blur and down-sampling of probabilities, (B, M, z, y, x), adding up to 1."""
        z, y, x = self.matrices
        out = torch.einsum("mn,bnzyx->bmzyx", self.phase_map_MN, super_res_BNZYX)
        out = out @ x.T
        out = y @ out
        return torch.einsum("az,bmzyx->bmayx", z, out)

    def near_one_hot(self, soft_BMZYX: Tensor) -> Tensor:
        """Return the differentiable threshold: softmax(100 · x) where the model blurs."""
        return torch.softmax(SHARPNESS * soft_BMZYX, 1) if self.sharpen else soft_BMZYX
