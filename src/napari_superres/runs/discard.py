"""Delete what a run has written, and nothing else in its folder."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from napari_superres.data.files.output import format_bytes
from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs.lock import NAME as LOCK
from napari_superres.runs.lock import run_lock
from napari_superres.runs.new_folder import MARK
from napari_superres.runs.previews import FOLDER as PREVIEWS

OWN = ("checkpoints", PREVIEWS, "inputs", "metrics.jsonl", "config.json", MARK, LOCK)
"""In the order of deletion: a folder without config.json is no run any more."""


@dataclass(frozen=True)
class Holdings:
    """What lies in a run folder.

    Attributes
    ----------
    own : bytes that the run wrote itself
    checkpoints : how many
    others : names of files and folders that are not the run's, such as generated volumes
    """

    own: int
    checkpoints: int
    others: tuple[str, ...]

    @property
    def size(self) -> str:
        """The bytes as text, such as 340 MB."""
        return format_bytes(self.own)


def holdings(run: Path) -> Holdings:
    """Return what lies in a run folder; a RunFolderError where it is no run, or cannot be read."""
    _check(run)
    try:
        own = sum(_bytes(run / name) for name in OWN)
        names = ("step-*", "left-step-*")
        checkpoints = sum(len(list((run / "checkpoints").glob(name))) for name in names)
        return Holdings(own, checkpoints, _others(run))
    except OSError as error:
        raise RunFolderError(
            f"{run} cannot be read: {error.strerror or error}.",
            "Permission to read is needed.",
            "Delete it by hand.",
        ) from error


def discard(run: Path) -> tuple[str, ...]:
    """Delete a run; its folder goes too when nothing else lies in it.

    Returns
    -------
    tuple of str
        Names of what was left in the folder, because the run did not make it.

    Raises
    ------
    RunFolderError
        The folder is no run, or another process works on it.
    OutputError
        Something cannot be deleted.
    """
    _check(run)
    try:
        with run_lock(run):
            for name in OWN:
                _delete(run / name)
                for left in run.glob(f".{name}.*"):
                    _delete(left)
        others = _others(run)
        if not others:
            run.rmdir()
    except OSError as error:
        raise OutputError(
            f"{run} cannot be deleted: {error.strerror or error}.",
            "Permission to delete is needed.",
            "Close programs that use it, or delete it by hand.",
        ) from error
    return others


def _check(run: Path) -> None:
    if not (run / "config.json").is_file() or not (run / "inputs").is_dir():
        raise RunFolderError(f"{run} is no run.", "Only runs are deleted.")


def _others(run: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in run.iterdir() if not _is_own(path.name)))


def _is_own(name: str) -> bool:
    # what a killed process was writing has the file's name between a dot and an ending
    return name in OWN or any(name.startswith(f".{own}.") for own in OWN)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bytes(path: Path) -> int:
    files = (
        [path]
        if path.is_file()
        else [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    )
    total = 0
    for file in files:
        with suppress(FileNotFoundError):  # a training drops checkpoints meanwhile
            total += os.lstat(file).st_size
    return total
