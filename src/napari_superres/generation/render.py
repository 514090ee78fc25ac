"""Generate a super-res volume from a run: what panel and command line call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from napari_superres.config import GenerationSettings
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import PhaseError
from napari_superres.events import GenerationEvent
from napari_superres.generation.geometry import ResultGeometry, geometry
from napari_superres.generation.volume import generate_volume
from napari_superres.runs.device import choose_device
from napari_superres.runs.folder import RunConfig, RunFolder

__all__ = ["ResultGeometry", "generate", "result_geometry"]


def generate(
    run_folder: Path,
    settings: GenerationSettings,
    low_res: SegmentedVolume | None = None,
    output: Path | None = None,
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Generate the super-res volume of a run's low-res volume, or of another.

    Parameters
    ----------
    run_folder : of a training, with a checkpoint
    settings : seed, region, tile, device, precision, checkpoint
    low_res : another volume of the same material; None for the run's own
    output : file to write (.tif or .zarr), or None to return the labels in memory
    stop : set it to end after the current tile

    Yields
    ------
    GenerationStarted, TileCompleted for each tile, GenerationFinished. In memory
    the labels are phase indices; in a file they are the high-res label values.

    Raises
    ------
    InputError
        Before anything is generated: not a run, another material, a region outside
        the volume, a path that cannot be written.
    EngineError
        When the device fails, or has no room for even a small tile.
    """
    run = RunFolder.open(run_folder)
    volume = run.low_res() if low_res is None else _of_the_run(low_res, run.config)
    device = choose_device(settings.device)
    checkpoint = run.find_checkpoint(settings.checkpoint)
    yield from generate_volume(
        run.load_generator(settings.checkpoint, device),
        volume,
        run.config.high_res_phases,
        settings,
        device,
        output,
        stop,
        {"run": str(run.path), "checkpoint step": str(checkpoint.step)},
    )


def result_geometry(
    config: RunConfig, low_res: SegmentedVolume, settings: GenerationSettings
) -> ResultGeometry:
    """Return where the result of `generate` lies; arguments as there.

    Raises
    ------
    SettingsError
        When the region leaves the volume.
    """
    return geometry(low_res, config.settings.scale_factor, settings)


def _of_the_run(low_res: SegmentedVolume, config: RunConfig) -> SegmentedVolume:
    """Return `low_res` with the phase indices of the run's own low-res volume."""
    known = tuple(phase.value for phase in config.low_res_phases)
    found = tuple(phase.value for phase in low_res.phases)
    if not set(found) <= set(known):
        raise PhaseError(
            f"The low-res volume has the label values {found}; the run was trained with {known}.",
            "A volume of the same material, with the same label values, is needed.",
            "Renumber its labels, or train a run with it.",
        )
    return SegmentedVolume.from_labels(
        low_res.values, low_res.voxel_size, config.low_res_phases, low_res.name
    )
