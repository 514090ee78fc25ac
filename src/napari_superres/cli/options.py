"""What a user may write after a command; `values.py` reads it.

Help texts come from the settings' own descriptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from napari_superres.config import (
    SAFE_TO_CHANGE,
    Budget,
    EngineSettings,
    GenerationSettings,
    ImagingModel,
    Preset,
    TrainingSettings,
    describe,
)


def setting(model: type[BaseModel], name: str, flag: str, metavar: str | None = None) -> Any:
    """Return the option of one setting, helped by its description."""
    return typer.Option(flag, metavar=metavar, help=help_of(model, name))


def help_of(model: type[BaseModel], name: str) -> str:
    """Return a setting's description; a field left empty in a form is an option left out."""
    return describe(model, name).replace("empty", "left out")


def dials(names: Iterable[str], what: str = "Change one dial of the preset") -> Any:
    """Return the option --set of the settings of these names."""
    told = f"{what}; may be repeated. Names: {', '.join(names)}."
    return typer.Option("--set", metavar="NAME=VALUE", help=told)


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
Imaging = Annotated[ImagingModel, setting(TrainingSettings, "imaging", "--imaging")]
OneSided = Annotated[
    list[int] | None, setting(TrainingSettings, "one_sided", "--one-sided", "VALUE")
]
Anisotropic = Annotated[bool, setting(TrainingSettings, "anisotropic", "--anisotropic")]
BlurKernel = Annotated[int | None, setting(TrainingSettings, "blur_kernel", "--blur-kernel", "N")]
BlurSd = Annotated[float | None, setting(TrainingSettings, "blur_sd", "--blur-sd", "X")]
Rotations = Annotated[str, setting(TrainingSettings, "rotations", "--rotations", "AXES")]
Mirrors = Annotated[str, setting(TrainingSettings, "mirrors", "--mirrors", "AXES")]
WarmStart = Annotated[str | None, setting(TrainingSettings, "warm_start", "--warm-start", "RUN")]
PresetName = Annotated[Preset, setting(TrainingSettings, "preset", "--preset")]
Device = Annotated[str, setting(TrainingSettings, "device", "--device", "NAME")]
Seed = Annotated[int, setting(TrainingSettings, "seed", "--seed", "N")]
NoiseSeed = Annotated[int, setting(GenerationSettings, "seed", "--seed", "N")]
EngineChanges = Annotated[list[str] | None, dials(EngineSettings.model_fields)]
SafeChanges = Annotated[list[str] | None, dials(SAFE_TO_CHANGE, "Change a setting from here on")]
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
Minutes = Annotated[float | None, setting(Budget, "minutes", "--minutes", "M")]
Steps = Annotated[int | None, setting(Budget, "steps", "--steps", "N")]
Tile = Annotated[int | None, setting(GenerationSettings, "tile", "--tile", "N")]
Checkpoint = Annotated[str, setting(GenerationSettings, "checkpoint", "--checkpoint", "NAME")]
CropBorder = Annotated[bool, setting(GenerationSettings, "crop_border", "--crop-border")]
Precision = Annotated[str, setting(GenerationSettings, "precision", "--precision", "NAME")]
PeriodicText = Annotated[
    str | None,
    typer.Option(
        "--periodic",
        metavar="AXES",
        help="Axes, such as z or x,y, along which the noise repeats with the size of what is "
        "generated: features that come from noise become periodic.",
    ),
]
HeldRegionText = Annotated[
    str | None,
    typer.Option(
        "--held-region",
        metavar="z0:z1,y0:y1,x0:x1",
        help="Part, in low-res voxels, half open, whose noise stays that of --held-seed whatever "
        "--seed is.",
    ),
]
HeldSeed = Annotated[int, setting(GenerationSettings, "held_seed", "--held-seed", "N")]
RegionText = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="z0:z1,y0:y1,x0:x1",
        help=help_of(GenerationSettings, "region"),
    ),
]
