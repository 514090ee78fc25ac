"""`generate`: super-res volumes from a trained run, one or many, here or on workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_superres.cli.common import generate_to_end, stop_on_interrupt
from napari_superres.cli.fields import Fields, Given, help_of, with_options
from napari_superres.cli.values import parse_axes, parse_region
from napari_superres.config import GenerationSettings, validated
from napari_superres.errors import OutputError, SettingsError
from napari_superres.events import GenerationEvent

TITLES = {
    "volume_fractions": "volume fraction",
    "interface_areas": "interface area (share of voxel faces)",
}
KINDS = (".tif", ".tiff", ".zarr")
TEXT_OPTIONS = {
    "region": Annotated[
        str | None,
        typer.Option(
            "--region",
            metavar="z0:z1,y0:y1,x0:x1",
            help=help_of(GenerationSettings, "region"),
        ),
    ],
    "periodic_axes": Annotated[
        str | None,
        typer.Option(
            "--periodic",
            metavar="AXES",
            help="Axes, such as z or x,y, along which the noise repeats with the size of what is "
            "generated: features that come from noise become periodic.",
        ),
    ],
    "held_region": Annotated[
        str | None,
        typer.Option(
            "--held-region",
            metavar="z0:z1,y0:y1,x0:x1",
            help="Part, in low-res voxels, half open, whose noise stays that of --held-seed "
            "whatever --seed is.",
        ),
    ],
}
"""Settings that are given as text to be parsed."""


@with_options
def generate(
    *,
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder of a training.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="F",
            help="File to write, .tif or .zarr; with --realisations, the folder of that name "
            "without its ending. Left out: super-res.tif in the run folder.",
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
    seed: Annotated[Given, Fields(GenerationSettings, ("seed",))],
    realisations: Annotated[
        int,
        typer.Option(
            "--realisations",
            min=1,
            metavar="K",
            help="Volumes to generate, with the seeds --seed, --seed + 1, …, and maps of where "
            "they agree and of their entropy, and the spread of their measures.",
        ),
    ] = 1,
    maps_only: Annotated[
        bool,
        typer.Option("--maps-only", help="With --realisations: do not write the volumes."),
    ] = False,
    others: Annotated[Given, Fields(GenerationSettings, declared=TEXT_OPTIONS)],
    workers: Annotated[
        int,
        typer.Option(
            "--workers", min=0, metavar="N", help="Processes of this machine to generate in."
        ),
    ] = 0,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="A dask scheduler whose workers generate, such as tcp://host:8786.",
        ),
    ] = None,
) -> None:
    """Generate the super-res volume of a run's low-res volume, or of another.

    Interrupted or killed, the same command goes on with what is missing.
    """
    parsed = {
        "region": parse_region(others.get("region")),
        "periodic_axes": parse_axes(others.get("periodic_axes")),
        "held_region": parse_region(others.get("held_region"), "--held-region"),
    }
    settings = validated(GenerationSettings, seed | others | parsed)
    if maps_only and realisations == 1:
        raise SettingsError(
            "--maps-only is given for one volume.",
            "Maps tell what several agree on.",
            "Add for example --realisations 4.",
        )
    target = run / "super-res.tif" if output is None else output
    suffix = target.suffix if target.suffix.lower() in KINDS else ".tif"
    if realisations > 1:
        target = realisations_folder(target)
    with stop_on_interrupt() as stop:
        shared = _shared_arguments(run, low_res, workers, scheduler) | {"stop": stop}
        events = _events(
            settings, realisations, target, shared, keep_volumes=not maps_only, suffix=suffix
        )
        stopped = f"Stopped before {target} was whole; the same command goes on with it."
        generate_to_end(events, f"generating {target.name}", stopped)
    typer.echo(f"{target}")
    if realisations > 1:
        for line in spread_lines(target):
            typer.echo(line)


def _shared_arguments(
    run: Path, low_res: Path | None, workers: int, scheduler: str | None
) -> dict[str, Any]:
    """Return the arguments that one volume and several share."""
    from napari_superres.data.files.segmented import read_volume
    from napari_superres.runs.config import FUSION, LOW_RES
    from napari_superres.runs.run import Run

    folder = Run.open(run, FUSION)
    volume = None
    if low_res is not None:
        volume = read_volume(low_res, phases=folder.kept(LOW_RES).phases)
    arguments: dict[str, Any] = {"run_folder": run, "low_res": volume}
    if workers or scheduler is not None:
        from napari_superres.generation.render import Workers

        arguments["workers"] = Workers(workers, scheduler)
    return arguments


def _events(
    settings: GenerationSettings,
    realisations: int,
    target: Path,
    shared: dict[str, Any],
    **many: Any,
) -> Iterator[GenerationEvent]:
    from napari_superres.generation.render import generate as generate_engine
    from napari_superres.generation.render import generate_many

    if realisations == 1:
        return generate_engine(settings=settings, output=target, **shared)
    return generate_many(settings=settings, count=realisations, output=target, **shared, **many)


def realisations_folder(output: Path) -> Path:
    """Return the folder that several realisations go to: the output without its ending."""
    folder = output.with_suffix("") if output.suffix.lower() in KINDS else output
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"{folder} is a file.",
            "Several realisations are written into a folder of that name.",
            "Choose another --output.",
        )
    return folder


def spread_lines(folder: Path) -> Iterator[str]:
    """Yield mean and standard deviation of every measure over the realisations of a folder."""
    spread = json.loads((folder / "spread.json").read_text(encoding="utf-8"))
    count = len(spread["seeds"])
    yield f"{'':34}{'mean':>16}{'sd of ' + str(count):>16}"
    for key, title in TITLES.items():
        yield title
        for name, found in spread[key].items():
            yield f"  {name:32}{found['mean']:16.4f}{found['sd']:16.4f}"
