"""Ctrl-C and SIGTERM: the first asks the engine to stop and save, the second kills."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from napari_superres.cli import values
from napari_superres.cli.progress import clock, follow_training
from napari_superres.command_line import as_line
from napari_superres.data.files.output import write_whole_text
from napari_superres.errors import OutputError
from napari_superres.events import FinishReason, TrainingEvent

INTERRUPTED = 130
"""Exit status."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""SIGTERM is what batch systems send some seconds before they kill a job."""


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C or SIGTERM sets.

    Outside the main thread, where signals cannot be caught, the event is never set.

    Yields
    ------
    threading.Event
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        # the terminal may be gone, or be written to just now: saving matters more
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            print(
                "\nStopping after this step, then saving (Ctrl-C again to kill).",
                file=sys.stderr,
                flush=True,
            )

    before = {one: signal.signal(one, ask_to_stop) for one in SIGNALS}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


ImageFiles = Annotated[
    list[Path],
    typer.Option(
        "--images",
        metavar="F...",
        help="Real images: .tif (a stack counts as many), .npy, .png or .jpg files.",
    ),
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]
RunFolderOption = Annotated[
    Path | None,
    typer.Option("--run", metavar="DIR", help="Folder for the run; new or empty."),
]
BatchChange = Annotated[list[str] | None, values.dials(("batch",), "Change a setting from here on")]
Segmented = Annotated[
    bool | None,
    typer.Option(
        "--segmented/--grey",
        help="Whether the images hold phases or grey values; left out, up to 8 values are phases.",
    ),
]


def follow_to_end(
    events: Iterator[TrainingEvent], command: str, then: str, known: Collection[str] = ()
) -> None:
    """Show a training, say where it ended and what can be done next.

    Parameters
    ----------
    events : the training
    command : such as "synthesise"
    then : what to do with the run, before its folder
    known : warnings shown already

    Raises
    ------
    typer.Exit
        With status 130 when it was interrupted.
    """
    finished = follow_training(events, known)
    run, stopped = finished.run_folder, finished.reason is FinishReason.STOPPED
    name = as_line([str(run)])
    typer.echo(
        f"{'Stopped' if stopped else 'Done'} at step {finished.step}, "
        f"{clock(finished.elapsed_s)} trained; the run is in {run}\n"
        f"  go on:    napari-superres {command} resume {name}\n"
        f"  then:     napari-superres {command} {then.format(run=name)}"
    )
    if stopped:
        raise typer.Exit(INTERRUPTED)


def free_name(path: Path) -> Path:
    """Return `path`, or the first of path-2, path-3 … that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def write_text(path: Path, text: str) -> None:
    """Write a small text file, its folder included.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            action="Choose another place.",
        ) from error
    write_whole_text(path, text)
