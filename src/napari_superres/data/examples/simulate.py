"""Low-res volumes simulated from high-res ones (Dahari et al. 2022, SI fig. 12).

Merge phases that the coarse imaging cannot separate, blur, down-sample, and
give each voxel its most probable phase. Works slab by slab, in memory that does
not grow with the volume's depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from napari_superres.config import ImagingModel
from napari_superres.data.boxes import Triple
from napari_superres.data.down_sampling import (
    Matrix,
    centre_indices,
    down_sample,
    down_sampling_matrix,
)
from napari_superres.data.phases import Phase, phases_from_values, resolve_phase_map
from napari_superres.data.volumes import Labels, SegmentedVolume
from napari_superres.errors import ShapeError
from napari_superres.scale_factor import ScaleFactor, format_scale_factor, parse_scale_factor

SLAB_BYTES = 128 * 2**20


def low_res_shape(high_res_shape: Sequence[int], scale_factor: ScaleFactor) -> Triple:
    """Return the shape of the whole low-res voxels that a high-res grid holds (zyx)."""
    z, y, x = (
        int(Fraction(size) / factor)
        for size, factor in zip(high_res_shape, scale_factor, strict=True)
    )
    return z, y, x


def simulate_low_res(
    volume: SegmentedVolume,
    scale_factor: object,
    phase_map: Mapping[int, int] | None = None,
    imaging: ImagingModel = ImagingModel.BLURRED,
    kernel: int | None = None,
    sd: float | None = None,
    name: str = "",
) -> SegmentedVolume:
    """Return the low-res volume that coarse imaging would give of `volume`.

    Parameters
    ----------
    volume : the high-res volume, n phases
    scale_factor : low-res over high-res voxel size; as `parse_scale_factor` reads it
    phase_map : high-res value : low-res value; values left out stay as they are
    imaging : blurred or sampled
    kernel, sd : of the blur in high-res voxels; None for the paper's rule
    name : of the result; empty for "<name> low-res"

    Returns
    -------
    SegmentedVolume
        Its voxels are whole: what is left over at the far faces is dropped.
        Names and colours are those of the phases whose values are kept.

    Raises
    ------
    ScaleFactorError, PhaseError
        Not a scale factor; the map names values that `volume` does not have.
    ShapeError
        The volume is smaller than one low-res voxel.
    SettingsError
        An even kernel.
    """
    factor = parse_scale_factor(scale_factor)
    pairs = {phase.value: phase.value for phase in volume.phases} | dict(phase_map or {})
    phases = _low_res_phases(volume.phases, set(pairs.values()))
    lr_of_hr = resolve_phase_map(pairs, volume.phases, phases)
    shape = low_res_shape(volume.shape, factor)
    if min(shape) < 1:
        raise ShapeError(
            f"{volume.name} has shape {volume.shape}, less than one low-res voxel at the "
            f"scale factor {format_scale_factor(factor)}.",
            "At least one low-res voxel along each axis is needed.",
            "Take a larger volume or a smaller scale factor.",
        )
    labels = down_sample_labels(
        volume.labels, lr_of_hr, len(phases), shape, factor, imaging, kernel, sd
    )
    size = volume.voxel_size
    coarse = None
    if size is not None:
        z, y, x = (fine * float(part) for fine, part in zip(size, factor, strict=True))
        coarse = (z, y, x)
    return SegmentedVolume(labels, phases, coarse, name or f"{volume.name} low-res")


def _low_res_phases(high_res: Sequence[Phase], values: set[int]) -> tuple[Phase, ...]:
    known = {phase.value: phase for phase in high_res}
    return tuple(known.get(phase.value, phase) for phase in phases_from_values(sorted(values)))


def down_sample_labels(
    labels: Labels,
    lr_of_hr: NDArray[np.int64],
    n_low_res: int,
    shape: Triple,
    scale_factor: ScaleFactor,
    imaging: ImagingModel,
    kernel: int | None = None,
    sd: float | None = None,
) -> Labels:
    """Down-sample high-res phase indices to low-res phase indices.

    Parameters
    ----------
    labels : (Z, Y, X) uint8 high-res phase indices
    lr_of_hr : (n,) low-res phase index of each high-res phase index
    n_low_res : number m of low-res phases
    shape : (z, y, x) of the low-res grid
    scale_factor, imaging, kernel, sd : the imaging model σ

    Returns
    -------
    (z, y, x) uint8
        The most probable phase; of equally probable ones, that of lowest index.
    """
    merge = np.asarray(lr_of_hr, np.uint8)
    if imaging is ImagingModel.SAMPLED:
        z, y, x = (
            np.minimum(centre_indices(low, factor), high - 1)
            for low, high, factor in zip(shape, labels.shape, scale_factor, strict=True)
        )
        return merge[labels[np.ix_(z, y, x)]]
    matrices = [
        down_sampling_matrix(low, high, factor, imaging, kernel, sd)
        for low, high, factor in zip(shape, labels.shape, scale_factor, strict=True)
    ]
    out = np.empty(shape, np.uint8)
    plane_bytes = 4 * n_low_res * labels.shape[1] * labels.shape[2]
    rows = max(1, int(SLAB_BYTES / plane_bytes / float(scale_factor[0])))
    for top in range(0, shape[0], rows):
        slab = slice(top, min(top + rows, shape[0]))
        out[slab] = _down_sample_slab(labels, merge, n_low_res, matrices, slab)
    return out


def _down_sample_slab(
    labels: Labels, merge: Labels, n_low_res: int, matrices: Sequence[Matrix], slab: slice
) -> Labels:
    weights = matrices[0][slab]
    seen = np.flatnonzero(weights.any(axis=0))
    first, last = int(seen[0]), int(seen[-1]) + 1
    merged = merge[labels[first:last]]
    probabilities = np.stack(
        [
            down_sample(
                (merged == phase).astype(np.float32),
                (weights[:, first:last], matrices[1], matrices[2]),
            )
            for phase in range(n_low_res)
        ]
    )
    return np.asarray(np.argmax(probabilities, axis=0), np.uint8)
