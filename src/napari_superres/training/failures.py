"""Failures of torch, turned into errors that say what to do."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from napari_superres.command_line import as_line
from napari_superres.errors import EngineError, OutOfMemoryError, SuperResError, is_out_of_memory

Task = Literal["Training", "Sampling", "Translation"]
Changes = Mapping[str, int | str]
"""Engine settings by name."""


def out_of_memory(device: str, changes: Changes, run: Path | None) -> OutOfMemoryError:
    """Return the error of a training step that does not fit.

    `changes` of engine settings would need less; `run` can be resumed, None if nothing is saved.
    """
    options = " ".join(f"--set {name}={value}" for name, value in changes.items())
    what = " and ".join(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())
    if run is not None and changes:
        resume = as_line(["napari-superres", "resume", str(run)])
        action = f"The weights are saved; go on with: {resume} {options}"
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
    """Free what the failed step held, so that there is room to save."""
    traceback.clear_frames(error.__traceback__)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()


@contextmanager
def engine_errors(
    device: str, less_memory: Changes | None = None, task: Task = "Training"
) -> Iterator[None]:
    """Turn the failures of torch into errors of this project.

    Parameters
    ----------
    device : that may fail
    less_memory : of a training, the change of settings that needs less memory
    task : what fails then, and decides what can be done about it
    """
    try:
        yield
    except SuperResError:
        raise
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise _no_room(device, less_memory, task) from error
        raise _failure(device, error, task) from error


def _no_room(device: str, less_memory: Changes | None, task: Task) -> OutOfMemoryError:
    if task == "Training":
        return out_of_memory(device, less_memory or {}, None)
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
