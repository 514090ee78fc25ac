"""Low-res mismatch: how far a super-res volume is from giving the low-res volume back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_superres.config import ImagingModel
from napari_superres.data.simulate import down_sample_labels
from napari_superres.data.volumes import Labels
from napari_superres.errors import ShapeError
from napari_superres.scale_factor import ScaleFactor


def low_res_mismatch(
    labels: Labels,
    low_res_labels: Labels,
    lr_of_hr: NDArray[np.int64],
    scale_factor: ScaleFactor,
    imaging: ImagingModel,
    kernel: int | None = None,
    sd: float | None = None,
    one_sided: Sequence[int] = (),
) -> float:
    """Measure the fraction of low-res voxels that the down-sampled volume does not give back.

    Definition: the super-res volume goes through the phase map and the imaging
    model; a low-res voxel is given back when its phase has the largest share
    there (ties: the lowest index). Source: voxel-wise loss of Dahari et al. 2022,
    Methods, made discrete.

    Parameters
    ----------
    labels : (Z, Y, X) uint8, high-res phase indices
    low_res_labels : (z, y, x) uint8, low-res phase indices
    lr_of_hr : (n,) int64, the low-res phase index that each high-res phase belongs to
    scale_factor : high-res voxels in a low-res voxel, per axis
    imaging, kernel, sd : the imaging model, as in `down_sampling_matrix`
    one_sided : low-res phase *indices* that must be kept but may appear elsewhere;
        when given, only voxels of these phases can be wrong

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ShapeError
        When the volumes have not three axes.
    """
    if labels.ndim != 3 or low_res_labels.ndim != 3:
        raise ShapeError(
            f"The volumes have {labels.ndim} and {low_res_labels.ndim} axes.",
            "The low-res mismatch is defined for volumes with axes z, y, x.",
        )
    n_low = 1 + max(int(lr_of_hr.max()), int(low_res_labels.max()))
    counted = np.ones(n_low, bool)
    if one_sided:
        counted[:] = False
        counted[list(one_sided)] = True
    z, y, x = low_res_labels.shape
    found = down_sample_labels(
        labels, lr_of_hr, n_low, (z, y, x), scale_factor, imaging, kernel, sd
    )
    wrong = (found != low_res_labels) & counted[low_res_labels]
    return int(np.count_nonzero(wrong)) / low_res_labels.size
