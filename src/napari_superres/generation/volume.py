"""Generate a volume with a generator at hand: settings become renderer, noise and sink."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from napari_superres import __version__
from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box, Triple
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import OutputError
from napari_superres.events import GenerationEvent
from napari_superres.fusion.generator import Generator
from napari_superres.generation.description import Description
from napari_superres.generation.geometry import geometry
from napari_superres.generation.memory import best_tile
from napari_superres.generation.noise import NoiseField, layer_factors
from napari_superres.generation.renderer import Precision, Renderer
from napari_superres.generation.sinks import MemorySink, Sink
from napari_superres.generation.stream import stream
from napari_superres.generation.tiff_sink import TiffSink
from napari_superres.generation.tiles import low_res_to_high_res, result_box
from napari_superres.generation.zarr_sink import ZarrSink
from napari_superres.scale_factor import format_scale_factor

TIFF = (".tif", ".tiff")
ZARR = (".zarr",)


def generate_volume(
    generator: Generator,
    low_res: SegmentedVolume,
    phases: Sequence[Phase],
    settings: GenerationSettings,
    device: str = "cpu",
    output: Path | None = None,
    stop: threading.Event | None = None,
    provenance: Mapping[str, str] | None = None,
) -> Iterator[GenerationEvent]:
    """Generate the super-res volume of a low-res volume.

    Parameters
    ----------
    generator : with as many low-res phases as `low_res` has
    low_res : the whole volume
    phases : of the result, in the order of the generator's channels
    settings : seed, region, tile, precision; device and checkpoint are not looked at
    device : torch's name
    output : .tif or .zarr to write, or None to return the labels in memory
    stop : set it to end after the current tile
    provenance : more to say in the file, name : text

    Yields
    ------
    GenerationStarted, TileCompleted for each tile, GenerationFinished

    Raises
    ------
    InputError, EngineError
        As for `generation.render.generate`.
    """
    result = result_box(
        low_res.shape, generator.scale_factor, settings.region, crop_border=settings.crop_border
    )
    precision = choose_precision(settings, device)
    renderer = Renderer(generator, low_res.labels, device, precision)
    noise = NoiseField(settings.seed, layer_factors(generator))
    tile = choose_tile(settings, renderer, result)
    if output is None:
        sink: Sink = MemorySink(result, tile)
    else:
        place = geometry(low_res, generator.scale_factor, settings)
        told = {
            "software": f"napari-superres-fusion {__version__}",
            "seed": str(settings.seed),
            "scale factor": format_scale_factor(generator.scale_factor),
            "low-res": low_res.name,
            "region (high-res voxels, zyx)": _text(result),
            "precision": precision,
        }
        sources = {
            "network": digest(generator),
            "low-res": hashlib.sha256(low_res.labels.tobytes()).hexdigest(),
            "shape": str(low_res.shape),
        }
        description = Description(
            tuple(phases), place.voxel_size, place.offset, told | dict(provenance or {}), sources
        )
        sink = open_sink(output, result, description)
    yield from stream(renderer, noise, sink, tile, stop)


def open_sink(output: Path, result: Box, description: Description) -> Sink:
    """Return the sink for the kind of file that the name of `output` asks for.

    Raises
    ------
    OutputError
        Another kind, or a place that cannot be written.
    """
    kind = output.suffix.lower()
    if kind in TIFF:
        return TiffSink(output, result, description)
    if kind in ZARR:
        return ZarrSink(output, result, description)
    raise OutputError(
        f"{output.name} names no known kind of file.",
        "A volume is written as .tif or .zarr.",
        f"Write for example {output.with_suffix('.tif').name}.",
    )


def choose_precision(settings: GenerationSettings, device: str) -> Precision:
    """Return the precision asked for; `auto` is bfloat16 where the hardware multiplies it."""
    if settings.precision != "auto":
        return settings.precision
    fast = False
    if device.startswith("cuda"):
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device == "cpu" and hasattr(torch.cpu, "get_capabilities"):
        capabilities: Mapping[str, Any] = torch.cpu.get_capabilities()
        fast = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return "bfloat16" if fast else "float32"


def choose_tile(settings: GenerationSettings, renderer: Renderer, result: Box) -> Triple:
    """Return the shape of a tile in high-res voxels: as set, or what is fast and fits."""
    if settings.tile is not None:
        return low_res_to_high_res(settings.tile, renderer.generator.scale_factor)
    return best_tile(
        renderer.generator,
        result,
        renderer.low_res_shape,
        renderer.device,
        renderer.dtype.itemsize,
    )


def digest(generator: Generator) -> str:
    """Return a fingerprint of a generator's weights."""
    found = hashlib.sha256()
    for name, tensor in sorted(generator.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def _text(box: Box) -> str:
    return ",".join(f"{lo}:{hi}" for lo, hi in box.ranges())
