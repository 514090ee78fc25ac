"""What a result is measured and shown against."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume, VoxelSize, common_phases
from napari_superres.measures.kinds.mismatch import mismatch_of
from napari_superres.measures.summary import sized_as


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """What a report or a figure is about; whatever is None is left out.

    Attributes
    ----------
    super_res : realisations of one volume; the first is shown and compared
    low_res, high_res : what it was made from
    truth : the 3D truth, on the grid of the whole super-res volume
    settings : of the training: scale factor and low-res mismatch
    offset : first low-res voxel that `super_res` covers, zyx (1, 1, 1 with `crop_border`)
    """

    super_res: tuple[SegmentedVolume, ...]
    low_res: SegmentedVolume | None = None
    high_res: SegmentedSlices | None = None
    truth: SegmentedVolume | None = None
    settings: TrainingSettings | None = None
    offset: Triple = (0, 0, 0)

    def volumes(self) -> dict[str, SegmentedVolume]:
        """Return the volumes by item name: low_res, super_res, truth."""
        found = {"low_res": self.low_res, "super_res": self.super_res[0], "truth": self.truth}
        return {name: volume for name, volume in found.items() if volume is not None}

    @property
    def fine(self) -> VoxelSize:
        """Super-res voxel size in µm, zyx; 1 where it is unknown."""
        return self.super_res[0].voxel_size or (1.0, 1.0, 1.0)

    @property
    def coarse(self) -> VoxelSize:
        """Low-res voxel size in the unit of `fine`; `fine` without a low-res volume."""
        low_res, shown = self.low_res, self.super_res[0]
        if low_res is None:
            return self.fine
        if self.settings is not None:
            factors = [float(factor) for factor in self.settings.scale_factor]
        elif low_res.voxel_size and shown.voxel_size:
            return low_res.voxel_size
        else:
            factors = [big / small for big, small in zip(shown.shape, low_res.shape, strict=True)]
        z, y, x = (size * factor for size, factor in zip(self.fine, factors, strict=True))
        return z, y, x

    def low_res_mismatch(self) -> float | None:
        """Return the low-res mismatch of the first volume, None where something is missing."""
        if self.settings is None or self.low_res is None or self.high_res is None:
            return None
        return mismatch_of(
            self.low_res, self.high_res, self.super_res[0], self.settings, self.offset
        )


def on_one_grid(inputs: ReportInputs) -> ReportInputs:
    """Return inputs whose high-res parts have the same phases and, where unknown, voxel size.

    Phases with the same label value are the same; names are those of the first super-res
    volume, as is a voxel size that the others lack.
    """
    first, slices, truth = inputs.super_res[0], inputs.high_res, inputs.truth
    others = [item for item in (slices, truth) if item is not None]
    phases = common_phases([*others, *reversed(inputs.super_res)])
    return replace(
        inputs,
        super_res=tuple(sized_as(one.with_phases(phases), first) for one in inputs.super_res),
        high_res=slices and sized_as(slices.with_phases(phases), first),
        truth=truth and sized_as(truth.with_phases(phases), first),
    )
