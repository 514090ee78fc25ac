"""One process at a time on a run folder.

run.lock holds who works on the run: host, process id, and when that process began,
so that a lock left by a killed process is found to be stale even if its id is used again.
A batch job that Slurm puts back into the queue, perhaps for another computer, takes over
the lock of its own earlier attempt.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from napari_superres.data.files.reading import read_small_text
from napari_superres.errors import OutputError, RunFolderError

NAME = "run.lock"


@contextmanager
def run_lock(run: Path) -> Iterator[None]:
    """Hold the run folder for as long as the block lasts.

    Raises
    ------
    RunFolderError
        Another process that still lives, or one on another computer, holds it.
    OutputError
        The folder cannot be written.
    """
    lock = run / NAME
    own = _owner()
    draft = run / f".{NAME}.{uuid.uuid4().hex}"
    try:
        draft.write_text(json.dumps(own), encoding="utf-8")
        while not _take(draft, lock):
            _remove_stale(lock)
    except OSError as error:
        raise OutputError(
            f"{run} cannot be locked: {error.strerror or error}.",
            "A run folder that can be written is needed.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if _read(lock) == own:
                lock.unlink()


def _owner() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "began": began(psutil.Process()),
        "key": uuid.uuid4().hex,
        "job": os.environ.get("SLURM_JOB_ID"),
        "attempt": os.environ.get("SLURM_RESTART_COUNT", "0"),
    }


def began(process: psutil.Process) -> float:
    """Return when a process began, in seconds, the same whatever the clock is set to since.

    Linux notes the time since the computer's start; psutil adds a start that moves with
    the clock, which is subtracted again.
    """
    start = psutil.boot_time() if psutil.LINUX else 0.0
    return float(process.create_time() - start)


def _take(draft: Path, lock: Path) -> bool:
    """Put a whole lock file in place, unless there is one."""
    try:
        os.link(draft, lock)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        text = draft.read_text(encoding="utf-8")
        try:
            file = open(lock, "x", encoding="utf-8")  # noqa: SIM115  closed below
        except FileExistsError:
            return False
        try:
            with file:
                file.write(text)
        except OSError:
            lock.unlink(missing_ok=True)  # an empty one would lock the run for ever
            raise
    return True


def _remove_stale(lock: Path) -> None:
    found = _read(lock)
    if found is None and not lock.exists():
        return  # released in between
    if found is None or _alive(found):
        found = found or {}
        raise RunFolderError(
            f"The run {lock.parent} is in use by process {found.get('pid', '?')} on "
            f"{found.get('host', 'an unknown computer')}.",
            "One process at a time can train a run.",
            f"Stop that one first; if it is long gone, delete {lock}.",
        )
    aside = lock.with_name(f".{NAME}.{uuid.uuid4().hex}")
    try:
        os.rename(lock, aside)
    except FileNotFoundError:
        return
    if _read(aside) != found:  # another process was faster: its lock is not stale
        _take(aside, lock)
    aside.unlink(missing_ok=True)


def _alive(owner: dict[str, Any]) -> bool:
    own = _owner()
    same_job = own["job"] is not None and owner.get("job") == own["job"]
    if same_job and owner.get("attempt") != own["attempt"]:
        return False  # Slurm begins a job again when nothing of it lives
    if owner.get("host") != own["host"]:
        return True
    try:
        process = psutil.Process(int(owner["pid"]))
        return abs(began(process) - float(owner["began"])) < 1.0
    except (psutil.NoSuchProcess, KeyError, TypeError, ValueError, OverflowError):
        return False
    except psutil.Error:
        return True


def _read(lock: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(read_small_text(lock))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
