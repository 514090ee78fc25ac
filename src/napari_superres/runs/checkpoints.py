"""Checkpoints on disk.

checkpoints/step-0012000/ generator.safetensors   enough to generate
                          training.safetensors    everything else that resuming needs
                          state.json              step, time, score, measurement
                          thumbnail.png           middle slices in the phases' colours

A checkpoint is a folder that is renamed into place when all of it is on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from napari_superres.data.reading import check_regular, read_small_text
from napari_superres.errors import OutputError, RunFolderError

PREFIX = "step-"
KEPT = 3
"""Latest checkpoints kept beside the best, and beside the last one that was good."""
THUMBNAIL = "thumbnail.png"
TENSORS = ("generator.safetensors", "training.safetensors")
HASHES = "sha256"
"""Entry of state.json with a hash of each file of tensors: a flipped bit is no error of theirs."""

_UNREADABLE = (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError)
CHOSEN = "chosen"
"""Empty file in a checkpoint that somebody chose: it is never dropped for newer ones."""


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint, without its weights.

    Attributes
    ----------
    step : steps done
    folder : where it lies
    score : lower is better; None when nothing was measured yet
    is_best : whether its score is the lowest of those kept
    state : what state.json holds
    """

    step: int
    folder: Path
    score: float | None
    is_best: bool
    state: Mapping[str, Any]

    @property
    def thumbnail(self) -> Path | None:
        """The picture of the middle slices of a crop, where there is one."""
        file = self.folder / THUMBNAIL
        return file if file.is_file() else None

    @property
    def measurement(self) -> Mapping[str, Any]:
        """The numbers measured of it, by name; empty where there are none."""
        return self.state.get("measurement") or {}


def save_checkpoint(
    checkpoints: Path,
    generator: Mapping[str, Tensor],
    training: Mapping[str, Tensor],
    state: Mapping[str, Any],
    picture: NDArray[np.uint8] | None = None,
) -> Path:
    """Save a checkpoint whole, then drop old ones that are neither recent, best nor good.

    Parameters
    ----------
    checkpoints : folder of all
    generator, training : tensors by name
    state : at least the step; "score" (lower is better) and "good" (to be rolled back
        to) decide what is kept
    picture : (rows, columns, 3) uint8 thumbnail

    Raises
    ------
    OutputError
        When it cannot be written; what was there before stays.
    """
    final = checkpoints / f"{PREFIX}{state['step']:07d}"
    temporary = checkpoints / f".{final.name}.part"
    old = checkpoints / f".{final.name}.old"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_file(_plain(generator), temporary / "generator.safetensors")
        save_file(_plain(training), temporary / "training.safetensors")
        if picture is not None:
            Image.fromarray(picture).save(temporary / THUMBNAIL)
        whole = dict(state) | {HASHES: {name: _hash(temporary / name) for name in TENSORS}}
        (temporary / "state.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
        for file in temporary.iterdir():
            _sync(file)
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
        temporary.rename(final)
        shutil.rmtree(old, ignore_errors=True)
        if os.name == "posix":
            _sync(checkpoints)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise OutputError(
            f"The checkpoint of step {state['step']} cannot be written: {error}.",
            f"Room and permission to write are needed in {checkpoints}.",
            "Free some space and resume; earlier checkpoints are whole.",
        ) from error
    _prune(checkpoints)
    return final


def load_tensors(folder: Path, name: str, device: str = "cpu") -> dict[str, Tensor]:
    """Return the tensors of ``generator`` or ``training`` of a checkpoint folder.

    Raises
    ------
    RunFolderError
        When the file is missing or damaged.
    """
    file = folder / f"{name}.safetensors"
    try:
        check_regular(file)
        known = _read_state(folder).get(HASHES)
        if isinstance(known, dict) and known.get(file.name) != _hash(file):
            raise ValueError("it has changed since it was written")
        return load_file(file, device=device)
    except _UNREADABLE as error:
        raise RunFolderError(
            f"{file} cannot be read: {error}.",
            "A whole checkpoint is needed.",
            f"Choose another checkpoint of the run; to train on, delete {folder} first.",
        ) from error


@contextmanager
def taking_up(folder: Path) -> Iterator[None]:
    """Turn what goes wrong while a checkpoint is taken up into an error that says so.

    Raises
    ------
    RunFolderError
        Its tensors or its state do not fit the run.
    """
    try:
        yield
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunFolderError(
            f"The checkpoint {folder} does not fit the run: {detail}.",
            "Checkpoint and config.json of one run are needed.",
            f"Delete {folder} to go on from the checkpoint before it.",
        ) from error


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the averaged generator's tensors and all else that training needs, on the CPU.

    Raises
    ------
    RunFolderError
        When one of them is missing or damaged, or the generator was imported alone.
    """
    training = load_tensors(folder, "training")
    if not training:
        raise _generator_only(folder.parent.parent)
    return load_tensors(folder, "generator"), training


def check_can_train(run: Path) -> None:
    """Check that the run in a folder can go on training, as far as checkpoints tell.

    Raises
    ------
    RunFolderError
        It holds an imported generator only, or checkpoints of which none can be read.
    """
    found = list_checkpoints(run / "checkpoints")
    if any("imported_from" in info.state for info in found):
        raise _generator_only(run)
    if not found and any((run / "checkpoints").glob(f"{PREFIX}*")):
        raise RunFolderError(  # it would begin anew, over what can perhaps be saved
            f"No checkpoint of the run {run} can be read: each state.json is missing or damaged.",
            "One whole checkpoint is needed to go on.",
            "Restore one from a copy, or train a new run.",
        )


def _generator_only(run: Path) -> RunFolderError:
    return RunFolderError(
        f"The run {run} holds an imported generator only: it can generate, not go on training.",
        "Training needs discriminators and optimisers too, which the reference code saves apart.",
        f"Generate with it (napari-superres generate {run}), or train a new run.",
    )


def list_checkpoints(checkpoints: Path) -> list[CheckpointInfo]:
    """Return the whole checkpoints in a folder, oldest first."""
    states = []
    for folder in sorted(checkpoints.glob(f"{PREFIX}*")):
        try:
            state = _read_state(folder)
            states.append((state["step"], folder, state))
        except (OSError, ValueError, RecursionError):
            continue
    states.sort(key=lambda entry: entry[0])
    scores = [state.get("score") for _, _, state in states]
    known = [score for score in scores if isinstance(score, int | float)]
    best = min(known, default=None)
    return [
        CheckpointInfo(step, folder, score, best is not None and score == best, state)
        for (step, folder, state), score in zip(states, scores, strict=True)
    ]


def choose_checkpoint(folder: Path) -> None:
    """Mark a checkpoint so that training on does not drop it.

    Raises
    ------
    RunFolderError
        It is not there any more.
    """
    try:
        (folder / CHOSEN).touch()
    except OSError as error:
        raise RunFolderError(
            f"The checkpoint {folder} cannot be kept: {error.strerror or error}.",
            "",
            "Choose another one.",
        ) from error


def drop_after(checkpoints: Path, step: int) -> None:
    """Delete the checkpoints of later steps: what a run was rolled back from."""
    for info in list_checkpoints(checkpoints):
        if info.step > step:
            shutil.rmtree(info.folder, ignore_errors=True)


def _prune(checkpoints: Path) -> None:
    found = list_checkpoints(checkpoints)
    good = max((info.step for info in found if info.state.get("good")), default=None)
    for info in found[:-KEPT]:
        if not info.is_best and info.step != good and not (info.folder / CHOSEN).exists():
            shutil.rmtree(info.folder, ignore_errors=True)


def _read_state(folder: Path) -> dict[str, Any]:
    """Return what state.json holds.

    Raises
    ------
    OSError, ValueError, RecursionError
        It cannot be read, or holds something else.
    """
    state = json.loads(read_small_text(folder / "state.json"))
    if not isinstance(state, dict):
        raise ValueError("state.json holds no object")
    step, score = state.get("step"), state.get("score")
    if not isinstance(step, int) or not 0 <= step < 2**53:
        raise ValueError(f"state.json has the step {step!r}")
    if score is not None and not isinstance(score, int | float):
        raise ValueError(f"state.json has the score {score!r}")
    if not isinstance(state.get("measurement") or {}, dict):
        raise ValueError("state.json has a measurement without names")
    return state


def _hash(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return contiguous copies on the CPU; channels-last strides are not stored."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
