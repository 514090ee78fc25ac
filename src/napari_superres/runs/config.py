"""What config.json of a run folder holds, and how any kind of run reads it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

import napari_superres
from napari_superres.config import FrozenModel, TrainingSettings
from napari_superres.data.files.reading import read_small_text
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import LARGEST, SMALLEST
from napari_superres.errors import RunFolderError

FORMAT_VERSION = 1
CONFIG = "config.json"
FUSION = "fusion"
PACKAGE = "napari-superres-fusion"
Length = Annotated[float, Field(ge=SMALLEST, le=LARGEST)]
_Config = TypeVar("_Config", bound=FrozenModel)


class EngineChange(FrozenModel):
    """Engine settings that were changed when a run was resumed."""

    step: int
    before: dict[str, Any]
    after: dict[str, Any]


class RunConfig(FrozenModel):
    """What config.json of a fusion holds."""

    format_version: int
    created: str
    settings: TrainingSettings
    low_res_name: str
    low_res_phases: tuple[Phase, ...]
    low_res_voxel_size: tuple[Length, Length, Length] | None
    high_res_name: str
    high_res_phases: tuple[Phase, ...]
    high_res_voxel_size: tuple[Length, Length, Length] | None
    high_res_images: tuple[int, ...]
    versions: dict[str, str]
    input_hashes: dict[str, str]
    changes: tuple[EngineChange, ...] = ()


class ImageSetInfo(FrozenModel):
    """What config.json says of a set of images."""

    name: str
    images: int
    phases: tuple[Phase, ...]
    pixel_size: Length | None
    hashes: tuple[str, ...]


class ImageRunConfig(FrozenModel):
    """What config.json of a run that learns from images holds; its kind reads `settings`."""

    format_version: int
    kind: str
    created: str
    settings: dict[str, Any]
    inputs: dict[str, ImageSetInfo]
    versions: dict[str, str]
    changes: tuple[EngineChange, ...] = ()


def versions() -> dict[str, str]:
    """Return the versions of the packages that shape a run."""
    found = {PACKAGE: napari_superres.__version__}
    for name in ("torch", "numpy"):
        found[name] = metadata.version(name)
    return found


def read_config(folder: Path, model: type[_Config], kind: str | None) -> _Config:
    """Return what config.json of a run holds.

    Parameters
    ----------
    folder : of the run
    model : what it should hold
    kind : of run; None for any

    Raises
    ------
    RunFolderError
        It is no run, of another kind or version, or damaged.
    """
    text, values = _read(folder)
    found = _kind(values)
    if kind is not None and found != kind:
        raise RunFolderError(f"The run {folder} is one of {found}.", f"A run of {kind} is needed.")
    if values.get("format_version") != FORMAT_VERSION:
        raise RunFolderError(
            f"The run {folder} has format version {values.get('format_version')!r}.",
            f"This version of the program reads version {FORMAT_VERSION}.",
            "Use the program's version that made the run, or train again.",
        )
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        known = values.get("versions")
        made_by = known.get(PACKAGE) if isinstance(known, dict) else "an unknown version"
        raise RunFolderError(
            f"{folder / CONFIG} does not fit: {first_problem(error)}. It was made by {made_by}.",
            f"This is version {napari_superres.__version__}.",
            "Use the version that made the run, or restore the file from a copy.",
        ) from error


def kind_if_run(path: str | Path) -> str:
    """Return "fusion", "synthesis" or "translation"; "" where no run can be read."""
    try:
        return _kind(_read(Path(path))[1])
    except RunFolderError:
        return ""


def first_problem(error: ValidationError) -> str:
    """Return where the first value that does not fit stands, and why it does not."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"


def _read(folder: Path) -> tuple[str, dict[str, Any]]:
    file = folder / CONFIG
    try:
        text = read_small_text(file)
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(
            f"{folder} is no run folder: it has no readable config.json.",
            "A folder made by a training is needed.",
        ) from error
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        raise RunFolderError(
            f"{file} is damaged: it is no JSON object.", "", "Restore it from a copy."
        ) from error
    return text, values


def _kind(values: dict[str, Any]) -> str:
    return str(values.get("kind", FUSION))  # a fusion's config.json names no kind
