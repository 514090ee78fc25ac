"""What a user may write after a command, and how it is read.

Help texts come from the settings' own descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import OutputError, SettingsError

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def setting(model: type[BaseModel], name: str, flag: str, metavar: str | None = None) -> Any:
    """Return the option of one setting, helped by its description."""
    return typer.Option(flag, metavar=metavar, help=help_of(model, name))


def help_of(model: type[BaseModel], name: str) -> str:
    """Return a setting's description; a field left empty in a form is an option left out."""
    return describe(model, name).replace("empty", "left out")


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
EngineChanges = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change one dial of the preset; may be repeated. Names: "
        + ", ".join(EngineSettings.model_fields)
        + ".",
    ),
]
SafeChanges = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a setting from here on; may be repeated. Names: "
        + ", ".join(SAFE_TO_CHANGE)
        + ".",
    ),
]
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


def parse_pairs(text: str, option: str) -> dict[int, int]:
    """Read pairs of label values such as ``0:0,1:1,2:0``.

    Raises
    ------
    SettingsError
        When it is not made of such pairs, or a value has two.
    """
    pairs: dict[int, int] = {}
    for part in text.split(","):
        left, colon, right = part.strip().partition(":")
        if not (colon and left.strip().isdecimal() and right.strip().isdecimal()):
            raise SettingsError(
                f"{option} has the part {part!r}.",
                "Pairs of label values are needed.",
                f"Write for example {option} 0:0,1:1,2:0.",
            )
        if int(left) in pairs:
            raise SettingsError(
                f"{option} names the value {int(left)} twice.", "One pair a value is needed."
            )
        pairs[int(left)] = int(right)
    return pairs


def parse_axes(text: str | None) -> tuple[int, ...]:
    """Read axes such as ``z`` or ``x,y`` as their numbers, 0 for z.

    Raises
    ------
    SettingsError
        When it names something else.
    """
    names = [name.strip().lower() for name in (text or "").split(",") if name.strip()]
    if not set(names) <= set("zyx"):
        raise SettingsError(
            f"--periodic is {text!r}.", "Axes are needed.", "Write for example --periodic z,x."
        )
    return tuple(sorted({"zyx".index(name) for name in names}))


def parse_region(text: str | None, option: str = "--region") -> Region | None:
    """Read a region such as ``0:16,8:24,0:32``, in low-res voxels, half open, zyx.

    Raises
    ------
    SettingsError
        When it is not three ranges.
    """
    if text is None:
        return None
    try:
        z, y, x = (_parse_range(part) for part in text.split(","))
    except ValueError as error:
        raise SettingsError(
            f"{option} is {text!r}.",
            "Three ranges of low-res voxels along z, y, x are needed.",
            f"Write for example {option} 0:16,8:24,0:32.",
        ) from error
    return z, y, x


def _parse_range(text: str) -> tuple[int, int]:
    start, stop = (int(end) for end in text.split(":"))
    if not 0 <= start < stop:
        raise ValueError(text)
    return start, stop


def parse_voxel_size(text: str | None) -> VoxelSize | None:
    """Read a voxel size in µm: one number, or three along z, y, x.

    Raises
    ------
    SettingsError
        When it is not one or three positive numbers.
    """
    if text is None:
        return None
    try:
        sizes = [float(part) for part in text.split(",")]
        z, y, x = sizes * 3 if len(sizes) == 1 else sizes
        if not all(0 < size < float("inf") for size in (z, y, x)):
            raise ValueError(text)
    except ValueError as error:
        raise SettingsError(
            f"--voxel-size is {text!r}.",
            "One positive number in µm, or three along z, y, x, are needed.",
            "Write for example --voxel-size 0.4.",
        ) from error
    return z, y, x


def parse_changes(changes: Sequence[str] | None) -> dict[str, Any]:
    """Read ``name=value`` pairs; values are JSON where they can be.

    Raises
    ------
    SettingsError
        When there is no name of an engine setting before the equals sign.
    """
    values: dict[str, Any] = {}
    for change in changes or ():
        name, equals, text = change.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in EngineSettings.model_fields:
            raise SettingsError(
                f"--set has {change!r}.",
                "NAME=VALUE is needed, with one of the names "
                + ", ".join(EngineSettings.model_fields)
                + ".",
            )
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def free_name(path: Path) -> Path:
    """Return `path`, or the first of path-2, path-3 … that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def write_text(path: Path, text: str) -> None:
    """Write a small text file, its folder included.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            action="Choose another place.",
        ) from error
