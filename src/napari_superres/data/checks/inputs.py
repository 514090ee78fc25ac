"""Whether a low-res volume, high-res slices and settings can be fused, before anything starts.

What cannot work raises; what works but should be known is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.checks import findings as look
from napari_superres.data.checks.findings import Finding
from napari_superres.data.checks.held_back import describe, hold_back
from napari_superres.data.pair import Pair
from napari_superres.data.phases import resolve_phase_map
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import (
    PhaseError,
    ScaleFactorError,
    SettingsError,
    ShapeError,
    SuperResError,
)
from napari_superres.scale_factor import (
    format_scale_factor,
    scale_factor_from_voxel_sizes,
    super_res_shape,
)

__all__ = ["Finding", "InputReport", "check_inputs", "crop_shape", "needed_sides"]

LARGEST_DISAGREEMENT = 0.05
"""Between the ratio of the voxel sizes and the scale factor, relative."""
AXES = "zyx"


@dataclass(frozen=True, eq=False)
class InputReport:
    """What the checks found of inputs that can be fused.

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


def check_inputs(pair: Pair, settings: TrainingSettings) -> InputReport:
    """Check that the inputs can be fused, and look for what the user should know.

    Parameters
    ----------
    pair : the inputs
    settings : what training is to do with them

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
    low_res, high_res = pair.low_res, pair.high_res
    lr_of_hr = _check_phases(pair, settings)
    _check_sets(high_res, settings)
    _check_voxel_sizes(pair, settings)
    low_crop, high_crop = crop_shape(settings)
    _check_sizes(pair, settings)
    if settings.blur_kernel is not None and settings.blur_kernel % 2 == 0:
        raise SettingsError(
            f"The blur kernel is {settings.blur_kernel}.",
            "An odd size is needed.",
            f"Try {settings.blur_kernel + 1}.",
        )
    shape = super_res_shape(low_res.shape, settings.scale_factor)
    sides = needed_sides(settings)
    held = Finding("note", describe(hold_back(high_res, settings, sides), settings))
    compared = tuple(look.at_fractions(pair, lr_of_hr, settings))
    agree = all(finding.level == "ok" for finding in compared)
    found = (
        *_about("Fractions", compared),
        *_about("Representative", look.at_representativity(high_res)),
        *_about("Rare phases", look.at_rare_phases(pair)),
        *_about("Directions", look.at_directions(pair, settings)),
        *_about("Amount", look.at_amount(high_res, sides)),
        *_about("Held back", [held]),
        *_about("Voxel sizes", look.at_voxel_sizes(pair, settings)),
        *_about("Result", [look.at_result_size(shape)]),
    )
    return InputReport(lr_of_hr, shape, low_crop, high_crop, found, agree)


def _about(topic: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield replace(finding, topic=topic)


def _check_phases(pair: Pair, settings: TrainingSettings) -> NDArray[np.int64]:
    low_res, high_res = pair.low_res, pair.high_res
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


def crop_shape(settings: TrainingSettings) -> tuple[Triple, Triple]:
    """Return the shape of a training crop in low-res voxels and in high-res voxels (zyx).

    The high-res side is as near to ``engine.crop`` as whole low-res voxels and
    whole high-res voxels allow; the next larger one where the discriminator needs it.
    """
    engine = settings.engine
    needed = engine.smallest_slice + 2 * engine.crop_margin
    low, high = [], []
    for factor in settings.scale_factor:
        step = factor.denominator
        side = max(step, round(engine.crop / factor / step) * step)
        if side * factor < min(needed, engine.crop):
            side += step
        low.append(side)
        high.append(int(side * factor))
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def needed_sides(settings: TrainingSettings) -> list[tuple[int, int]]:
    """Return rows and columns that a slice normal to z, y and x must have at least."""
    margin = settings.engine.crop_margin
    z, y, x = (side - 2 * margin for side in crop_shape(settings)[1])
    return [(y, x), (z, x), (z, y)]


def _check_voxel_sizes(pair: Pair, settings: TrainingSettings) -> None:
    coarse, fine = pair.low_res.voxel_size, pair.high_res.voxel_size
    if coarse is None or fine is None:
        return
    ratios = [low / high for low, high in zip(coarse, fine, strict=True)]
    if all(
        abs(ratio / float(factor) - 1) <= LARGEST_DISAGREEMENT
        for ratio, factor in zip(ratios, settings.scale_factor, strict=True)
    ):
        return
    implied = _first_equal([f"{ratio:.4g}" for ratio in ratios])
    try:
        advice = format_scale_factor(scale_factor_from_voxel_sizes(coarse, fine))
    except SuperResError:
        advice = ""
    raise ScaleFactorError(
        f"Voxels of {_in_um(coarse)} in low-res and {_in_um(fine)} in high-res make a scale "
        f"factor of {implied}; the setting is {format_scale_factor(settings.scale_factor)}.",
        "The two may differ by 5 % at most.",
        f"Set it to {advice}, or correct the voxel sizes."
        if advice
        else "Correct the voxel sizes, or check that the inputs are not swapped.",
    )


def _check_sizes(pair: Pair, settings: TrainingSettings) -> None:
    low_res, high_res = pair.low_res, pair.high_res
    low_crop, high_crop = crop_shape(settings)
    engine = settings.engine
    if min(high_crop) - 2 * engine.crop_margin < engine.smallest_slice:
        raise SettingsError(
            f"Of a training crop of {_by(high_crop)} voxels the discriminator sees all but "
            f"{engine.crop_margin} at each face (crop_margin).",
            f"It needs slices of {engine.smallest_slice} pixels a side.",
            "Choose a larger crop, or a smaller crop_margin (engine settings).",
        )
    short = [a for a in range(3) if low_res.shape[a] < low_crop[a]]
    if short:
        raise ShapeError(
            f"{low_res.name} has {_by(low_res.shape)} voxels.",
            f"A training crop has {_by(low_crop)} low-res voxels.",
            "Use a larger volume, or a smaller crop (the engine setting 'crop').",
        )
    needed = needed_sides(settings)
    for axis in range(3) if high_res.anisotropic else [None]:
        images = high_res.normal_to(axis or 0)
        wanted = needed if axis is None else [needed[axis]]
        rows, columns = max(side[0] for side in wanted), max(side[1] for side in wanted)
        if not any(_fits(image.shape, rows, columns, turn=axis is None) for image in images):
            largest = max((image.shape for image in images), key=min)
            where = "" if axis is None else f" normal to {AXES[axis]}"
            raise ShapeError(
                f"The largest high-res slice{where} has {_by(largest)} pixels.",
                f"A training crop has {rows} × {columns}.",
                "Use larger slices, or a smaller crop (the engine setting 'crop').",
            )


def _fits(shape: Sequence[int], rows: int, columns: int, turn: bool) -> bool:
    upright = shape[0] >= rows and shape[1] >= columns
    return upright and (not turn or (shape[0] >= columns and shape[1] >= rows))


def _by(sizes: Sequence[int]) -> str:
    return " × ".join(map(str, sizes))


def _in_um(size: Sequence[float]) -> str:
    return _first_equal([f"{length:.4g}" for length in size]) + " µm"


def _first_equal(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else " × ".join(texts)
