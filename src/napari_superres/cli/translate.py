"""`translate train`, `resume` and `apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import common, values
from napari_superres.cli.common import INTERRUPTED, stop_on_interrupt
from napari_superres.cli.progress import follow_generation
from napari_superres.config import Budget, GenerationSettings, validated
from napari_superres.errors import SettingsError
from napari_superres.events import FinishReason
from napari_superres.translation.settings import (
    TRANSLATION_PRESETS,
    TranslationEngine,
    TranslationPreset,
    TranslationSettings,
)

app = typer.Typer(
    help="Translate low-res images to the high-res domain, unpaired: train, resume, apply.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
setting = values.setting
NEXT = "apply {run} --low-res volume.tif --output translated.tif"
FILES = ".tif (a stack or volume counts as many), .npy, .png or .jpg files."


@app.command("train")
def train(
    low_res: Annotated[
        list[Path],
        typer.Option("--low-res-images", metavar="F...", help=f"Low-res images: {FILES}"),
    ],
    high_res: Annotated[
        list[Path],
        typer.Option("--high-res-images", metavar="F...", help=f"High-res images: {FILES}"),
    ],
    scale_factor: Annotated[
        int, setting(TranslationSettings, "scale_factor", "--scale-factor", "S")
    ] = 4,
    augment_with: values.AugmentWith = None,
    augment_count: values.AugmentCount = 64,
    segmented: common.Segmented = None,
    directed: Annotated[bool, setting(TranslationSettings, "directed", "--directed")] = False,
    preset: Annotated[
        TranslationPreset, setting(TranslationSettings, "preset", "--preset")
    ] = TranslationPreset.QUICK,
    device: values.Device = "auto",
    seed: values.Seed = 0,
    minutes: values.Minutes = None,
    steps: values.Steps = None,
    run: common.RunFolderOption = None,
    changes: Annotated[list[str] | None, values.dials(TranslationEngine.model_fields)] = None,
) -> None:
    """Train a translation on low-res and high-res images that need not show the same place."""
    engine = TRANSLATION_PRESETS[preset].replace(**values.parse_changes(changes, TranslationEngine))
    settings = validated(
        TranslationSettings,
        {
            "scale_factor": scale_factor,
            "directed": directed,
            "preset": preset,
            "device": device,
            "seed": seed,
            "engine": engine,
        },
    )
    budget = validated(Budget, {"minutes": minutes, "steps": steps})
    from napari_superres.data.files.images import read_images
    from napari_superres.translation.training import train as train_engine

    low, high = read_images(low_res, segmented), read_images(high_res, segmented)
    if augment_with is not None:
        from napari_superres.synthesis.link import images_with_synthetic

        high = images_with_synthetic(high, augment_with, augment_count, seed)
    folder = common.free_name(Path("translation-run")) if run is None else run
    with stop_on_interrupt() as stop:
        events = train_engine(low, high, settings, folder, budget, stop)
        common.follow_to_end(events, "translate", NEXT)


@app.command("resume")
def resume(
    run: common.RunArgument,
    minutes: values.Minutes = None,
    steps: values.Steps = None,
    changes: common.BatchChange = None,
    device: values.OtherDevice = None,
) -> None:
    """Go on with a training from its last checkpoint."""
    from napari_superres.translation.training import resume as resume_engine

    budget = validated(Budget, {"minutes": minutes, "steps": steps})
    changed = values.parse_changes(changes, TranslationEngine)
    with stop_on_interrupt() as stop:
        events = resume_engine(run, budget, stop, changed, device)
        common.follow_to_end(events, "translate", NEXT)


@app.command("apply")
def apply(
    run: common.RunArgument,
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
    seed: values.NoiseSeed = 0,
    realisations: Annotated[
        int, typer.Option("--realisations", metavar="K", help="Results that differ in noise.")
    ] = 1,
    tile: values.Tile = None,
    checkpoint: Annotated[
        str, setting(GenerationSettings, "checkpoint", "--checkpoint", "NAME")
    ] = "best",
    device: values.Device = "auto",
) -> None:
    """Translate an image or a whole volume, slice by slice, straight to disk."""
    from napari_superres.data.files.images import read_stack
    from napari_superres.translation.apply import translate_to

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
            events = translate_to(
                run, volume, target, "zyx".index(axis), seed + index, tile, checkpoint, device,
                voxel_size, stop,
            )  # fmt: skip
            finished = follow_generation(events, f"translating {target.name}")
            if finished.reason is FinishReason.STOPPED:
                raise typer.Exit(INTERRUPTED)
            typer.echo(f"translated: {target}")
