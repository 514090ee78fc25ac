"""What an unfinished generation leaves beside its output, so that it can be continued.

    .NAME.generating/  run.lock       who writes it now; others are refused
                       request.json   what is generated, to the last detail
                       done           indices of the blocks that are safely written
                       …              the voxels so far, in the sink's own form

A generation with another request starts from the beginning. The output itself appears, or is
replaced, only when it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_superres.data.files.output import append_line, check_room, refused, sync
from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs.lock import NAME as LOCK
from napari_superres.runs.lock import run_lock


class Journal:
    """The record of one output's unfinished generation, held against others until closed.

    Parameters
    ----------
    output : the file or folder to be made
    request : all that decides about its voxels and how they are cut, for JSON
    store : name in the folder of the voxels so far; without them it starts from the beginning

    Raises
    ------
    OutputError
        When the folder cannot be written, or another generation of the output goes on.
    """

    def __init__(self, output: Path, request: Mapping[str, Any], store: str) -> None:
        self.output = output
        self.folder = unfinished_folder(output)
        self._store = self.folder / store
        self._done = self.folder / "done"
        self._text = json.dumps(request, indent=1, sort_keys=True)
        with ExitStack() as held, writing(output):
            self.folder.mkdir(exist_ok=True)
            held.enter_context(_alone(output, self.folder))
            if not self._continues():
                self._empty()
                file = self.folder / "request.json"
                file.write_text(self._text, encoding="utf-8")
                sync(file)
            self._held = held.pop_all()
            self._closed = False

    def _continues(self) -> bool:
        with suppress(OSError, UnicodeDecodeError):
            text = (self.folder / "request.json").read_text(encoding="utf-8")
            return text == self._text and self._store.exists()
        return False

    def done(self) -> frozenset[int]:
        """Return the blocks that are safely written; one whose line is damaged is not."""
        return frozenset(int(line) for line in complete_lines(self._done) if line.isdecimal())

    def add(self, index: int) -> None:
        """Record that a block is safely written."""
        append_line(self._done, str(index))

    def check_room(self, n_bytes: int) -> None:
        """Check that the disk has room for the rest; an empty record is removed."""
        try:
            check_room(self.output, n_bytes)
        except OutputError:
            if not self.done():
                self.remove()
            raise

    def remove(self) -> None:
        """Remove the folder: the output is whole."""
        self.close(keep=False)

    def close(self, keep: bool = True) -> None:
        """Release the lock; remove what is written, unless it is to be kept."""
        if self._closed:
            return
        self._closed = True
        if not keep:
            with suppress(OSError):
                self._empty()
        self._held.close()
        if not keep:
            with suppress(OSError):  # the next generation may hold it already
                self.folder.rmdir()

    def _empty(self) -> None:
        """Remove all but the lock and the drafts of locks."""
        # first, so that nothing half removed is continued
        (self.folder / "request.json").unlink(missing_ok=True)
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif LOCK not in path.name:
                path.unlink()


@contextmanager
def on_error(close: Callable[[], None]) -> Iterator[None]:
    """Close what is open already when preparing the rest fails."""
    try:
        yield
    except BaseException:
        close()
        raise


@contextmanager
def _alone(output: Path, folder: Path) -> Iterator[None]:
    """Hold the folder of a generation; the lock of a killed process is ignored."""
    with ExitStack() as held:
        try:
            held.enter_context(run_lock(folder))
        except RunFolderError as error:
            raise OutputError(
                f"{output} is being generated already.", error.found, error.action
            ) from error
        yield


def unfinished_folder(output: Path) -> Path:
    """Return where the unfinished generation of `output` is kept."""
    return output.with_name(f".{output.name}.generating")


def complete_lines(path: Path) -> list[str]:
    """Return the lines of a record; a last one that was cut off is removed from the file."""
    if not path.exists():
        return []
    data = path.read_bytes()
    *lines, torn = data.split(b"\n")
    if torn:
        os.truncate(path, len(data) - len(torn))
    return [line.decode("utf-8", "replace") for line in lines]


def writing(output: Path) -> AbstractContextManager[None]:
    """Turn the system's refusal to write into an `OutputError` that says how to continue."""
    return refused(
        output,
        "What is generated so far is kept beside it.",
        "Make room, or fix the place, and give the same command again to continue.",
    )
