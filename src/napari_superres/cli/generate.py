"""`generate`: super-res volumes from a trained run, one or many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import options
from napari_superres.cli.interrupt import stop_on_interrupt
from napari_superres.cli.progress import follow_generation
from napari_superres.config import GenerationSettings, validated
from napari_superres.events import FinishReason

INTERRUPTED = 130


def generate(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder of a training.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="F",
            help="File to write, .tif or .zarr. Left out: super-res.tif in the run folder.",
        ),
    ] = None,
    low_res: Annotated[
        Path | None,
        typer.Option(
            "--low-res",
            metavar="F",
            help="Another low-res volume of the same material; left out, the run's own.",
        ),
    ] = None,
    seed: options.NoiseSeed = 0,
    realisations: Annotated[
        int,
        typer.Option(
            "--realisations",
            min=1,
            metavar="K",
            help="Volumes to generate, with the seeds --seed, --seed + 1, …; each file is "
            "numbered by its seed.",
        ),
    ] = 1,
    region: options.RegionText = None,
    crop_border: options.CropBorder = False,
    tile: options.Tile = None,
    checkpoint: options.Checkpoint = "best",
    device: options.Device = "auto",
) -> None:
    """Generate the super-res volume of a run's low-res volume, or of another."""
    from napari_superres.data.files import read_volume
    from napari_superres.generation.render import generate as generate_engine
    from napari_superres.runs.folder import RunFolder

    settings = validated(
        GenerationSettings,
        {
            "seed": seed,
            "region": options.parse_region(region),
            "tile": tile,
            "device": device,
            "crop_border": crop_border,
            "checkpoint": checkpoint,
        },
    )
    folder = RunFolder.open(run)
    volume = None
    if low_res is not None:
        volume = read_volume(low_res, phases=folder.config.low_res_phases)
    target = run / "super-res.tif" if output is None else output
    with stop_on_interrupt() as stop:
        for offset in range(realisations):
            this = settings.replace(seed=seed + offset)
            path = numbered(target, this.seed) if realisations > 1 else target
            events = generate_engine(run, this, low_res=volume, output=path, stop=stop)
            finished = follow_generation(events, f"generating {path.name}")
            if finished.reason is FinishReason.STOPPED:
                typer.echo(f"Stopped before {path} was whole; the same command goes on with it.")
                raise typer.Exit(INTERRUPTED)
            typer.echo(f"{path}")


def numbered(path: Path, seed: int) -> Path:
    """Return the name of one realisation: `volume.tif` with seed 3 is `volume-seed3.tif`."""
    return path.with_name(f"{path.stem}-seed{seed}{path.suffix}")
