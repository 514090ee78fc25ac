"""What several commands do: stop at Ctrl-C, follow a training, write a small file."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from napari_superres.cli.progress import follow_generation, follow_training
from napari_superres.cli.values import parse_changes
from napari_superres.command_line import as_line
from napari_superres.config import Budget
from napari_superres.data.files.output import refused, write_whole_text
from napari_superres.events import FinishReason, GenerationEvent, TrainingEvent
from napari_superres.runs.config import FUSION, Kind
from napari_superres.synthesis.settings import SYNTHESIS
from napari_superres.translation.settings import TRANSLATION
from napari_superres.words import line_of

INTERRUPTED = 130
"""Exit status."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""SIGTERM is what batch systems send some seconds before they kill a job."""


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C or SIGTERM sets; the second kills.

    Outside the main thread, where signals cannot be caught, the event is never set.
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


KINDS = {kind.name: kind for kind in (FUSION, SYNTHESIS, TRANSLATION)}
WHAT_NEXT = {
    FUSION.name: ("resume", "generate: ", "generate {run}"),
    SYNTHESIS.name: (
        "synthesise resume",
        "then:     ",
        "synthesise sample {run} --output samples.tif",
    ),
    TRANSLATION.name: (
        "translate resume",
        "then:     ",
        "translate apply {run} --low-res volume.tif --output translated.tif",
    ),
}
"""Of each kind of run, how to go on, and what can be done with it."""


def follow_to_end(events: Iterator[TrainingEvent], kind: Kind[Any]) -> None:
    """Show a training, say where it ended and what can be done next.

    Where it was interrupted, the command exits with status 130.
    """
    finished = follow_training(events)
    run, name = finished.run_folder, as_line([str(finished.run_folder)])
    resume, title, then = WHAT_NEXT[kind.name]
    typer.echo(
        f"{line_of(finished)} The run is in {run}\n"
        f"  go on:    napari-superres {resume} {name}\n"
        f"  {title}napari-superres {then.format(run=name)}"
    )
    if finished.reason is FinishReason.STOPPED:
        raise typer.Exit(INTERRUPTED)


def generate_to_end(events: Iterator[GenerationEvent], title: str, stopped: str = "") -> None:
    """Show a generation; where it was interrupted, say `stopped` and exit with status 130."""
    if follow_generation(events, title).reason is FinishReason.STOPPED:
        if stopped:
            typer.echo(stopped)
        raise typer.Exit(INTERRUPTED)


def resume_run(
    kind: Kind[Any], run: Path, budget: Budget, changes: list[str] | None, device: str | None
) -> None:
    """Go on with a training of this kind, to its end."""
    engine = import_module(f"napari_superres.{kind.name}.training")  # torch is slow to load
    changed = parse_changes(changes, kind.settings.model_fields["engine"].annotation)
    with stop_on_interrupt() as stop:
        follow_to_end(engine.resume(run, budget, stop, changed, device), kind)


def free_name(path: Path) -> Path:
    """Return `path`, or the first of path-2, path-3 … that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def write_text(path: Path, text: str) -> None:
    """Write a small text file, its folder included."""
    with refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_text(path, text)
