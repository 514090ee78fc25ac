"""What goes wrong inside torch, turned into errors that say what to do."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from napari_superres.command_line import as_line
from napari_superres.config import EngineSettings
from napari_superres.errors import (
    EngineError,
    OutOfMemoryError,
    SuperResError,
    is_out_of_memory,
)

SMALLEST_CROP = 32
"""High-res voxels: smaller ones tell the discriminator too little to be offered."""
FEW_SLICES = 8

Task = Literal["Training", "Sampling", "Translation"]


def smaller(engine: EngineSettings) -> dict[str, int | str]:
    """Return the change of settings that eases memory at the least cost; empty for none."""
    if engine.batch > 1:
        return {"batch": engine.batch // 2}
    smallest = max(SMALLEST_CROP, engine.smallest_slice) + 2 * engine.crop_margin
    crop = max(engine.crop * 3 // 4 // 8 * 8, -(-smallest // 8) * 8)
    if crop < engine.crop:
        return {"crop": crop}
    if engine.slices_per_axis is None or engine.slices_per_axis > FEW_SLICES:
        return {"slices_per_axis": FEW_SLICES}
    return {}


def out_of_memory(device: str, engine: EngineSettings, run: Path | None) -> OutOfMemoryError:
    """Return the error to end with.

    Parameters
    ----------
    device : that has no room
    engine : what it had no room for
    run : folder to resume, or None when nothing was saved
    """
    changes = smaller(engine)
    options = " ".join(f"--set {name}={value}" for name, value in changes.items())
    what = " and ".join(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())
    if run is not None and changes:
        resume = as_line(["napari-superres", "resume", str(run)])
        action = f"What was learnt is saved; go on with: {resume} {options}"
    elif changes:
        action = f"Train with {options}."
    else:
        action = "Close other programs, or train on another device."
    return OutOfMemoryError(
        f"The memory of {device} has no room for a training step.",
        f"With {what} it needs less." if changes else "The settings are the smallest already.",
        action,
        changes if run is not None else None,
    )


def free_memory(error: BaseException) -> None:
    """Let go of what the failed step held, so that there is room to save."""
    traceback.clear_frames(error.__traceback__)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


@contextmanager
def engine_errors(
    device: str, engine: EngineSettings | None = None, task: Task = "Training"
) -> Iterator[None]:
    """Turn the failures of torch into errors of this project.

    Parameters
    ----------
    device : that may fail
    engine : of a fusion, for which smaller settings are known; None for what learns from images
    task : what fails then, and decides what can be done about it
    """
    try:
        yield
    except SuperResError:
        raise
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise _no_room(device, engine, task) from error
        raise _failure(device, error, task) from error


def _no_room(device: str, engine: EngineSettings | None, task: Task) -> OutOfMemoryError:
    if engine is not None:
        return out_of_memory(device, engine, None)
    if task == "Training":
        return OutOfMemoryError(
            f"The memory of {device} has no room for a step.",
            "Smaller images or batches need less.",
            "Close other programs, or lower the settings size and batch.",
        )
    tile = "choose a smaller tile, " if task == "Translation" else ""
    return OutOfMemoryError(
        f"The memory of {device} has no room for {task.lower()}.",
        "",
        f"Close other programs, {tile}or try --device cpu.",
    )


def _failure(device: str, error: Exception, task: Task) -> EngineError:
    text = str(error)
    first = text.splitlines()[0] if text else repr(error)
    if isinstance(error, NotImplementedError) and device == "mps":
        return EngineError(
            f"The Apple GPU lacks an operation: {first}",
            "A newer macOS or torch may have it.",
            "Checkpoints of the run are whole; try --device cpu.",
        )
    again = "resume it, or " if task == "Training" else ""
    return EngineError(
        f"{task} failed on {device}: {first}.",
        "",
        f"Checkpoints of the run are whole; {again}try --device cpu.",
    )
