"""`train` and `resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import common, options, values
from napari_superres.cli.common import KINDS, follow_to_end, resume_run, stop_on_interrupt
from napari_superres.cli.fields import Fields, Given, dials_of, safe_changes_of, with_options
from napari_superres.cli.options import PAIR_OPTIONS
from napari_superres.cli.pair import choose_phase_map, read_pair, show_inputs, with_phase_names
from napari_superres.cli.settings_file import read_settings_file, take_settings_file
from napari_superres.config import (
    PRESETS,
    Budget,
    EngineSettings,
    TrainingSettings,
    validated,
)
from napari_superres.data.pair import Pair
from napari_superres.runs.config import FUSION, kind_if_run


@with_options
def train(
    *,
    low_res: options.LowResFile,
    high_res: options.HighResFiles,
    asked: Annotated[Given, Fields(TrainingSettings, declared=PAIR_OPTIONS)],
    budget: options.BudgetOptions,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            metavar="DIR",
            help="Folder for the run; new or empty. Left out: superres-run, superres-run-2, …",
        ),
    ] = None,
    voxel_size: options.VoxelSizeText = None,
    phase_names: options.PhaseNamesText = None,
    augment_with: options.AugmentWith = None,
    augment_count: options.AugmentCount = 64,
    start: Annotated[Given, Fields(TrainingSettings, ("warm_start",))],
    changes: Annotated[list[str] | None, dials_of(EngineSettings)] = None,
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

    Without --minutes or --steps it trains until Ctrl-C. However it ends, the
    weights are in the run folder, with copies of the inputs.
    """
    pair, factor = read_pair(
        low_res, high_res, asked["anisotropic"], asked.get("scale_factor"), voxel_size
    )
    if augment_with is not None:
        from napari_superres.synthesis.link import with_synthetic

        slices = with_synthetic(pair.high_res, augment_with, augment_count, asked["seed"])
        pair = Pair(pair.low_res, slices)
    pairs = choose_phase_map(asked.get("phase_map"), pair)
    pair = with_phase_names(pair, pairs, phase_names)
    dials = {} if settings_file is None else read_settings_file(settings_file).engine
    engine = PRESETS[asked["preset"]].replace(**{**dials, **values.parse_changes(changes)})
    own = {"scale_factor": factor, "phase_map": pairs, "engine": engine}
    settings = validated(TrainingSettings, asked | start | own)
    report = show_inputs(pair, settings)
    if budget == Budget():
        typer.echo("No --minutes or --steps: training until Ctrl-C.")
    from napari_superres.fusion.training import train as train_engine  # torch is slow to load

    folder = common.free_name(Path("superres-run")) if run is None else run
    with stop_on_interrupt() as stop:
        events = train_engine(pair, settings, folder, budget, stop, report)
        follow_to_end(events, FUSION)


@with_options
def resume(
    *,
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder to go on with.")],
    budget: options.BudgetOptions,
    changes: Annotated[list[str] | None, safe_changes_of(EngineSettings)] = None,
    device: options.OtherDevice = None,
) -> None:
    """Go on with a training from its last checkpoint."""
    resume_run(KINDS.get(kind_if_run(run), FUSION), run, budget, changes, device)
