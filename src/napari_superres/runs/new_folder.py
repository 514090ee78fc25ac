"""The empty folder that any kind of run begins with."""

from __future__ import annotations

from pathlib import Path

from napari_superres.errors import OutputError


def make_run_folder(path: str | Path) -> Path:
    """Make a run folder with its places for inputs and checkpoints, and return it.

    Parameters
    ----------
    path : new, or an empty folder

    Raises
    ------
    OutputError
        It exists and is not empty, or cannot be written.
    """
    folder = Path(path)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise _in_the_way(folder)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            (folder / "inputs").mkdir()
        except FileExistsError as error:  # another process was faster
            raise _in_the_way(folder) from error
        (folder / "checkpoints").mkdir()
    except OSError as error:
        raise OutputError(
            f"The run folder {folder} cannot be made: {error.strerror or error}.",
            "A folder that can be written is needed.",
        ) from error
    return folder


def _in_the_way(folder: Path) -> OutputError:
    is_run = (folder / "config.json").exists()
    return OutputError(
        f"The run folder {folder} exists and is not empty.",
        "A new run needs a new folder.",
        "Choose another, or resume the run that is there." if is_run else "Choose another.",
    )
