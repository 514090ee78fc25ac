"""Values of options that are more than one word: pairs, axes, regions, sizes, dials."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from napari_superres.config import (
    PRESETS,
    Budget,
    EngineSettings,
    GenerationSettings,
    ImagingModel,
    Preset,
    TrainingSettings,
    as_text,
    describe,
    from_text,
)
from napari_superres.data.volumes import LARGEST, SMALLEST, VoxelSize, is_length
from napari_superres.errors import FileError, SettingsError
from napari_superres.runs.config import FUSION

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


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


def parse_names(text: str, option: str) -> dict[int, str]:
    """Read names of label values such as ``0:pore,1:active material``.

    Raises
    ------
    SettingsError
        When it is not made of such pairs, or a value has two.
    """
    names: dict[int, str] = {}
    for part in text.split(","):
        value, _, name = (piece.strip() for piece in part.partition(":"))
        if not value.isdecimal() or not name or int(value) in names:
            raise SettingsError(
                f"{option} has the part {part!r}.",
                "A name for each label value is needed.",
                f"Write for example {option} '0:pore,1:active material'.",
            )
        names[int(value)] = name
    return names


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
        if not all(map(is_length, (z, y, x))):
            raise ValueError(text)
    except ValueError as error:
        raise SettingsError(
            f"--voxel-size is {text!r}.",
            f"One number in µm, or three along z, y, x, are needed, {SMALLEST:g} to {LARGEST:g}.",
            "Write for example --voxel-size 0.4.",
        ) from error
    return z, y, x


def parse_changes(
    changes: Sequence[str] | None, model: type[BaseModel] = EngineSettings
) -> dict[str, Any]:
    """Read ``name=value`` pairs of the settings of `model`.

    Raises
    ------
    SettingsError
        No name of a setting before the equals sign, or a value that it does not allow.
    """
    values: dict[str, Any] = {}
    for change in changes or ():
        name, equals, text = change.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in model.model_fields:
            raise SettingsError(
                f"--set has {change!r}.",
                f"NAME=VALUE is needed, with one of the names {', '.join(model.model_fields)}.",
            )
        values[name] = from_text(model, name, text)
    return values


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
SafeChanges = Annotated[
    list[str] | None, dials(EngineSettings.SAFE_TO_CHANGE, "Change a setting from here on")
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


FILES = ("low_res", "high_res", "run", "augment_with", "warm_start")
LISTS = ("high_res", "one_sided")
READERS = {".toml": tomllib.loads, ".json": json.loads}


@dataclass(frozen=True)
class SettingsFile:
    """What a file of settings holds.

    Attributes
    ----------
    options : values by the name of an option, as the command line would give them
    engine : what `--set` takes, by name
    """

    options: Mapping[str, Any]
    engine: Mapping[str, Any] = field(default_factory=dict)


def read_settings_file(path: Path, known: Collection[str] | None = None) -> SettingsFile:
    """Read options from a file.

    Parameters
    ----------
    path : .toml or .json
    known : names of options that there are; None not to check

    Raises
    ------
    FileError
        No such file, or not of these kinds.
    SettingsError
        A name that is no option, a variable that is not set.
    """
    found = _parsed(path)
    if "format_version" in found and isinstance(found.get("settings"), dict):
        return _of_run(found, path)
    written = {name.replace("-", "_"): value for name, value in found.items()}
    engine = written.pop("engine", {})
    dials = ", ".join(EngineSettings.model_fields)
    if not isinstance(engine, dict) or not set(engine) <= set(EngineSettings.model_fields):
        raise SettingsError(
            f"In {path.name} engine is {engine!r}.", f"A table is needed of {dials}."
        )
    unknown = sorted(set(written) - set(known)) if known is not None else []
    if unknown:
        raise SettingsError(
            f"{path.name} has {', '.join(unknown)}.",
            f"The names that there are: {', '.join([*sorted(known or ()), 'engine'])}.",
        )
    options = {name: _as_option(name, value, path) for name, value in written.items()}
    return SettingsFile(_without_none(options), engine)


def take_settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Make the values of a file the defaults of the command's other options."""
    if path is not None:
        known = {str(option.name) for option in context.command.params}
        found = read_settings_file(path, known - {"settings_file", "changes"})
        context.default_map = dict(found.options)
    return path


def _parsed(path: Path) -> dict[str, Any]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(f"{path} is of an unknown kind.", "A .toml or .json file is needed.")
    try:
        found = reader(path.read_text(encoding="utf-8-sig"))  # Windows' editors mark UTF-8
    except FileNotFoundError as error:
        raise FileError(f"There is no file {path}.", "", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {error}.", "", "Correct it.") from error
    if not isinstance(found, dict):
        raise FileError(f"{path} holds no settings by name.", "An object or table is needed.")
    return found


def _of_run(config: Mapping[str, Any], path: Path) -> SettingsFile:
    """Return a run's settings as options; of the engine what its preset has otherwise."""
    settings = config["settings"]
    kind, preset = config.get("kind", FUSION), settings.get("preset", Preset.QUICK)
    if kind != FUSION or preset not in list(Preset):
        raise SettingsError(
            f"{path} has the settings of a run of {kind}, of the preset {preset}.",
            f"Those of a run of {FUSION} are needed, of a preset that there is.",
        )
    options = {name: _as_given(name, value) for name, value in settings.items() if name != "engine"}
    known = PRESETS[Preset(preset)].model_dump(mode="json")
    engine = settings.get("engine") or {}
    changed = {name: value for name, value in engine.items() if known.get(name) != value}
    return SettingsFile(_without_none(options), changed)


def _as_option(name: str, value: Any, path: Path) -> Any:
    if value is None:
        return None
    if name in LISTS and not isinstance(value, list):
        value = [value]
    if name not in FILES:
        return _as_given(name, value)
    if isinstance(value, list):
        return [_placed(str(one), path) for one in value]
    return _placed(str(value), path)


def _as_given(name: str, value: Any) -> Any:
    """Return a value as the command line would give it: as text, several of an option as a list."""
    return value if name in LISTS or value is None or isinstance(value, bool) else as_text(value)


def _placed(text: str, path: Path) -> str:
    """Return a path of the file as one that holds from here."""
    full = os.path.expandvars(os.path.expanduser(text))
    if "$" in full:
        raise SettingsError(
            f"{path.name} names {text}, with a variable that is not set.",
            "",
            "Set it, or name the files on the command line.",
        )
    return str(path.parent / full)


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
