"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli.fields import Fields, setting
from napari_superres.config import (
    Budget,
    GenerationSettings,
    ImagingModel,
    TrainingSettings,
    describe,
)

BudgetOptions = Annotated[Budget, Fields(Budget)]
LowResFile = Annotated[
    Path,
    typer.Option(
        "--low-res", metavar="F", help="Segmented low-res volume: a .tif, .npy or .zarr file."
    ),
]
HighResFiles = Annotated[
    list[Path],
    typer.Option(
        "--high-res",
        metavar="F...",
        help="Segmented high-res slices: one file or more (a stack counts as many slices), or "
        "three in zyx order with --anisotropic.",
    ),
]
ScaleFactorText = Annotated[
    str | None,
    typer.Option(
        "--scale-factor",
        metavar="S",
        help=describe(TrainingSettings, "scale_factor")
        + " May be left out when both files carry their voxel size.",
    ),
]
PhaseMapText = Annotated[
    str | None,
    typer.Option(
        "--phase-map",
        metavar="HR:LR,...",
        help=describe(TrainingSettings, "phase_map") + " Left out, equal values belong together.",
    ),
]
PAIR_OPTIONS = {"scale_factor": ScaleFactorText, "phase_map": PhaseMapText}
"""Settings that are given as text, or follow from the files."""
Imaging = Annotated[ImagingModel, setting(TrainingSettings, "imaging")]
Anisotropic = Annotated[bool, setting(TrainingSettings, "anisotropic")]
BlurKernel = Annotated[int | None, setting(TrainingSettings, "blur_kernel")]
BlurSd = Annotated[float | None, setting(TrainingSettings, "blur_sd")]
Device = Annotated[str, setting(TrainingSettings, "device")]
NoiseSeed = Annotated[int, setting(GenerationSettings, "seed")]
OtherDevice = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="NAME", help="Another device than the run began on, such as cpu."
    ),
]
VoxelSizeText = Annotated[
    str | None,
    typer.Option(
        "--voxel-size",
        metavar="µm",
        help="Low-res voxel size in µm, where the file does not say: 0.4, or 0.4,0.2,0.2 (zyx).",
    ),
]
PhaseNamesText = Annotated[
    str | None,
    typer.Option(
        "--phase-names",
        metavar="HR:NAME,...",
        help="Names of the high-res values, such as 0:pore,1:nickel; the low-res phases take those "
        "of the high-res phases that belong to them.",
    ),
]
AugmentWith = Annotated[
    Path | None,
    typer.Option(
        "--augment-with",
        metavar="RUN",
        help="Run of synthesis whose images join the high-res slices.",
    ),
]
AugmentCount = Annotated[
    int, typer.Option("--augment-count", metavar="N", help="How many images of --augment-with.")
]
Tile = Annotated[int | None, setting(GenerationSettings, "tile")]
Checkpoint = Annotated[str, setting(GenerationSettings, "checkpoint")]
ImageFiles = Annotated[
    list[Path],
    typer.Option(
        "--images",
        metavar="F...",
        help="Real images: .tif (a stack counts as many), .npy, .png or .jpg files.",
    ),
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")]
RunFolderOption = Annotated[
    Path | None,
    typer.Option("--run", metavar="DIR", help="Folder for the run; new or empty."),
]
Segmented = Annotated[
    bool | None,
    typer.Option(
        "--segmented/--grey",
        help="Whether the images hold phases or grey values; left out, up to 8 values are phases.",
    ),
]
