"""Translating whole volumes, slice by slice, into memory or to disk."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from napari_superres import __version__
from napari_superres.data.boxes import Box, Triple
from napari_superres.data.phases import values_of
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import SettingsError
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    TileCompleted,
)
from napari_superres.training.failures import engine_errors
from napari_superres.translation.translator import Pixels, Translator, tile_side
from napari_superres.writing.description import Description, digest
from napari_superres.writing.plain_sink import PlainSink
from napari_superres.writing.sink import MemorySink, Sink, is_zarr
from napari_superres.writing.writer import BackgroundWriter, is_set

__all__ = ["Translator", "translate"]

SLAB = 32
"""Slices normal to y or x that are written at once: one alone is scattered over the file."""


def translate(
    run: Path,
    volume: Pixels,
    output: Path | None = None,
    axis: int = 0,
    seed: int = 0,
    tile: int | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    voxel_size: VoxelSize | None = None,
    stop: threading.Event | None = None,
) -> Iterator[GenerationEvent]:
    """Translate an image or a volume, slice by slice along an axis.

    Parameters
    ----------
    run : of translation
    volume : (Z, Y, X) or (Y, X) uint8 grey values or label values
    output : a .tif file or a .zarr folder; None for in memory
    axis : the slices are normal to it; the result is finer along the other two
    seed : of the noise: one realisation
    tile : side of a tile in low-res pixels
    checkpoint : best, last, or a step
    device : cpu, cuda:0, mps, or auto
    voxel_size : of the volume in µm, zyx
    stop : set it to end after the current slice; what is written stays beside the output,
        and the same call continues it

    Yields
    ------
    GenerationStarted, TileCompleted for each slice, PartAssembled while the output is put
    together, GenerationFinished with the label or grey values, (Z', Y', X'), or the path.

    Raises
    ------
    InputError
        Not such a run, a volume or axis that does not fit, or an output that cannot be written.
    """
    _check(volume, axis)
    if output is not None:
        is_zarr(output)  # refuses another kind before the network is loaded
    stack = volume[None] if volume.ndim == 2 else volume
    translator = Translator.load(run, checkpoint, device)
    indices, factor = translator.indices(stack), translator.scale_factor
    tile = tile_side(tile, factor)
    result = Box.whole([n if a == axis else n * factor for a, n in enumerate(stack.shape)])
    thickness = 1 if axis == 0 else SLAB
    z, y, x = (thickness if a == axis else n for a, n in enumerate(result.shape))
    if output is None:
        sink: Sink = MemorySink(result, (z, y, x))
    else:
        size = None if voxel_size is None else finer(voxel_size, axis, factor)
        provenance = {
            "software": f"napari-superres-fusion {__version__}",
            "made by": "napari-superres translate",
            "run": str(run),
            "seed": str(seed),
            "slices normal to": "zyx"[axis],
        }
        sources = {
            "network": digest(translator.network.state_dict()),
            "low-res": hashlib.sha256(indices.tobytes()).hexdigest(),
            "shape": str(indices.shape),
            "tile": str(tile),
        }
        description = Description(translator.phases, size, None, provenance, sources)
        sink = PlainSink(output, result, description, (z, y, x))
    yield from _stream(translator, indices, sink, result.shape, axis, seed, tile, stop)


def _check(volume: Pixels, axis: int) -> None:
    axes = {2: (0,), 3: (0, 1, 2)}.get(volume.ndim, ())
    if axis not in axes or not volume.size:
        raise SettingsError(
            f"The volume has shape {volume.shape} and the slices' axis is {axis}.",
            "A volume (z, y, x) and one of its axes, or an image, whose axis is 0 (z), is needed.",
        )


def finer(voxel_size: VoxelSize, axis: int, factor: int) -> VoxelSize:
    """Return the voxel size, µm zyx, of what is finer along all axes but one."""
    z, y, x = (size if a == axis else size / factor for a, size in enumerate(voxel_size))
    return z, y, x


def _stream(
    translator: Translator,
    indices: Pixels,
    sink: Sink,
    shape: Triple,
    axis: int,
    seed: int,
    tile: int,
    stop: threading.Event | None,
) -> Iterator[GenerationEvent]:
    """Translate what is missing in a sink, whose blocks are slabs of slices."""
    planes = np.moveaxis(indices, axis, 0)
    slabs = [(i, box) for i, box in enumerate(sink.blocks) if i not in sink.done]
    before = done = len(planes) - sum(box.shape[axis] for _, box in slabs)
    with closing(sink), BackgroundWriter(sink) as writer:
        yield GenerationStarted(shape, len(planes), done)
        began = time.monotonic()
        for index, box in slabs:
            made = np.empty(box.shape, np.uint8)
            for number, place in enumerate(np.moveaxis(made, axis, 0), box.start[axis]):
                if is_set(stop):
                    break
                with engine_errors(str(translator.device), task="Translation"):
                    plane = np.ascontiguousarray(planes[number])
                    place[:] = translator.image(plane, seed, number, tile)
                done += 1
                pace = (time.monotonic() - began) / (done - before)
                latest = TileCompleted(done, len(planes), pace * (len(planes) - done))
                yield latest
            else:
                for _ in writer.write(index, made):
                    yield latest
        for _ in writer.wait():
            yield TileCompleted(done, len(planes), None)
        if done == len(planes):
            yield from writer.finish(stop)
        if writer.finished is None:
            yield GenerationFinished(FinishReason.STOPPED)
            return
        labels, path = writer.finished
        if labels is not None and translator.phases:
            labels = values_of(labels, translator.phases)
        yield GenerationFinished(FinishReason.COMPLETED, labels, path)
