"""What `synthesise` and `translate` have in common on the command line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import options
from napari_superres.cli.interrupt import INTERRUPTED
from napari_superres.cli.progress import clock, follow_training
from napari_superres.command_line import as_line
from napari_superres.events import FinishReason, TrainingEvent

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
BatchChange = Annotated[
    list[str] | None, options.dials(("batch",), "Change a setting from here on")
]
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
