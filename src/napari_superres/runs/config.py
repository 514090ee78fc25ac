"""What config.json of a run folder holds, and how any kind of run reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import Field, ValidationError

import napari_superres
from napari_superres.config import FrozenModel, TrainingSettings
from napari_superres.data.files.output import write_whole_text
from napari_superres.data.files.reading import read_small_text
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import LARGEST, SMALLEST
from napari_superres.errors import RunFolderError

FORMAT_VERSION = 1
CONFIG = "config.json"
PACKAGE = "napari-superres-fusion"
LOW_RES, HIGH_RES = "low_res", "high_res"
Length = Annotated[float, Field(ge=SMALLEST, le=LARGEST)]
VoxelSize = tuple[Length, Length, Length]
Settings = TypeVar("Settings", bound=FrozenModel)


@dataclass(frozen=True)
class Kind(Generic[Settings]):
    """A kind of run.

    Attributes
    ----------
    name : in config.json
    settings : their model; `engine.SAFE_TO_CHANGE` names what a resumed run may change
    """

    name: str
    settings: type[Settings]


FUSION = Kind("fusion", TrainingSettings)


@dataclass(frozen=True)
class KeptInput:
    """What config.json says of one input of a run.

    Attributes
    ----------
    name : of the file or layer that it was
    phases : empty for grey values
    voxel_size : µm, zyx; None where unknown
    sets : images in each set
    hashes : SHA-256 of the values, by the name of the file in inputs/
    """

    name: str
    phases: tuple[Phase, ...]
    voxel_size: tuple[float, float, float] | None
    sets: tuple[int, ...]
    hashes: Mapping[str, str]

    @property
    def pixel_size(self) -> float | None:
        """Side of a square pixel in µm; None where unknown."""
        return None if self.voxel_size is None else self.voxel_size[-1]


class EngineChange(FrozenModel):
    """Engine settings that were changed when a run was resumed."""

    step: int
    before: dict[str, Any]
    after: dict[str, Any]


class RunConfig(FrozenModel):
    """What config.json of any run holds; `settings` as its kind reads them."""

    format_version: int
    created: str
    settings: Any
    versions: dict[str, str]
    changes: tuple[EngineChange, ...] = ()

    def write(self, folder: Path) -> None:
        """Write config.json, whole or not at all."""
        write_whole_text(folder / CONFIG, self.model_dump_json(indent=2))


class FusionConfig(RunConfig):
    """config.json of a fusion: it names no kind."""

    kind: ClassVar[str] = FUSION.name
    settings: TrainingSettings
    low_res_name: str
    low_res_phases: tuple[Phase, ...]
    low_res_voxel_size: VoxelSize | None
    high_res_name: str
    high_res_phases: tuple[Phase, ...]
    high_res_voxel_size: VoxelSize | None
    high_res_images: tuple[int, ...]
    input_hashes: dict[str, str]

    @property
    def kept(self) -> dict[str, KeptInput]:
        """The inputs by role."""
        sets, hashes = self.high_res_images, self.input_hashes
        return {
            LOW_RES: KeptInput(
                self.low_res_name, self.low_res_phases, self.low_res_voxel_size, (1,), hashes
            ),
            HIGH_RES: KeptInput(
                self.high_res_name, self.high_res_phases, self.high_res_voxel_size, sets, hashes
            ),
        }


class ImageSetInfo(FrozenModel):
    """What config.json says of a set of images."""

    name: str
    images: int
    phases: tuple[Phase, ...]
    pixel_size: Length | None
    hashes: tuple[str, ...]


class ImagesConfig(RunConfig):
    """config.json of a run that learns from images."""

    kind: str
    settings: dict[str, Any]
    inputs: dict[str, ImageSetInfo]

    @property
    def kept(self) -> dict[str, KeptInput]:
        """The inputs by role."""
        return {
            role: KeptInput(
                info.name,
                info.phases,
                None if info.pixel_size is None else (info.pixel_size,) * 3,
                (info.images,),
                {image_file(role, index): known for index, known in enumerate(info.hashes)},
            )
            for role, info in self.inputs.items()
        }


def image_file(role: str, index: int) -> str:
    """Return the name of a kept image of a set."""
    return f"{role}-{index:04d}.tif"


def new_config(
    kind: str, settings: FrozenModel, kept: Mapping[str, KeptInput]
) -> FusionConfig | ImagesConfig:
    """Return what config.json of a new run holds."""
    common: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }
    if kind == FUSION.name:
        low_res, high_res = kept[LOW_RES], kept[HIGH_RES]
        return FusionConfig(
            **common,
            settings=settings,
            low_res_name=low_res.name,
            low_res_phases=low_res.phases,
            low_res_voxel_size=low_res.voxel_size,
            high_res_name=high_res.name,
            high_res_phases=high_res.phases,
            high_res_voxel_size=high_res.voxel_size,
            high_res_images=high_res.sets,
            input_hashes={**low_res.hashes, **high_res.hashes},
        )
    inputs = {
        role: ImageSetInfo(
            name=one.name,
            images=one.sets[0],
            phases=one.phases,
            pixel_size=None if one.voxel_size is None else one.voxel_size[0],
            hashes=tuple(one.hashes.values()),
        )
        for role, one in kept.items()
    }
    return ImagesConfig(
        **common, kind=kind, settings=settings.model_dump(mode="json"), inputs=inputs
    )


def versions() -> dict[str, str]:
    """Return the versions of the packages that shape a run."""
    found = {PACKAGE: napari_superres.__version__}
    for name in ("torch", "numpy"):
        found[name] = metadata.version(name)
    return found


def read_config(folder: Path, kind: str | None = None) -> FusionConfig | ImagesConfig:
    """Return what config.json of a run of this kind, or of any, holds."""
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
    model = FusionConfig if found == FUSION.name else ImagesConfig
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        known = values.get("versions")
        made_by = known.get(PACKAGE) if isinstance(known, dict) else "an unknown version"
        raise RunFolderError(
            f"{folder / CONFIG} does not fit: {_first_problem(error)}. It was made by {made_by}.",
            f"This is version {napari_superres.__version__}.",
            "Use the version that made the run, or restore the file from a copy.",
        ) from error


def settings_of(folder: Path, config: RunConfig, model: type[Settings]) -> Settings:
    """Return the settings in a run's configuration; a RunFolderError where they do not fit."""
    try:
        return model.model_validate(config.settings)
    except ValidationError as error:
        raise RunFolderError(
            f"The settings of {folder} do not fit: {_first_problem(error)}.",
            "",
            "Use the version that made the run.",
        ) from error


def kind_if_run(path: str | Path) -> str:
    """Return "fusion", "synthesis" or "translation"; "" where no run can be read."""
    try:
        return _kind(_read(Path(path))[1])
    except RunFolderError:
        return ""


def _first_problem(error: ValidationError) -> str:
    """Return the name of the first value that does not fit, and why."""
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
    return str(values.get("kind", FUSION.name))  # a fusion's config.json names no kind
