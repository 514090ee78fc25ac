"""One case of the trial by faults: damaged files, one command, and what became of it.

Each case runs the command line in a forked process of its own, with a limit on time and
memory, in a folder of its own that is compared before and after.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from tests.reliability.mutations import Mutation, choose
from tests.reliability.targets import Target

SECONDS = 30.0
"""A case is taken for hung when it used so much processor time, or waits for so long."""
MEMORY = 3 * 2**30
"""Bytes of address space that a case may add to what the interpreter has."""
STATUSES = (0, 1, 2)


class Outcome(StrEnum):
    """What became of a case; the last three are faults of the project."""

    RESULT = "result"
    REFUSED = "refused"
    CRASH = "crash"
    HANG = "hang"
    OUTSIDE = "wrote outside"


GOOD = (Outcome.RESULT, Outcome.REFUSED)


@dataclass(frozen=True)
class Verdict:
    """How a case ended.

    Attributes
    ----------
    case : target, mutation and seed
    outcome : what became of it
    status : exit status; −9 when it was killed for its time
    told : what the command wrote to stderr, and files that should not be there
    seconds : that it took
    """

    case: str
    outcome: Outcome
    status: int
    told: str
    seconds: float


def fuzzed(
    materials: Path, place: Path, target: Target, seed: int, mutation: Mutation | None = None
) -> Verdict:
    """Damage one file of a fresh copy of the materials, run the command, look around.

    Parameters
    ----------
    materials : whole inputs, see `materials.make`
    place : folder for the case; made and removed
    target : what runs
    seed : decides which file, and how it is damaged
    mutation : the damage; None for a random one that suits the file
    """
    rng = random.Random(f"{target.name} {seed}")
    shutil.copytree(materials, place / "in", symlinks=True)
    (place / "out").mkdir()
    found = sorted(
        file for file in (place / "in").glob(target.file) if file.is_file() or mutation is not None
    )
    file = rng.choice(found)
    mutation = mutation or choose(file, rng)
    mutation(file, rng)
    case = f"{target.name}: {mutation.__name__} of {file.relative_to(place / 'in')}, seed {seed}"
    try:
        return run_case(place, target, case)
    finally:
        shutil.rmtree(place)


def run_case(place: Path, target: Target, case: str) -> Verdict:
    """Run a target's command in its place, in a process of its own."""
    inside = [place / "out", place / "told", *(place / "in" / name for name in target.writes)]
    before = _listing(place.parent, inside)
    began = time.monotonic()
    status = _forked(place, target)
    seconds = time.monotonic() - began
    told = (place / "told").read_text(encoding="utf-8", errors="replace")
    after = _listing(place.parent, inside)
    if status == -signal.SIGKILL:
        outcome = Outcome.HANG
    elif strange := sorted(str(path) for path in before ^ after):
        outcome, told = Outcome.OUTSIDE, told + "\n" + "\n".join(strange)
    elif status not in STATUSES or "Unexpected" in told or "Traceback" in told:
        outcome = Outcome.CRASH
    else:
        outcome = Outcome.REFUSED if status else Outcome.RESULT
    return Verdict(case, outcome, status, told.strip(), seconds)


def _listing(folder: Path, leave_out: list[Path]) -> set[tuple[str, int, int]]:
    """Return every path below a folder, with its time and size; those left out aside."""
    found = set()
    for root, folders, files in os.walk(folder):
        if Path(root) in leave_out:
            folders.clear()
            continue
        for name in (*folders, *files):
            path = Path(root) / name
            if path not in leave_out:
                is_folder = name in folders
                stat = path.lstat()
                size, changed = (0, 0) if is_folder else (stat.st_size, stat.st_mtime_ns)
                found.add((str(path), size, changed))
    return found


def _forked(place: Path, target: Target) -> int:
    """Return the exit status, negative for a signal, as `subprocess` does."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = _in_child(place, target)
        finally:
            os._exit(status)
    with _alarm(SECONDS, child):
        _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended)


@contextlib.contextmanager
def _alarm(seconds: float, child: int) -> Iterator[None]:
    """Kill a child that works, or waits, for too long; one that gets no processor may go on."""
    process = psutil.Process(child)
    spent = 0.0

    def ring(number: int, frame: object) -> None:
        nonlocal spent
        with contextlib.suppress(psutil.Error):
            used = sum(process.cpu_times()[:2])
            waits = process.status() != psutil.STATUS_RUNNING and used - spent < 0.01
            spent = used
            if waits or used > seconds:
                os.kill(child, signal.SIGKILL)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _in_child(place: Path, target: Target) -> int:
    told = os.open(place / "told", os.O_WRONLY | os.O_CREAT)
    silent = os.open(os.devnull, os.O_RDWR)
    for number, handle in ((0, silent), (1, silent), (2, told)):
        os.dup2(handle, number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", errors="replace", closefd=False, buffering=1)  # noqa: SIM115
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(place / "out")
    from napari_superres.cli import main

    arguments = [
        part.replace("IN", str(place / "in"), 1).replace("OUT", str(place / "out"), 1)
        if part.startswith(("IN/", "OUT/"))
        else part
        for part in target.command
    ]
    status = main(arguments)
    sys.stderr.flush()
    return status
