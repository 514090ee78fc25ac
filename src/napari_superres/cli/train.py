"""`train` and `resume`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import common, values
from napari_superres.cli.common import INTERRUPTED, stop_on_interrupt
from napari_superres.cli.pair import choose_phase_map, read_pair, show_inputs, with_phase_names
from napari_superres.cli.progress import clock, follow_training
from napari_superres.cli.values import read_settings_file, take_settings_file
from napari_superres.command_line import as_line
from napari_superres.config import (
    PRESETS,
    Budget,
    ImagingModel,
    Preset,
    TrainingSettings,
    validated,
)
from napari_superres.data.pair import Pair
from napari_superres.events import FinishReason, TrainingEvent

HOW_IT_ENDED = {
    FinishReason.COMPLETED: "Done",
    FinishReason.STOPPED: "Stopped",
    FinishReason.SETTLED: "No better measurement for as long as the setting patience says: ended",
}


def train(
    low_res: values.LowResFile,
    high_res: values.HighResFiles,
    scale_factor: values.ScaleFactorText = None,
    phase_map: values.PhaseMapText = None,
    imaging: values.Imaging = ImagingModel.BLURRED,
    one_sided: values.OneSided = None,
    anisotropic: values.Anisotropic = False,
    rotations: values.Rotations = "auto",
    mirrors: values.Mirrors = "auto",
    blur_kernel: values.BlurKernel = None,
    blur_sd: values.BlurSd = None,
    preset: values.PresetName = Preset.QUICK,
    device: values.Device = "auto",
    seed: values.Seed = 0,
    minutes: values.Minutes = None,
    steps: values.Steps = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            metavar="DIR",
            help="Folder for the run; new or empty. Left out: superres-run, superres-run-2, …",
        ),
    ] = None,
    voxel_size: values.VoxelSizeText = None,
    phase_names: values.PhaseNamesText = None,
    augment_with: values.AugmentWith = None,
    augment_count: values.AugmentCount = 64,
    warm_start: values.WarmStart = None,
    changes: values.EngineChanges = None,
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="F",
            is_eager=True,
            callback=take_settings_file,
            help="Take options from a .toml or .json file, or from the config.json of a run; what "
            "stands on the command line wins.",
        ),
    ] = None,
) -> None:
    """Train a generator on a low-res volume and high-res slices.

    Without --minutes or --steps it trains until Ctrl-C. However it ends, what was
    learnt is in the run folder, with copies of the inputs.
    """
    pair, factor = read_pair(low_res, high_res, anisotropic, scale_factor, voxel_size)
    if augment_with is not None:
        from napari_superres.synthesis.link import with_synthetic

        slices = with_synthetic(pair.high_res, augment_with, augment_count, seed)
        pair = Pair(pair.low_res, slices)
    pairs = choose_phase_map(phase_map, pair)
    pair = with_phase_names(pair, pairs, phase_names)
    dials = {} if settings_file is None else read_settings_file(settings_file).engine
    settings = validated(
        TrainingSettings,
        {
            "scale_factor": factor,
            "phase_map": pairs,
            "imaging": imaging,
            "one_sided": tuple(one_sided or ()),
            "anisotropic": anisotropic,
            "rotations": rotations,
            "mirrors": mirrors,
            "warm_start": warm_start,
            "blur_kernel": blur_kernel,
            "blur_sd": blur_sd,
            "preset": preset,
            "device": device,
            "seed": seed,
            "engine": PRESETS[preset].replace(**{**dials, **values.parse_changes(changes)}),
        },
    )
    budget = validated(Budget, {"minutes": minutes, "steps": steps})
    known = show_inputs(pair, settings)
    if minutes is None and steps is None:
        typer.echo("No --minutes or --steps: training until Ctrl-C.")
    from napari_superres.fusion.training import train as train_engine  # torch is slow to load

    folder = common.free_name(Path("superres-run")) if run is None else run
    with stop_on_interrupt() as stop:
        events = train_engine(pair, settings, folder, budget, stop)
        follow_to_end(events, known)


def resume(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder to go on with.")],
    minutes: values.Minutes = None,
    steps: values.Steps = None,
    changes: values.SafeChanges = None,
    device: values.OtherDevice = None,
) -> None:
    """Go on with a training from its last checkpoint."""
    from napari_superres.cli import synthesise, translate
    from napari_superres.fusion.training import resume as resume_engine
    from napari_superres.runs.checkpoints import check_can_train
    from napari_superres.runs.config import kind_if_run

    others = {"synthesis": synthesise.resume, "translation": translate.resume}
    if (kind := kind_if_run(run)) in others:
        others[kind](run, minutes, steps, changes, device)
        return
    check_can_train(run)
    budget = validated(Budget, {"minutes": minutes, "steps": steps})
    changed = values.parse_changes(changes)
    with stop_on_interrupt() as stop:
        follow_to_end(resume_engine(run, budget, stop, changed, device))


def follow_to_end(events: Iterator[TrainingEvent], known: Collection[str] = ()) -> None:
    """Show a training, say where it ended and what can be done next.

    Raises
    ------
    typer.Exit
        With status 130 when it was interrupted.
    """
    finished = follow_training(events, known)
    run, name = finished.run_folder, as_line([str(finished.run_folder)])
    stopped = finished.reason is FinishReason.STOPPED
    typer.echo(
        f"{HOW_IT_ENDED[finished.reason]} at step {finished.step}, "
        f"{clock(finished.elapsed_s)} trained; the run is in {run}\n"
        f"  go on:    napari-superres resume {name}\n"
        f"  generate: napari-superres generate {name}"
    )
    if stopped:
        raise typer.Exit(INTERRUPTED)
