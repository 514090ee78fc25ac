"""Where results are written: asked first whether it can be, then written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_superres.errors import OutputError


def check_writable(path: str | Path, n_bytes: int = 0) -> None:
    """Check, before the work starts, that a file can be written.

    Parameters
    ----------
    path : the file to write
    n_bytes : room it needs on the disk, as far as it is known

    Raises
    ------
    OutputError
        No such folder, a folder in the file's place, no permission, a full disk.
    """
    target = Path(path)
    folder = target.parent
    if os.path.isdir(target):  # Path.is_dir raises where the system does
        raise OutputError(
            f"{target} is a folder.", "A file name is needed.", "Add a name, such as result.tif."
        )
    if not os.path.isdir(folder):
        raise OutputError(
            f"There is no folder {folder}.",
            f"{target.name} is to be written in it.",
            "Create it, or choose another place.",
        )
    try:
        with suppress(FileNotFoundError):
            os.lstat(target)  # a name that no file can have
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _cannot_write(target, error) from error
    if free < n_bytes:
        raise OutputError(
            f"The disk of {folder} has {format_bytes(free)} left.",
            f"{target.name} needs about {format_bytes(n_bytes)}.",
            "Free some room, or choose another place.",
        )


def format_bytes(count: float) -> str:
    """Return a size for people: 7.1 GB, 340 MB, 12 kB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= 0.95 * size:
            amount = count / size
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
    return f"{count / 1e3:.0f} kB"


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes its place, else it is removed.

    Raises
    ------
    OutputError
        When the system refuses to write.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole_text(path: Path, text: str) -> None:
    """Write a whole small file, or nothing.

    Raises
    ------
    OutputError
        When the system refuses to write.
    """
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def replace_folder(new: Path, path: Path) -> None:
    """Put a whole folder in the place of an earlier one, which is deleted only after that.

    Parameters
    ----------
    new : on the same disk, in a folder that is deleted afterwards
    path : where it goes

    Raises
    ------
    OSError
        The system refuses; the earlier folder is there as it was.
    """
    aside = new.with_name(f"earlier-{path.name}")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed here
    if path.exists():
        os.replace(path, aside)
    try:
        os.replace(new, path)
    except OSError:
        if aside.exists():
            os.replace(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{target} cannot be written: {error.strerror or error}.",
        "A place with permission and room is needed.",
        "Choose another, or mend this one.",
    )
