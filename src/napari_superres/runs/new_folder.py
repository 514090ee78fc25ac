"""The new folder of a run; what a killed process left of one can be used again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs.lock import NAME as LOCK
from napari_superres.runs.lock import run_lock

MARK = ".being-made"
"""File in a run folder that is not whole yet, whose other files may be removed."""


@contextmanager
def new_run_folder(path: str | Path) -> Iterator[Path]:
    """Hold a new run folder while its inputs and, last, its config.json are written.

    A process that is killed meanwhile leaves a folder that can be used again.

    Parameters
    ----------
    path : new, an empty folder, or one whose making was interrupted

    Raises
    ------
    OutputError
        It exists and is not empty, is being made by another process, or cannot be written.
    """
    folder = Path(path)
    with ExitStack() as held:
        try:
            if folder.exists() and not is_free(folder):
                raise _in_the_way(folder)
            folder.mkdir(parents=True, exist_ok=True)
            _lock(folder, held)
            if not is_free(folder):  # another process was faster
                raise _in_the_way(folder)
            _clear(folder)
        except OSError as error:
            raise OutputError(
                f"The run folder {folder} cannot be made: {error.strerror or error}.",
                "A folder that can be written is needed.",
            ) from error
        yield folder
        with suppress(OSError):
            (folder / MARK).unlink()


def is_free(folder: Path) -> bool:
    """Whether an existing folder is empty, or the beginning of a run that was interrupted."""
    if not folder.is_dir() or (folder / "config.json").exists():
        return False
    names = [path.name for path in folder.iterdir()]
    if MARK in names:
        return not any((folder / "checkpoints").glob("*"))
    return all(LOCK in name for name in names)


def _clear(folder: Path) -> None:
    (folder / MARK).touch()
    for name in ("inputs", "checkpoints"):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        (folder / name).mkdir()


def _lock(folder: Path, held: ExitStack) -> None:
    try:
        held.enter_context(run_lock(folder))
    except RunFolderError as error:
        raise OutputError(
            f"The run folder {folder} exists and is not empty: another process is making it.",
            "A new run needs a new folder.",
            error.action,
        ) from error


def _in_the_way(folder: Path) -> OutputError:
    is_run = (folder / "config.json").exists()
    return OutputError(
        f"The run folder {folder} exists and is not empty.",
        "A new run needs a new folder.",
        "Choose another, or resume the run that is there." if is_run else "Choose another.",
    )
