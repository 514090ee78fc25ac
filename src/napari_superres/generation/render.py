"""Generate a super-res volume from a run: what panel and command line call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box, Triple
from napari_superres.data.volumes import SegmentedVolume, VoxelSize
from napari_superres.errors import OutputError, PhaseError
from napari_superres.events import GenerationEvent
from napari_superres.fusion.generator import Generator
from napari_superres.generation.memory import best_tile
from napari_superres.generation.noise import NoiseField, layer_factors
from napari_superres.generation.renderer import Precision, Renderer
from napari_superres.generation.sinks import MemorySink, Sink
from napari_superres.generation.stream import stream
from napari_superres.generation.tiles import low_res_to_high_res, result_box
from napari_superres.runs.device import choose_device
from napari_superres.runs.folder import RunConfig, RunFolder
from napari_superres.scale_factor import ScaleFactor


@dataclass(frozen=True)
class ResultGeometry:
    """Where a result lies.

    Attributes
    ----------
    shape : voxels, zyx
    voxel_size : µm, zyx; None when the low-res voxel size is unknown
    offset : µm from the centre of the low-res volume's first voxel to the centre of
        the result's first voxel, zyx; None with `voxel_size`
    """

    shape: Triple
    voxel_size: VoxelSize | None
    offset: VoxelSize | None


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
    output : file to write (.tif), or None to return the labels in memory
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
    generator = run.load_generator(settings.checkpoint, device)
    result = result_box(
        volume.shape, generator.scale_factor, settings.region, crop_border=settings.crop_border
    )
    renderer = Renderer(generator, volume.labels, device, choose_precision(settings, device))
    noise = NoiseField(settings.seed, layer_factors(generator))
    tile = choose_tile(settings, renderer, result)
    yield from stream(renderer, noise, _sink(output, result, tile), tile, stop)


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


def geometry(
    low_res: SegmentedVolume, scale_factor: ScaleFactor, settings: GenerationSettings
) -> ResultGeometry:
    """Return where a result lies: voxel centres at (i + ½) voxel sizes from the corner."""
    box = result_box(low_res.shape, scale_factor, settings.region, crop_border=settings.crop_border)
    if low_res.voxel_size is None:
        return ResultGeometry(box.shape, None, None)
    sizes = [size / float(sf) for size, sf in zip(low_res.voxel_size, scale_factor, strict=True)]
    starts = [
        (first + 0.5) * fine - 0.5 * coarse
        for first, fine, coarse in zip(box.start, sizes, low_res.voxel_size, strict=True)
    ]
    return ResultGeometry(
        box.shape, (sizes[0], sizes[1], sizes[2]), (starts[0], starts[1], starts[2])
    )


def choose_precision(settings: GenerationSettings, device: str) -> Precision:
    """Return the precision asked for; `auto` is bfloat16 where the hardware multiplies it."""
    if settings.precision != "auto":
        return settings.precision
    if device.startswith("cuda"):
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device == "cpu":
        capabilities = getattr(torch.cpu, "get_capabilities", dict)()
        fast = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    else:
        fast = False
    return "bfloat16" if fast else "float32"


def choose_tile(settings: GenerationSettings, renderer: Renderer, result: Box) -> Triple:
    """Return the shape of a tile in high-res voxels: as set, or what is fast and fits."""
    generator: Generator = renderer.generator
    if settings.tile is not None:
        return low_res_to_high_res(settings.tile, generator.scale_factor)
    return best_tile(
        generator, result, renderer.low_res_shape, renderer.device, renderer.dtype.itemsize
    )


def _sink(output: Path | None, result: Box, tile: Triple) -> Sink:
    if output is None:
        return MemorySink(result, tile)
    raise OutputError(f"{output} has an unknown kind.", "A .tif file is needed.")


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
