"""Taking up a checkpoint: its tensors, whether they fit, whether there is one to train from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor, nn

from napari_superres.errors import OutOfMemoryError, RunFolderError, is_out_of_memory
from napari_superres.runs.checkpoint_files import folders, read_tensors
from napari_superres.runs.checkpoints import list_checkpoints

_UNREADABLE = (
    OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError, MemoryError,
)  # fmt: skip


def load_tensors(folder: Path, name: str, device: str = "cpu") -> dict[str, Tensor]:
    """Return the tensors of ``generator`` or ``training`` of a checkpoint folder.

    Raises
    ------
    RunFolderError
        When the file is missing or damaged.
    OutOfMemoryError
        When there is no memory for it.
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
    """Load the averaged generator of a checkpoint folder into a network made for it.

    Raises
    ------
    RunFolderError
        When the file is missing or damaged, or does not fit the network.
    """
    try:
        network.load_state_dict(load_tensors(folder, "generator"))
    except RuntimeError as error:
        raise RunFolderError(
            f"The weights in {folder} do not fit the run's configuration.",
            "Weights and config.json of one run are needed.",
            "Choose another checkpoint.",
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
