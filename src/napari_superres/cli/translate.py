"""`translate train`, `resume` and `apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import common, options
from napari_superres.cli.common import follow_to_end, generate_to_end, resume_run, stop_on_interrupt
from napari_superres.cli.fields import Fields, Given, dials_of, safe_changes_of, with_options
from napari_superres.cli.values import parse_changes
from napari_superres.config import validated
from napari_superres.errors import SettingsError
from napari_superres.translation.settings import (
    TRANSLATION,
    TRANSLATION_PRESETS,
    TranslationEngine,
    TranslationSettings,
)

app = typer.Typer(
    help="Translate low-res images to the high-res domain, unpaired: train, resume, apply.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
FILES = ".tif (a stack or volume counts as many), .npy, .png or .jpg files."


@app.command("train")
@with_options
def train(
    *,
    low_res: Annotated[
        list[Path],
        typer.Option("--low-res-images", metavar="F...", help=f"Low-res images: {FILES}"),
    ],
    high_res: Annotated[
        list[Path],
        typer.Option("--high-res-images", metavar="F...", help=f"High-res images: {FILES}"),
    ],
    factor: Annotated[Given, Fields(TranslationSettings, ("scale_factor",))],
    augment_with: options.AugmentWith = None,
    augment_count: options.AugmentCount = 64,
    segmented: options.Segmented = None,
    others: Annotated[Given, Fields(TranslationSettings)],
    budget: options.BudgetOptions,
    run: options.RunFolderOption = None,
    changes: Annotated[list[str] | None, dials_of(TranslationEngine)] = None,
) -> None:
    """Train a translation on low-res and high-res images that need not show the same place."""
    changed = parse_changes(changes, TranslationEngine)
    engine = TRANSLATION_PRESETS[others["preset"]].replace(**changed)
    settings = validated(TranslationSettings, factor | others | {"engine": engine})
    from napari_superres.data.files.images import read_images
    from napari_superres.translation.training import train as train_engine

    low, high = read_images(low_res, segmented), read_images(high_res, segmented)
    if augment_with is not None:
        from napari_superres.synthesis.link import images_with_synthetic

        high = images_with_synthetic(high, augment_with, augment_count, others["seed"])
    folder = common.free_name(Path("translation-run")) if run is None else run
    with stop_on_interrupt() as stop:
        events = train_engine(low, high, settings, folder, budget, stop)
        follow_to_end(events, TRANSLATION)


@app.command("resume")
@with_options
def resume(
    *,
    run: options.RunArgument,
    budget: options.BudgetOptions,
    changes: Annotated[list[str] | None, safe_changes_of(TranslationEngine)] = None,
    device: options.OtherDevice = None,
) -> None:
    """Go on with a training from its last checkpoint."""
    resume_run(TRANSLATION, run, budget, changes, device)


@app.command("apply")
def apply(
    run: options.RunArgument,
    low_res: Annotated[
        Path, typer.Option("--low-res", metavar="F", help="Image or volume to translate.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", metavar="F.tif|F.zarr", help="Where to write."),
    ],
    axis: Annotated[
        str, typer.Option("--axis", metavar="z|y|x", help="The slices are normal to it.")
    ] = "z",
    seed: options.NoiseSeed = 0,
    realisations: Annotated[
        int, typer.Option("--realisations", metavar="K", help="Results that differ in noise.")
    ] = 1,
    tile: options.Tile = None,
    checkpoint: options.Checkpoint = "best",
    device: options.Device = "auto",
) -> None:
    """Translate an image or a whole volume, slice by slice, straight to disk."""
    from napari_superres.data.files.images import read_stack
    from napari_superres.translation.apply import translate

    if axis not in ("z", "y", "x"):
        raise SettingsError(f"--axis is {axis!r}.", "One of z, y and x is needed.")
    if realisations < 1:
        raise SettingsError(f"{realisations} realisations are asked for.", "At least 1 is needed.")
    volume, voxel_size = read_stack(low_res)
    with stop_on_interrupt() as stop:
        for index in range(realisations):
            target = output
            if realisations > 1:
                target = output.with_name(f"{output.stem}-{index + 1}{output.suffix}")
            events = translate(
                run, volume, target, "zyx".index(axis), seed + index, tile, checkpoint, device,
                voxel_size, stop,
            )  # fmt: skip
            stopped = f"Stopped before {target} was whole; the same command goes on with it."
            generate_to_end(events, f"translating {target.name}", stopped)
            typer.echo(f"translated: {target}")
