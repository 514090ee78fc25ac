"""`demo`: the main job on a generated example, in napari or in the terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import common, panel
from napari_superres.cli.common import INTERRUPTED, generate_to_end, stop_on_interrupt
from napari_superres.cli.progress import follow_training
from napari_superres.command_line import as_line
from napari_superres.config import Budget, validated
from napari_superres.demo import GENERATION, DemoPlan, judge, prepare, verdict
from napari_superres.events import FinishReason

FEW_STEPS = 200
"""The trainings in docs/benchmarks.md took more."""


def demo(
    minutes: Annotated[
        float, typer.Option("--minutes", metavar="M", min=0.01, help="Minutes to train.")
    ] = DemoPlan.minutes,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="DIR",
            help="Folder for the results, new or empty. Left out: superres-demo, "
            "superres-demo-2, …",
        ),
    ] = None,
    size: Annotated[
        int, typer.Option("--size", metavar="N", min=64, help="Side of the volume in voxels.")
    ] = DemoPlan.size,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", min=0, max=2**31 - 1, help="Another seed, another material."
        ),
    ] = DemoPlan.seed,
    no_gui: Annotated[
        bool, typer.Option("--no-gui", help="Stay in the terminal though there is a display.")
    ] = False,
    close: Annotated[
        bool, typer.Option("--close", help="Close napari when the demo has ended.")
    ] = False,
) -> None:
    """Make a three-phase example with known truth, train, generate, measure.

    Leaves the volume (TIFF), a picture and the numbers in a folder. With a display
    all of it is shown in napari.
    """
    validated(Budget, {"minutes": minutes})
    folder = common.free_name(Path("superres-demo")) if output is None else output
    plan = DemoPlan(folder, minutes, size, seed)
    if not no_gui and panel.napari_is_installed() and panel.window_can_open():
        from napari_superres.widgets.app import launch

        typer.echo(f"The demo runs in napari; its results will be in {plan.output}")
        launch(demo=plan, close_when_done=close)
    else:
        run_in_terminal(plan)


def run_in_terminal(plan: DemoPlan) -> None:
    """Run every stage, showing it in the terminal."""
    from napari_superres.data.files.segmented import read_volume
    from napari_superres.fusion.training import train
    from napari_superres.generation.render import generate

    typer.echo("1/4  Making the example: a battery cathode of pore, active material and binder")
    start = time.monotonic()
    example = prepare(plan)
    made = time.monotonic()
    typer.echo(
        f"2/4  Training for {plan.minutes:g} minutes (Ctrl-C stops it and keeps the weights)"
    )
    with stop_on_interrupt() as stop:
        training = follow_training(
            train(example.pair, example.settings, plan.run_folder, plan.budget, stop)
        )
        trained = time.monotonic()
        if training.reason is FinishReason.STOPPED:
            run = as_line([str(plan.run_folder)])
            typer.echo(f"Stopped; go on with napari-superres resume {run}")
            raise typer.Exit(INTERRUPTED)
        if training.step < FEW_STEPS:
            typer.echo(
                f"Only {training.step} steps were done: the machine is slow, or busy. The result "
                f"will be poor; try --minutes {4 * plan.minutes:g}."
            )
        typer.echo("3/4  Generating the super-res volume")
        generate_to_end(
            generate(plan.run_folder, GENERATION, output=plan.super_res, stop=stop),
            "generating",
            f"Stopped; {plan.super_res} is not written.",
        )
    generated = time.monotonic()
    typer.echo("4/4  Measuring it")
    super_res = read_volume(plan.super_res, phases=example.pair.high_res.phases)
    seconds = {
        "example": made - start,
        "training": trained - made,
        "generation": generated - trained,
    }
    numbers = judge(plan, example, super_res.labels, seconds)
    typer.echo(verdict(numbers))
    typer.echo(f"Volume   {plan.super_res}\nPicture  {plan.figure}\nNumbers  {plan.numbers}")
