"""Whether a low-res volume, high-res slices and settings can be fused, before anything starts.

What cannot work raises; what works but should be known is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_superres.config import TrainingSettings
from napari_superres.data import findings as look
from napari_superres.data.boxes import Triple
from napari_superres.data.findings import Finding, FractionError
from napari_superres.data.held_back import describe, hold_back
from napari_superres.data.phases import resolve_phase_map
from napari_superres.data.representativity import fraction_error
from napari_superres.data.sizes import check_sizes, check_voxel_sizes, crop_shape, needed_sides
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, SettingsError, ShapeError
from napari_superres.scale_factor import super_res_shape

__all__ = ["Finding", "InputReport", "check_inputs", "crop_shape", "needed_sides"]


@dataclass(frozen=True, eq=False)
class InputReport:
    """What is known of inputs that can be fused.

    Attributes
    ----------
    lr_of_hr : (n,) int64, low-res phase index of each high-res phase index
    super_res_shape : voxels of the whole result, zyx
    low_res_crop, high_res_crop : voxels of a training crop, zyx
    findings : what should be known, in order of reading
    fractions_agree : whether the slices' phase fractions can be those of the volume
    """

    lr_of_hr: NDArray[np.int64]
    super_res_shape: Triple
    low_res_crop: Triple
    high_res_crop: Triple
    findings: tuple[Finding, ...]
    fractions_agree: bool = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """The texts of the findings that are warnings."""
        return tuple(finding.text for finding in self.findings if finding.level == "warning")


def check_inputs(
    low_res: SegmentedVolume,
    high_res: SegmentedSlices,
    settings: TrainingSettings,
    error_of_fraction: FractionError = fraction_error,
) -> InputReport:
    """Check that the inputs can be fused, and look for what the user should know.

    Parameters
    ----------
    low_res, high_res : the inputs
    settings : what training is to do with them
    error_of_fraction : standard deviation of a fraction measured on images

    Raises
    ------
    PhaseError
        A phase map that does not fit, an unknown one-sided phase, a single phase.
    ShapeError
        Slices or a volume smaller than a training crop; not three sets of slices
        for an anisotropic material.
    ScaleFactorError
        Voxel sizes that imply another scale factor, by more than 5 %.
    SettingsError
        Three sets of slices for a material said to be isotropic; an even blur.
    """
    lr_of_hr = _check_phases(low_res, high_res, settings)
    _check_sets(high_res, settings)
    check_voxel_sizes(low_res, high_res, settings)
    low_crop, high_crop = crop_shape(settings)
    check_sizes(low_res, high_res, settings)
    if settings.blur_kernel is not None and settings.blur_kernel % 2 == 0:
        raise SettingsError(
            f"The blur kernel is {settings.blur_kernel}.",
            "An odd size is needed.",
            f"Try {settings.blur_kernel + 1}.",
        )
    shape = super_res_shape(low_res.shape, settings.scale_factor)
    sides = needed_sides(settings)
    held = Finding("note", describe(hold_back(high_res, settings, sides), settings))
    compared = tuple(look.at_fractions(low_res, high_res, lr_of_hr, settings, error_of_fraction))
    agree = all(finding.level == "ok" for finding in compared)
    found = (
        *_about("Fractions", compared),
        *_about("Representative", look.at_representativity(high_res, error_of_fraction)),
        *_about("Rare phases", look.at_rare_phases(low_res, high_res)),
        *_about("Directions", look.at_directions(low_res, high_res, settings)),
        *_about("Amount", look.at_amount(high_res, sides)),
        *_about("Held back", [held]),
        *_about("Voxel sizes", look.at_voxel_sizes(low_res, high_res, settings)),
        *_about("Result", [look.at_result_size(shape)]),
    )
    return InputReport(lr_of_hr, shape, low_crop, high_crop, found, agree)


def _about(topic: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield replace(finding, topic=topic)


def _check_phases(
    low_res: SegmentedVolume, high_res: SegmentedSlices, settings: TrainingSettings
) -> NDArray[np.int64]:
    if len(high_res.phases) < 2:
        raise PhaseError(
            f"{high_res.name} has the single value {high_res.phases[0].value}.",
            "At least two phases are needed.",
            "Check the segmentation.",
        )
    lr_of_hr = resolve_phase_map(settings.phase_map, high_res.phases, low_res.phases)
    values = [phase.value for phase in low_res.phases]
    unknown = sorted(set(settings.one_sided) - set(values))
    if unknown:
        raise PhaseError(
            f"The one-sided phases name low-res {unknown}, not among the low-res phases {values}.",
            "One-sided phases are label values of the low-res volume.",
        )
    return lr_of_hr


def _check_sets(high_res: SegmentedSlices, settings: TrainingSettings) -> None:
    if settings.anisotropic and not high_res.anisotropic:
        raise ShapeError(
            "There is one set of high-res slices.",
            "An anisotropic material needs three: planes normal to z, y and x.",
            "Give three, the same one twice where two axes are alike, or call it isotropic.",
        )
    if high_res.anisotropic and not settings.anisotropic:
        raise SettingsError(
            "There are three sets of high-res slices, and the material is said to be isotropic.",
            "An isotropic material has one set.",
            "Say that it is anisotropic, or join the sets.",
        )
    if settings.anisotropic and settings.engine.augment_low_res:
        raise SettingsError(
            "Low-res crops are to be mirrored and turned (augment_low_res), and the material is "
            "said to be anisotropic.",
            "Only an isotropic material looks the same from all sides.",
            "Switch it off.",
        )
