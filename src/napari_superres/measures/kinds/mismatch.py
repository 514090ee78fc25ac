"""Low-res mismatch: how far a super-res volume is from giving the low-res volume back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_superres.config import ImagingModel, TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.examples.simulate import down_sample_labels, low_res_shape
from napari_superres.data.phases import resolve_phase_map
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume
from napari_superres.errors import ShapeError
from napari_superres.measures.kinds.fractions import phase_counts
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


def mismatch_of(
    low_res: SegmentedVolume,
    high_res: SegmentedSlices,
    super_res: SegmentedVolume,
    settings: TrainingSettings,
    offset: Triple = (0, 0, 0),
) -> float:
    """Measure the low-res mismatch of a volume that starts `offset` low-res voxels in.

    See `low_res_mismatch`; the phase map and the imaging model are those of `settings`.

    Raises
    ------
    ShapeError
        It does not lie in the low-res volume, or is smaller than one of its voxels.
    PhaseError
        A voxel's label value that the phase map does not have.
    """
    covered = low_res_shape(super_res.shape, settings.scale_factor)
    ends = [first + size for first, size in zip(offset, covered, strict=True)]
    inside = all(end <= size for end, size in zip(ends, low_res.shape, strict=True))
    if min(*offset, min(covered) - 1) < 0 or not inside:
        raise ShapeError(
            f"{super_res.name} begins at voxel {tuple(offset)} of {low_res.name} and covers "
            f"{covered}; that has {low_res.shape}.",
            "At least one voxel, inside of the low-res volume, is needed.",
            "Check that they belong together, and the scale factor.",
        )
    part = tuple(slice(first, end) for first, end in zip(offset, ends, strict=True))
    values = [phase.value for phase in low_res.phases]
    return low_res_mismatch(
        super_res.labels,
        low_res.labels[part],
        _low_res_phases(low_res, high_res, super_res, settings),
        settings.scale_factor,
        settings.imaging,
        settings.blur_kernel,
        settings.blur_sd,
        [values.index(value) for value in settings.one_sided],
    )


def _low_res_phases(
    low_res: SegmentedVolume,
    high_res: SegmentedSlices,
    super_res: SegmentedVolume,
    settings: TrainingSettings,
) -> NDArray[np.int64]:
    """Return the low-res phase index of each phase of `super_res`, by label value.

    Values that no voxel has may be missing from the map: a truth may have brought them in.
    """
    counts = phase_counts(super_res.labels, len(super_res.phases))
    there = {phase.value for phase, n in zip(super_res.phases, counts, strict=True) if n}
    known = {phase.value: phase for phase in (*high_res.phases, *super_res.phases)}
    mapped = [known[value] for value in sorted(there | set(settings.phase_map) & set(known))]
    found = resolve_phase_map(settings.phase_map, mapped, low_res.phases)
    index = dict(zip((phase.value for phase in mapped), found.tolist(), strict=True))
    return np.array([index.get(phase.value, 0) for phase in super_res.phases], np.int64)
