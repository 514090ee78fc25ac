"""Checkpoints of a run: which there are, which are kept, and what they hold.

The files of one, and how they are written whole, are in `checkpoint_files.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from napari_superres.errors import OutOfMemoryError, OutputError, RunFolderError, is_out_of_memory
from napari_superres.runs.checkpoint_files import (
    CHOSEN,
    LEFT,
    PREFIX,
    THUMBNAIL,
    clear_temporary,
    delete_folder,
    folders,
    leave_folder,
    left_folders,
    read_state,
    read_tensors,
    write_folder,
)

KEPT = 3
"""Latest checkpoints kept beside the best, and beside the last one that was good."""


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
    def name(self) -> str:
        """Its step, or "560-left" where it was rolled back."""
        if not self.is_left:
            return str(self.step)
        _, _, number = self.folder.name.removeprefix(LEFT + PREFIX).partition("-")
        return f"{self.step}-left{number}"

    @property
    def is_left(self) -> bool:
        """Whether it was rolled back: it can generate, but the run does not resume from it."""
        return self.folder.name.startswith(LEFT)

    @property
    def thumbnail(self) -> Path | None:
        """The picture file, where there is one."""
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
        It cannot be written; earlier checkpoints stay.
    """
    final = checkpoints / f"{PREFIX}{state['step']:07d}"
    try:
        write_folder(final, generator, training, state, picture)
    except (OSError, SafetensorError) as error:
        raise OutputError(
            f"The checkpoint of step {state['step']} cannot be written: {error}.",
            f"Room and permission to write are needed in {checkpoints}.",
            "Free some space and resume; earlier checkpoints are whole.",
        ) from error
    clear_temporary(checkpoints)
    _prune(checkpoints)
    return final


def list_checkpoints(checkpoints: Path) -> list[CheckpointInfo]:
    """Return the whole checkpoints in a folder that a run can resume from, oldest first."""
    return _read(folders(checkpoints))


def list_left(checkpoints: Path) -> list[CheckpointInfo]:
    """Return the chosen checkpoints that were rolled back, oldest first; none is best."""
    return [replace(info, is_best=False) for info in _read(left_folders(checkpoints))]


def _read(found: list[Path]) -> list[CheckpointInfo]:
    states = []
    for folder in found:
        with suppress(OSError, ValueError, RecursionError):  # damaged
            states.append((folder, read_state(folder)))
    states.sort(key=lambda entry: entry[1]["step"])
    scores = [state.get("score") for _, state in states]
    # a score that is not a number compares as neither better nor worse
    best = min((s for s in scores if s is not None and not math.isnan(s)), default=None)
    return [
        CheckpointInfo(state["step"], folder, score, best is not None and score == best, state)
        for (folder, state), score in zip(states, scores, strict=True)
    ]


def choose_checkpoint(folder: Path) -> None:
    """Mark a checkpoint as one to keep; a RunFolderError where it does not exist any more."""
    try:
        (folder / CHOSEN).touch()
    except OSError as error:
        raise RunFolderError(
            f"The checkpoint {folder} cannot be kept: {error.strerror or error}.",
            "",
            "Choose another one.",
        ) from error


def drop_after(checkpoints: Path, step: int) -> None:
    """Delete the checkpoints of later steps when a run is rolled back; keep chosen ones."""
    for info in list_checkpoints(checkpoints):
        if info.step > step and (info.folder / CHOSEN).exists():
            leave_folder(info.folder)
        elif info.step > step:
            delete_folder(info.folder)


def _prune(checkpoints: Path) -> None:
    found = list_checkpoints(checkpoints)
    good = max((info.step for info in found if info.state.get("good")), default=None)
    for info in found[:-KEPT]:
        if not info.is_best and info.step != good and not (info.folder / CHOSEN).exists():
            delete_folder(info.folder)


_UNREADABLE = (
    OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError, MemoryError,
)  # fmt: skip


def load_tensors(folder: Path, name: str, device: str = "cpu") -> dict[str, Tensor]:
    """Return the tensors of ``generator`` or ``training`` of a checkpoint folder, by name.

    Raises
    ------
    RunFolderError
        The file is missing or damaged.
    OutOfMemoryError
        There is no memory for it.
    """
    file = folder / f"{name}.safetensors"
    try:
        return read_tensors(folder, name, device)
    except _UNREADABLE as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(
                f"There is no memory to read {file}.", "", "Close other programs, and try again."
            ) from error
        raise RunFolderError(
            f"{file} cannot be read: {error}.",
            "A whole checkpoint is needed.",
            f"Choose another checkpoint of the run; to train on, move {folder} out of it first.",
        ) from error


def load_weights(network: nn.Module, folder: Path) -> None:
    """Load the averaged generator of a checkpoint folder; errors as for `load_tensors`."""
    try:
        network.load_state_dict(load_tensors(folder, "generator"))
    except RuntimeError as error:
        raise RunFolderError(
            f"The weights in {folder} do not fit the run's configuration.",
            "Weights and config.json of one run are needed.",
            "Choose another checkpoint.",
        ) from error


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Turn what goes wrong while a checkpoint is loaded into a RunFolderError."""
    try:
        yield
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        if is_out_of_memory(error):
            raise
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunFolderError(
            f"The checkpoint {folder} does not fit the run: {detail}.",
            "Checkpoint and config.json of one run are needed.",
            f"Move {folder} out of the run to go on from the checkpoint before it.",
        ) from error


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the averaged generator's tensors and all else that training needs, on the CPU.

    Errors are those of `load_tensors`; a generator that was imported alone is a RunFolderError.
    """
    training = load_tensors(folder, "training")
    if not training:
        raise _generator_only(folder.parent.parent)
    return load_tensors(folder, "generator"), training


def check_can_train(run: Path) -> None:
    """Check that the run in a folder can be trained further, as far as its checkpoints show.

    Raises
    ------
    RunFolderError
        It holds an imported generator only, or checkpoints of which none can be read.
    """
    try:
        found = list_checkpoints(run / "checkpoints")
    except OSError as error:
        raise RunFolderError(
            f"The checkpoints of {run} cannot be read: {error.strerror or error}.",
            "A folder made by a training is needed.",
        ) from error
    if any("imported_from" in info.state for info in found):
        raise _generator_only(run)
    if not found and folders(run / "checkpoints"):
        raise RunFolderError(  # starting again would overwrite what can perhaps be saved
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
