"""Translating whole volumes, slice by slice, streaming to disk.

Legend of shape suffixes: Z Y X voxels.
"""

from __future__ import annotations

import tempfile
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_superres.data.files.ome_zarr import create_pyramid
from napari_superres.data.files.output import check_writable, replace_folder, written_whole
from napari_superres.data.files.pyramid import SIDE, check_zarr_place, put_block
from napari_superres.data.files.tiff import CLASSIC_LIMIT
from napari_superres.data.label_values import values_of
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import OutputError, SettingsError
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    PartAssembled,
    TileCompleted,
)
from napari_superres.training.failures import engine_errors
from napari_superres.translation.translator import Pixels, Translator, tile_side

__all__ = ["Translator", "translate"]


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
    output : a .tif file, written slice by slice; None for in memory
    axis : the slices are normal to it; the result is finer along the other two
    seed : of the noise: one realisation
    tile : side of a tile in low-res pixels
    checkpoint : best, last, or a step
    device : cpu, cuda:0, mps, or auto
    voxel_size : of the volume in µm, zyx
    stop : set it to end after the current slice; a file is then not written

    Yields
    ------
    GenerationStarted, TileCompleted for each slice, GenerationFinished with the
    label or grey values, (Z', Y', X'), or the path.

    Raises
    ------
    InputError
        Not such a run, a volume or axis that does not fit, or an output that cannot be written.
    """
    stack = volume[None] if volume.ndim == 2 else volume
    _check(volume, axis, output)
    translator = Translator.load(run, checkpoint, device)
    indices, factor = translator.indices(stack), translator.scale_factor
    tile = tile_side(tile, factor)
    shape = tuple(n if a == axis else n * factor for a, n in enumerate(stack.shape))
    slices = stack.shape[axis]
    yield GenerationStarted((shape[0], shape[1], shape[2]), slices)
    if output is None:
        result = np.empty(shape, np.uint8)
        stopped = yield from _fill(translator, indices, result, axis, seed, tile, stop)
        labels = None if stopped else result
        yield GenerationFinished(_reason(stopped), labels)
        return
    yield from _to_file(translator, indices, output, shape, axis, seed, tile, voxel_size, stop)


def _check(volume: Pixels, axis: int, output: Path | None) -> None:
    axes = {2: (0,), 3: (0, 1, 2)}.get(volume.ndim, ())
    if axis not in axes or not volume.size:
        raise SettingsError(
            f"The volume has shape {volume.shape} and the slices' axis is {axis}.",
            "A volume (z, y, x) and one of its axes, or an image, whose axis is 0 (z), is needed.",
        )
    if output is not None and output.suffix.lower() not in (".tif", ".tiff"):
        raise OutputError(
            f"{output.name} names no known kind of file.",
            "A translation is written as .tif or .zarr.",
            f"Write for example {output.with_suffix('.tif').name}.",
        )


def finer(voxel_size: VoxelSize, axis: int, factor: int) -> VoxelSize:
    """Return the voxel size, µm zyx, of what is finer along all axes but one."""
    z, y, x = (size if a == axis else size / factor for a, size in enumerate(voxel_size))
    return z, y, x


def _to_file(
    translator: Translator,
    indices: Pixels,
    output: Path,
    shape: tuple[int, ...],
    axis: int,
    seed: int,
    tile: int | None,
    voxel_size: VoxelSize | None,
    stop: threading.Event | None,
) -> Iterator[GenerationEvent]:
    check_writable(output, int(np.prod(shape)))
    try:
        with written_whole(output) as temporary:
            target = _memory_mapped(temporary, shape, axis, translator.scale_factor, voxel_size)
            try:
                if (yield from _fill(translator, indices, target, axis, seed, tile, stop)):
                    raise _StoppedError  # what is there already stays
                target.flush()
            except BaseException as error:
                traceback.clear_frames(error.__traceback__)
                raise
            finally:
                del target  # Windows neither moves nor removes a file that is still mapped
    except _StoppedError:
        yield GenerationFinished(FinishReason.STOPPED)
        return
    yield GenerationFinished(FinishReason.COMPLETED, path=output)


class _StoppedError(Exception):
    """Leaves the writing without a result."""


def _reason(stopped: bool) -> FinishReason:
    return FinishReason.STOPPED if stopped else FinishReason.COMPLETED


def _fill(
    translator: Translator,
    indices: Pixels,
    target: Pixels,
    axis: int,
    seed: int,
    tile: int | None,
    stop: threading.Event | None,
) -> Generator[GenerationEvent, None, bool]:
    """Translate each slice into its place; return whether it was stopped."""
    began = time.monotonic()
    total = indices.shape[axis]
    planes, places = np.moveaxis(indices, axis, 0), np.moveaxis(target, axis, 0)
    with engine_errors(str(translator.device), task="Translation"):
        for plane in range(total):
            if stop is not None and stop.is_set():
                return True
            made = translator.image(np.ascontiguousarray(planes[plane]), seed, plane, tile)
            places[plane] = values_of(made, translator.phases) if translator.phases else made
            done = plane + 1
            left = (time.monotonic() - began) / done * (total - done)
            yield TileCompleted(done, total, left)
    return False


def _memory_mapped(
    path: Path,
    shape: tuple[int, ...],
    axis: int,
    factor: int,
    voxel_size: VoxelSize | None,
) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """Return an uncompressed TIFF stack to be filled along any axis; above 4 GiB a BigTIFF."""
    big = int(np.prod(shape)) > CLASSIC_LIMIT
    metadata: dict[str, Any] = {"axes": "ZYX"}
    resolution = None
    if voxel_size is not None:
        z, y, x = finer(voxel_size, axis, factor)
        resolution = (1 / x, 1 / y)
        metadata |= {"unit": "micron", "spacing": z}
        if big:
            metadata = {"axes": "ZYX"} | {
                key: value
                for name, size in (("Z", z), ("Y", y), ("X", x))
                for key, value in (
                    (f"PhysicalSize{name}", size),
                    (f"PhysicalSize{name}Unit", "µm"),
                )
            }
    return tifffile.memmap(
        path,
        shape=shape,
        dtype=np.uint8,
        bigtiff=big,
        ome=big,
        imagej=not big,
        metadata=metadata,
        resolution=resolution if not big else None,
    )


def translate_to(
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
    """Translate to memory, to a TIFF file, or to a .zarr folder, by the name of `output`.

    Parameters and errors as for `translate`. A pyramid is written once all slices are
    translated, as its blocks span many of them: they wait in a plain file beside it.

    Yields
    ------
    As `translate`; for a .zarr folder also PartAssembled.
    """
    if output is None or output.suffix.lower() != ".zarr":
        yield from translate(
            run, volume, output, axis, seed, tile, checkpoint, device, voxel_size, stop
        )
        return
    check_zarr_place(output)
    if not output.parent.is_dir():
        raise OutputError(f"There is no folder {output.parent}.", "", "Create it.")
    translator = Translator.load(run, checkpoint, "cpu")
    factor, phases = translator.scale_factor, translator.phases
    size = None if voxel_size is None else finer(voxel_size, axis, factor)
    provenance = {"made by": "napari-superres translate", "run": str(run), "seed": str(seed)}
    try:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
            plain, whole = Path(folder) / "slices.tif", Path(folder) / output.name
            for event in translate(
                run, volume, plain, axis, seed, tile, checkpoint, device, None, stop
            ):
                if not isinstance(event, GenerationFinished):
                    yield event
                elif event.reason is FinishReason.STOPPED:
                    yield event
                    return
            for part in _assemble(plain, whole, size, phases, provenance):
                yield part
                if stop is not None and stop.is_set():
                    yield GenerationFinished(FinishReason.STOPPED)
                    return
            replace_folder(whole, output)
    except OSError as error:
        raise OutputError(
            f"{output} cannot be written: {error.strerror or error}.",
            "A place with permission and room is needed.",
            "Choose another, or mend this one.",
        ) from error
    yield GenerationFinished(FinishReason.COMPLETED, path=output)


def _assemble(
    plain: Path,
    whole: Path,
    voxel_size: VoxelSize | None,
    phases: tuple[Phase, ...],
    provenance: dict[str, str],
) -> Iterator[GenerationEvent]:
    """Fill a pyramid from a plain stack, block by block."""
    mapped = tifffile.memmap(plain, mode="r")
    stack = mapped.reshape((-1, *mapped.shape[-2:]))  # tifffile drops the axis of one slice
    levels = create_pyramid(
        whole,
        stack.shape,
        SIDE,
        voxel_size=voxel_size,
        offset=None,
        phases=phases,
        provenance=provenance,
    )
    values, index_of = np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8)
    if phases:
        values = np.array([phase.value for phase in phases], np.uint8)
        index_of[values] = np.arange(len(values), dtype=np.uint8)
    blocks = list(product(*(range(0, length, SIDE) for length in stack.shape)))
    for done, (z, y, x) in enumerate(blocks, 1):
        part = np.asarray(stack[z : z + SIDE, y : y + SIDE, x : x + SIDE])
        put_block(levels, (z, y, x), index_of[part], values, len(phases))
        yield PartAssembled(done, len(blocks))
