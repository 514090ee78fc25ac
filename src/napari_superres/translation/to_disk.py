"""Translations on disk: TIFF as they come, or an OME-Zarr pyramid."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import tifffile

from napari_superres.data.ome_zarr import create_pyramid
from napari_superres.data.output import replace_folder
from napari_superres.data.phases import Phase
from napari_superres.data.pyramid_writing import SIDE, check_zarr_place, put_block
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import OutputError
from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    PartAssembled,
)
from napari_superres.translation.apply import finer, translate
from napari_superres.translation.translator import Pixels, Translator


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
