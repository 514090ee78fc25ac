"""What a generation will give, before it is started; no Qt, no torch."""

from __future__ import annotations

from fractions import Fraction

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.generation.tiles import result_box
from napari_superres.widgets.session import Run
from napari_superres.widgets.texts import sizes


def generated_box(run: Run, settings: GenerationSettings) -> Box:
    """Return the high-res voxels that are generated.

    Raises
    ------
    SettingsError
        The region leaves the volume, or nothing remains.
    """
    return result_box(
        run.low_res_shape, run.scale_factor, settings.region, crop_border=settings.crop_border
    )


def start_of(run: Run, settings: GenerationSettings) -> tuple[Fraction, Fraction, Fraction]:
    """Return where the result starts in low-res voxels from the volume's corner, zyx."""
    z, y, x = (
        first / factor
        for first, factor in zip(generated_box(run, settings).start, run.scale_factor, strict=True)
    )
    return z, y, x


def plan_text(run: Run, settings: GenerationSettings) -> str:
    """Return the size of the result as a sentence."""
    box = generated_box(run, settings)
    megabytes = box.size / 2**20
    room = f"{megabytes:.0f} MiB" if megabytes < 4096 else f"{megabytes / 1024:.1f} GiB"
    return f"Gives {sizes(box.shape)} voxels, {room}."
