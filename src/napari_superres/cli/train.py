"""`train` and `resume`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import options, results, values
from napari_superres.cli.interrupt import stop_on_interrupt
from napari_superres.cli.progress import clock, follow_training
from napari_superres.config import (
    PRESETS,
    Budget,
    ImagingModel,
    Preset,
    TrainingSettings,
    validated,
)
from napari_superres.data.phases import default_phase_map
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, ScaleFactorError
from napari_superres.events import FinishReason, TrainingEvent
from napari_superres.scale_factor import (
    ScaleFactor,
    format_scale_factor,
    parse_scale_factor,
    scale_factor_from_voxel_sizes,
)

INTERRUPTED = 130
HOW_IT_ENDED = {
    FinishReason.COMPLETED: "Done",
    FinishReason.STOPPED: "Stopped",
    FinishReason.SETTLED: "No better measurement for as long as the setting patience says: ended",
}


def train(
    low_res: options.LowResFile,
    high_res: options.HighResFiles,
    scale_factor: options.ScaleFactorText = None,
    phase_map: options.PhaseMapText = None,
    imaging: options.Imaging = ImagingModel.BLURRED,
    one_sided: options.OneSided = None,
    anisotropic: options.Anisotropic = False,
    rotations: options.Rotations = "auto",
    mirrors: options.Mirrors = "auto",
    blur_kernel: options.BlurKernel = None,
    blur_sd: options.BlurSd = None,
    preset: options.PresetName = Preset.QUICK,
    device: options.Device = "auto",
    seed: options.Seed = 0,
    minutes: options.Minutes = None,
    steps: options.Steps = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            metavar="DIR",
            help="Folder for the run; new or empty. Left out: superres-run, superres-run-2, …",
        ),
    ] = None,
    voxel_size: options.VoxelSizeText = None,
    augment_with: options.AugmentWith = None,
    augment_count: options.AugmentCount = 64,
    warm_start: options.WarmStart = None,
    changes: options.EngineChanges = None,
) -> None:
    """Train a generator on a low-res volume and high-res slices.

    Without --minutes or --steps it trains until Ctrl-C. However it ends, what was
    learnt is in the run folder, with copies of the inputs.
    """
    volume, slices, factor = read_pair(low_res, high_res, anisotropic, scale_factor, voxel_size)
    if augment_with is not None:
        from napari_superres.synthesis.link import with_synthetic

        slices = with_synthetic(slices, augment_with, augment_count, seed)
    settings = validated(
        TrainingSettings,
        {
            "scale_factor": factor,
            "phase_map": choose_phase_map(phase_map, volume, slices),
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
            "engine": PRESETS[preset].replace(**values.parse_changes(changes)),
        },
    )
    budget = validated(Budget, {"minutes": minutes, "steps": steps})
    known = show_inputs(volume, slices, settings)
    if minutes is None and steps is None:
        typer.echo("No --minutes or --steps: training until Ctrl-C.")
    from napari_superres.fusion.training import train as train_engine  # torch is slow to load

    folder = results.free_name(Path("superres-run")) if run is None else run
    with stop_on_interrupt() as stop:
        events = train_engine(volume, slices, settings, folder, budget, stop)
        follow_to_end(events, known)


def read_pair(
    low_res: Path,
    high_res: list[Path],
    anisotropic: bool,
    scale_factor: str | None,
    voxel_size: str | None,
) -> tuple[SegmentedVolume, SegmentedSlices, ScaleFactor]:
    """Read the inputs; what one of them does not tell of sizes comes from the other."""
    from napari_superres.data.files import read_slices, read_volume

    volume = read_volume(low_res)
    slices = read_slices(high_res, anisotropic=anisotropic)
    if voxel_size is not None:
        volume = replace(volume, voxel_size=values.parse_voxel_size(voxel_size))
    factor = choose_scale_factor(scale_factor, volume, slices)
    return with_voxel_size(volume, slices, factor), slices, factor


def show_inputs(
    volume: SegmentedVolume, slices: SegmentedSlices, settings: TrainingSettings
) -> list[str]:
    """Print what goes into a training and what should be known of it; return the latter."""
    from napari_superres.data.checks import check_inputs

    typer.echo(describe_inputs(volume, slices, settings))
    findings = check_inputs(volume, slices, settings).findings
    for finding in findings:
        typer.echo(f"{finding.level}: {finding.text}")
    return [finding.text for finding in findings]


def resume(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder to go on with.")],
    minutes: options.Minutes = None,
    steps: options.Steps = None,
    changes: options.SafeChanges = None,
    device: options.OtherDevice = None,
) -> None:
    """Go on with a training from its last checkpoint."""
    from napari_superres.cli import synthesise, translate
    from napari_superres.fusion.training import resume as resume_engine
    from napari_superres.runs.checkpoints import check_can_train
    from napari_superres.runs.image_run import kind_if_run

    others = {"synthesis": synthesise.resume, "translation": translate.resume}
    if (kind := kind_if_run(run)) in others:
        others[kind](run, minutes, steps)
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
    run = finished.run_folder
    stopped = finished.reason is FinishReason.STOPPED
    typer.echo(
        f"{HOW_IT_ENDED[finished.reason]} at step {finished.step}, "
        f"{clock(finished.elapsed_s)} trained; the run is in {run}\n"
        f"  go on:    napari-superres resume {run}\n"
        f"  generate: napari-superres generate {run}"
    )
    if stopped:
        raise typer.Exit(INTERRUPTED)


def choose_scale_factor(
    text: str | None, volume: SegmentedVolume, slices: SegmentedSlices
) -> ScaleFactor:
    """Return the scale factor asked for, else the one that the voxel sizes imply.

    Raises
    ------
    ScaleFactorError
        When none is given and a voxel size is unknown, or it is out of range.
    """
    if text is not None:
        return parse_scale_factor(text)
    unknown = [item.name for item in (volume, slices) if item.voxel_size is None]
    if volume.voxel_size is None or slices.voxel_size is None:
        raise ScaleFactorError(
            f"No --scale-factor is given, and {' and '.join(unknown)} "
            f"{'carry' if len(unknown) > 1 else 'carries'} no voxel size.",
            "It is the low-res voxel size divided by the high-res voxel size.",
            "Write for example --scale-factor 4.",
        )
    return scale_factor_from_voxel_sizes(volume.voxel_size, slices.voxel_size)


def with_voxel_size(
    volume: SegmentedVolume, slices: SegmentedSlices, scale_factor: ScaleFactor
) -> SegmentedVolume:
    """Return a volume without a voxel size with the one that the slices imply."""
    if volume.voxel_size is not None or slices.voxel_size is None:
        return volume
    z, y, x = (
        float(factor) * size for factor, size in zip(scale_factor, slices.voxel_size, strict=True)
    )
    return replace(volume, voxel_size=(z, y, x))


def choose_phase_map(
    text: str | None, volume: SegmentedVolume, slices: SegmentedSlices
) -> dict[int, int]:
    """Return the phase map asked for, else the one by equal label values.

    Raises
    ------
    PhaseError
        When none is given and a high-res value is not among the low-res values.
    """
    if text is not None:
        return values.parse_pairs(text, "--phase-map")
    by_value = default_phase_map(slices.phases, volume.phases)
    if by_value is not None:
        return by_value
    high = [phase.value for phase in slices.phases]
    low = [phase.value for phase in volume.phases]
    example = ",".join(f"{value}:{value if value in low else low[0]}" for value in high)
    raise PhaseError(
        f"No --phase-map is given, and the high-res values {_listed(high)} are not all among "
        f"the low-res values {_listed(low)}.",
        "Each high-res value needs the low-res value it belongs to.",
        f"Write for example --phase-map {example}.",
    )


def describe_inputs(
    volume: SegmentedVolume, slices: SegmentedSlices, settings: TrainingSettings
) -> str:
    """Return three lines on what goes into a training."""
    images = [image for one_set in slices.sets for image in one_set]
    sizes = sorted({" × ".join(map(str, image.shape)) for image in images})
    pairs = ", ".join(f"{high}:{low}" for high, low in settings.phase_map.items())
    return (
        f"low-res   {volume.name}: {' × '.join(map(str, volume.shape))} voxels, "
        f"values {_listed([phase.value for phase in volume.phases])}\n"
        f"high-res  {slices.name}: {len(images)} of {', '.join(sizes)} pixels, "
        f"values {_listed([phase.value for phase in slices.phases])}\n"
        f"scale factor {format_scale_factor(settings.scale_factor)}, {settings.imaging} imaging, "
        f"phase map {pairs}, preset {settings.preset}, seed {settings.seed}"
    )


def _listed(values: list[int]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"
