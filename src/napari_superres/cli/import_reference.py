"""`import-reference`: a generator trained with the reference code becomes a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import options, values
from napari_superres.cli.pair import choose_phase_map
from napari_superres.config import ImagingModel
from napari_superres.data.pair import Pair


def import_reference(
    weights: Annotated[
        Path,
        typer.Argument(
            metavar="WEIGHTS.pt",
            help="Generator's state dict, as the paper's reference code saves it.",
        ),
    ],
    low_res: options.LowResFile,
    scale_factor: Annotated[
        str,
        typer.Option(
            "--scale-factor", metavar="S", help="The one that the generator was trained for."
        ),
    ],
    run: Annotated[
        Path, typer.Option("--run", metavar="DIR", help="Folder for the run; new or empty.")
    ],
    phase_map: options.PhaseMapText = None,
    high_res: Annotated[
        list[Path] | None,
        typer.Option(
            "--high-res",
            metavar="F...",
            help="The slices that it was trained with, to measure against; may be left out.",
        ),
    ] = None,
    anisotropic: options.Anisotropic = False,
    imaging: options.Imaging = ImagingModel.BLURRED,
    residual_blocks: Annotated[
        int,
        typer.Option(
            "--residual-blocks", min=1, metavar="N", help="Residual blocks that the network runs."
        ),
    ] = 1,
    voxel_size: options.VoxelSizeText = None,
) -> None:
    """Make a run of a generator that the paper's reference code trained.

    The run generates like any other. It holds no discriminator, so it cannot be resumed.
    """
    from napari_superres.data.files.segmented import read_slices, read_volume
    from napari_superres.fusion.networks.reference import import_reference_generator

    volume = read_volume(low_res)
    if voxel_size is not None:
        volume = replace(volume, voxel_size=values.parse_voxel_size(voxel_size))
    slices = read_slices(high_res, anisotropic=anisotropic) if high_res else None
    if slices is None and phase_map is None:
        pairs = {phase.value: phase.value for phase in volume.phases}
    elif slices is None:
        pairs = values.parse_pairs(str(phase_map), "--phase-map")
    else:
        pairs = choose_phase_map(phase_map, Pair(volume, slices))
    made = import_reference_generator(
        weights, volume, scale_factor, pairs, run, slices, imaging, residual_blocks
    )
    typer.echo(
        f"The run is in {made.path}\n  generate: napari-superres generate {made.path}",
    )
