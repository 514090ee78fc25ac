"""Where results are written: checked first, then written whole or not at all, safely on disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_superres.errors import OutputError

TIFF, ZARR = (".tif", ".tiff"), ".zarr"


def check_writable(path: str | Path, n_bytes: int = 0) -> None:
    """Check, before the work starts, that a file, or a folder NAME.zarr, can be written.

    Parameters
    ----------
    path : what to write; only an earlier zarr folder may be in a zarr folder's place
    n_bytes : room it needs on the disk, as far as it is known

    Raises
    ------
    OutputError
        No such folder, something else in its place, no permission, a full disk.
    """
    target = Path(path)
    folder = target.parent
    if target.suffix.lower() == ZARR:
        if os.path.lexists(target) and not os.path.isfile(target / "zarr.json"):
            raise OutputError(
                f"{target} exists and is no zarr folder.",
                "It would be replaced.",
                "Choose another name, or remove it.",
            )
    elif os.path.isdir(target):  # Path.is_dir raises where the system does
        raise OutputError(
            f"{target} is a folder.", "A file name is needed.", "Add a name, such as result.tif."
        )
    if not os.path.isdir(folder):
        raise OutputError(
            f"There is no folder {folder}.",
            f"{target.name} is to be written in it.",
            "Create it, or choose another place.",
        )
    with refused(target):
        with suppress(FileNotFoundError):
            os.lstat(target)  # a name that no file can have
        with tempfile.TemporaryFile(dir=folder):
            pass
        check_room(target, n_bytes)


def check_room(target: Path, n_bytes: int) -> None:
    """Check that the disk has room for `n_bytes` more of `target`, else raise an OutputError."""
    free = shutil.disk_usage(target.parent).free
    if free < n_bytes:
        raise OutputError(
            f"The disk of {target.parent} has {format_bytes(free)} left.",
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
def refused(
    target: Path,
    needed: str = "A place with permission and room is needed.",
    action: str = "Choose another, or fix this one.",
) -> Iterator[None]:
    """Turn the system's refusal to write `target` into an `OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written: {error.strerror or error}.", needed, action
        ) from error


@contextmanager
def written_whole(path: str | Path, n_bytes: int = 0) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes its place, else it is removed.

    A place that cannot be written is an OutputError, see `check_writable`.
    """
    target = Path(path)
    check_writable(target, n_bytes)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with refused(target):
            yield temporary
            sync(temporary)
            os.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole_text(path: Path, text: str) -> None:
    """Write a whole small file, or nothing; errors are those of `written_whole`."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it, if it is not there; OutputError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror or error}.",
            "A place with permission and room is needed.",
            "Choose another, or fix this one.",
        ) from error


def append_line(path: Path, line: str) -> None:
    """Add a line to a text file; it is safely on disk when this returns."""
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def sync(file: Path) -> None:
    """Return once a file is safely on disk: a computer that loses its power keeps it."""
    with open(file, "rb+") as stream:  # Windows syncs only what may be written
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are safely on disk, where the system can do that."""
    if os.name != "posix":
        return  # elsewhere folders cannot be opened
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
