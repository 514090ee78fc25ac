"""`synthesise train`, `resume`, `sample`, `interpolate` and `report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_superres.cli import common, options
from napari_superres.cli.common import follow_to_end, generate_to_end, resume_run, stop_on_interrupt
from napari_superres.cli.fields import Fields, Given, dials_of, safe_changes_of, with_options
from napari_superres.cli.values import parse_changes
from napari_superres.config import Budget, validated
from napari_superres.errors import SettingsError
from napari_superres.synthesis.settings import (
    STYLE_PRESETS,
    SYNTHESIS,
    StyleEngine,
    SynthesisSettings,
)

app = typer.Typer(
    help="Learn to make images like real ones: train, resume, sample, interpolate, report.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Truncation = Annotated[
    float,
    typer.Option(
        "--truncation", metavar="X", help="Draw styles towards their mean: 1 not at all, 0 wholly."
    ),
]
Output = Annotated[
    Path, typer.Option("--output", metavar="F.tif|DIR", help="A TIFF stack, or a folder of PNGs.")
]
FirstSeed = Annotated[int, typer.Option("--seed", metavar="N", help="First seed.")]
PATCHES = ("size", "stride", "overlap", "count", "border", "held_out")


@app.command("train")
@with_options
def train(
    *,
    images: options.ImageFiles,
    patches: Annotated[Given, Fields(SynthesisSettings, PATCHES)],
    segmented: options.Segmented = None,
    others: Annotated[Given, Fields(SynthesisSettings)],
    budget: options.BudgetOptions,
    run: options.RunFolderOption = None,
    changes: Annotated[list[str] | None, dials_of(StyleEngine)] = None,
) -> None:
    """Train a style-based generator on real images.

    Without --minutes or --steps it trains until Ctrl-C. However it ends, the
    weights are in the run folder, with copies of the images.
    """
    changed = parse_changes(changes, StyleEngine)
    engine = STYLE_PRESETS[others["preset"]].replace(**changed)
    settings = validated(SynthesisSettings, patches | others | {"engine": engine})
    from napari_superres.data.files.images import read_images

    read = read_images(images, segmented)
    from napari_superres.synthesis.training import describe_patches
    from napari_superres.synthesis.training import train as train_engine

    typer.echo(f"{read.name}: {describe_patches(read, settings)}")
    if budget == Budget():
        typer.echo("No --minutes or --steps: training until Ctrl-C.")
    folder = common.free_name(Path("synthesis-run")) if run is None else run
    with stop_on_interrupt() as stop:
        events = train_engine(read, settings, folder, budget, stop)
        follow_to_end(events, SYNTHESIS)


@app.command("resume")
@with_options
def resume(
    *,
    run: options.RunArgument,
    budget: options.BudgetOptions,
    changes: Annotated[list[str] | None, safe_changes_of(StyleEngine)] = None,
    device: options.OtherDevice = None,
) -> None:
    """Go on with a training from its last checkpoint."""
    resume_run(SYNTHESIS, run, budget, changes, device)


@app.command("sample")
def sample(
    run: options.RunArgument,
    output: Output,
    count: Annotated[int, typer.Option("--count", metavar="N", help="Images to make.")] = 16,
    seed: FirstSeed = 0,
    vary: Annotated[
        str,
        typer.Option(
            "--vary",
            metavar="both|style|noise",
            help="What differs between images: style and noise, or one while the other is held.",
        ),
    ] = "both",
    truncation: Truncation = 1.0,
    checkpoint: options.Checkpoint = "best",
    device: options.Device = "auto",
) -> None:
    """Make images."""
    from napari_superres.synthesis.sampling import SampleRequest, export

    request = SampleRequest.choose(count, seed, _what_varies(vary), truncation)
    with stop_on_interrupt() as stop:
        events = export(run, request, output, checkpoint, device, stop)
        generate_to_end(events, "sampling")
    typer.echo(f"{count} images: {output}")


@app.command("interpolate")
def interpolate(
    run: options.RunArgument,
    first: Annotated[int, typer.Option("--from", metavar="SEED", help="Seed of the first style.")],
    last: Annotated[int, typer.Option("--to", metavar="SEED", help="Seed of the last style.")],
    output: Output,
    frames: Annotated[int, typer.Option("--frames", metavar="N", help="Images, ends too.")] = 16,
    noise: Annotated[int, typer.Option("--noise", metavar="SEED", help="Seed of the noise.")] = 0,
    truncation: Truncation = 1.0,
    checkpoint: options.Checkpoint = "best",
    device: options.Device = "auto",
) -> None:
    """Make the images on the way from one style to another, as a stack."""
    from napari_superres.data.files.images import check_place, write_images
    from napari_superres.synthesis.sampling import Synthesiser

    check_place(output)
    synthesiser = Synthesiser.load(run, checkpoint, device)
    images = synthesiser.interpolate(first, last, frames, noise, truncation)
    provenance = {"made by": "napari-superres synthesise interpolate", "run": str(run)}
    provenance |= {"styles": f"{first} to {last}", "noise": str(noise)}
    write_images(
        output, synthesiser.values(images), synthesiser.phases, synthesiser.pixel_size, provenance
    )
    typer.echo(f"{frames} images: {output}")


@app.command("report")
def report(
    run: options.RunArgument,
    output: Annotated[
        Path, typer.Option("--output", metavar="F.html", help="The page to write.")
    ] = Path("synthesis.html"),
    count: Annotated[
        int, typer.Option("--count", metavar="N", help="Images measured, synthetic and real.")
    ] = 128,
    seed: FirstSeed = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="F", help="Write the numbers too.")
    ] = None,
    charts: Annotated[
        Path | None, typer.Option("--charts", metavar="DIR", help="Write the charts as PNG too.")
    ] = None,
    checkpoint: options.Checkpoint = "best",
    device: options.Device = "auto",
) -> None:
    """Compare synthetic with real images: histograms, correlations, nearest real windows."""
    from napari_superres.synthesis.report import make_report

    page, numbers = make_report(run, count, seed, checkpoint, device, charts)
    common.write_text(output, page)
    if json_file is not None:
        common.write_text(json_file, json.dumps(numbers, indent=1) + "\n")
    gap = numbers["gap"]
    typer.echo(
        f"mean fractions off by {gap['fraction']:.3f}, specific surface by {gap['surface']:.1%}, "
        f"two-point RMSE {gap['two_point']:.4f}: {output}"
    )


def _what_varies(text: str) -> Literal["both", "style", "noise"]:
    if text == "style":
        return "style"
    if text == "noise":
        return "noise"
    if text == "both":
        return "both"
    raise SettingsError(f"--vary is {text!r}.", "One of both, style and noise is needed.")
