"""The pair that fusion works on: a low-res volume and high-res slices of one material."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_superres.config import TrainingSettings
from napari_superres.data.phases import listed
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.scale_factor import (
    ScaleFactor,
    format_scale_factor,
    scale_factor_from_voxel_sizes,
)


@dataclass(frozen=True, eq=False)
class Pair:
    """A low-res volume and high-res slices of the same material.

    Attributes
    ----------
    low_res : (Z, Y, X) volume of m phases
    high_res : slices of n ≥ m phases, at a finer voxel size
    """

    low_res: SegmentedVolume
    high_res: SegmentedSlices

    @property
    def implied_scale_factor(self) -> ScaleFactor | None:
        """The ratio of the voxel sizes (zyx), None where one of them is unknown.

        A ratio outside 1 to 16 is a ScaleFactorError.
        """
        coarse, fine = self.low_res.voxel_size, self.high_res.voxel_size
        if coarse is None or fine is None:
            return None
        return scale_factor_from_voxel_sizes(coarse, fine)

    @property
    def default_phase_map(self) -> dict[int, int] | None:
        """High-res value : equal low-res value, None where a high-res value has no equal."""
        low_values = {phase.value for phase in self.low_res.phases}
        values = [phase.value for phase in self.high_res.phases]
        return {value: value for value in values} if low_values.issuperset(values) else None

    def with_voxel_size(self, scale_factor: ScaleFactor) -> Pair:
        """Return the pair with the low-res voxel size that the slices imply, if it is unknown."""
        fine = self.high_res.voxel_size
        if self.low_res.voxel_size is not None or fine is None:
            return self
        z, y, x = (float(ratio) * size for ratio, size in zip(scale_factor, fine, strict=True))
        return replace(self, low_res=replace(self.low_res, voxel_size=(z, y, x)))

    def with_phase_names(self, names: Mapping[int, str], phase_map: Mapping[int, int]) -> Pair:
        """Return the pair with other names, by high-res value.

        A low-res phase takes the names of the high-res phases that belong to it.
        """
        fine = tuple(
            replace(phase, name=names.get(phase.value, phase.name))
            for phase in self.high_res.phases
        )
        members = {
            low: [phase.name for phase in fine if phase_map.get(phase.value) == low]
            for low in phase_map.values()
        }
        coarse = tuple(
            replace(phase, name=" + ".join(members.get(phase.value, [phase.name])))
            for phase in self.low_res.phases
        )
        return Pair(
            replace(self.low_res, phases=coarse),
            replace(self.high_res, phases=fine),
        )

    def describe(self, settings: TrainingSettings) -> str:
        """Return three lines on what goes into a training."""
        volume, slices = self.low_res, self.high_res
        images = slices.images
        sizes = sorted({" × ".join(map(str, image.shape)) for image in images})
        pairs = ", ".join(f"{high}:{low}" for high, low in settings.phase_map.items())
        return (
            f"low-res   {volume.name}: {' × '.join(map(str, volume.shape))} voxels, "
            f"values {listed(phase.value for phase in volume.phases)}\n"
            f"high-res  {slices.name}: {len(images)} of {', '.join(sizes)} pixels, "
            f"values {listed(phase.value for phase in slices.phases)}\n"
            f"scale factor {format_scale_factor(settings.scale_factor)}, {settings.imaging} "
            f"imaging, phase map {pairs}, preset {settings.preset}, seed {settings.seed}"
        )
