"""Sizes: of training crops, and whether volume, slices and voxels have those that are needed."""

from __future__ import annotations

from collections.abc import Sequence

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import ScaleFactorError, SettingsError, ShapeError, SuperResError
from napari_superres.scale_factor import format_scale_factor, scale_factor_from_voxel_sizes

LARGEST_DISAGREEMENT = 0.05
"""Between the ratio of the voxel sizes and the scale factor, relative."""
AXES = "zyx"


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


def check_voxel_sizes(
    low_res: SegmentedVolume, high_res: SegmentedSlices, settings: TrainingSettings
) -> None:
    """Raise a ScaleFactorError where the voxel sizes imply another scale factor."""
    coarse, fine = low_res.voxel_size, high_res.voxel_size
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


def check_sizes(
    low_res: SegmentedVolume, high_res: SegmentedSlices, settings: TrainingSettings
) -> None:
    """Raise a ShapeError where volume or slices are smaller than a training crop.

    And a SettingsError where the crop is too small for the discriminator.
    """
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
