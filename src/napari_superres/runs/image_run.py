"""Runs that learn from images: the same folder as a fusion's, with images as inputs.

run/ config.json     kind of run, settings, what each set of images is, versions, hashes
     inputs/         copies of the images
     metrics.jsonl, checkpoints/   as in every run
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from pydantic import ValidationError

import napari_superres
from napari_superres.config import FrozenModel
from napari_superres.data.images import ImageSet
from napari_superres.data.output import write_whole_text
from napari_superres.data.phases import Phase
from napari_superres.data.reading import read_small_text
from napari_superres.data.tiff import write_labels_tiff
from napari_superres.errors import RunFolderError
from napari_superres.runs import metrics_log
from napari_superres.runs.checkpoints import CheckpointInfo
from napari_superres.runs.folder import RunFolder
from napari_superres.runs.kept_inputs import read_input
from napari_superres.runs.new_folder import make_run_folder

FORMAT_VERSION = 1
_Settings = TypeVar("_Settings", bound=FrozenModel)


class ImageSetInfo(FrozenModel):
    """What config.json says of a set of images."""

    name: str
    images: int
    phases: tuple[Phase, ...]
    pixel_size: float | None
    hashes: tuple[str, ...]


class ImageRunConfig(FrozenModel):
    """What config.json holds; `settings` are read by the kind of run."""

    format_version: int
    kind: str
    created: str
    settings: dict[str, Any]
    inputs: dict[str, ImageSetInfo]
    versions: dict[str, str]


@dataclass(frozen=True)
class ImageRun:
    """An existing run; see the module's docstring for what lies where."""

    path: Path
    config: ImageRunConfig

    @classmethod
    def create(
        cls, path: str | Path, kind: str, settings: FrozenModel, inputs: Mapping[str, ImageSet]
    ) -> Self:
        """Make a new run folder with its configuration and copies of the images.

        Raises
        ------
        OutputError
            The folder exists and is not empty, or cannot be written.
        """
        folder = make_run_folder(path)
        versions = {"napari-superres-fusion": napari_superres.__version__} | {
            name: metadata.version(name) for name in ("torch", "numpy")
        }
        config = ImageRunConfig(
            format_version=FORMAT_VERSION,
            kind=kind,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            settings=settings.model_dump(mode="json"),
            inputs={role: _keep(folder, role, images) for role, images in inputs.items()},
            versions=versions,
        )
        write_whole_text(folder / "config.json", config.model_dump_json(indent=2))
        return cls(folder, config)

    @classmethod
    def open(cls, path: str | Path, kind: str | None = None) -> Self:
        """Open a run, of this kind if one is named.

        Raises
        ------
        RunFolderError
            It is no run, of another kind or version, or damaged.
        """
        folder = Path(path)
        found = kind_of(folder)
        if kind is not None and found != kind:
            raise RunFolderError(
                f"The run {folder} is one of {found}.", f"A run of {kind} is needed."
            )
        text = read_small_text(folder / "config.json")
        try:
            config = ImageRunConfig.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RunFolderError(
                f"{folder / 'config.json'} does not fit: {where}: {first['msg']}.",
                "",
                "Use the version that made the run, or restore the file from a copy.",
            ) from error
        if config.format_version != FORMAT_VERSION:
            raise RunFolderError(
                f"The run {folder} has format version {config.format_version}.",
                f"This version of the program reads version {FORMAT_VERSION}.",
                "Use the program's version that made the run, or train again.",
            )
        return cls(folder, config)

    def settings(self, model: type[_Settings]) -> _Settings:
        """Return the run's settings.

        Raises
        ------
        RunFolderError
            They do not fit `model`.
        """
        try:
            return model.model_validate(self.config.settings)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RunFolderError(
                f"The settings of {self.path} do not fit: {where}: {first['msg']}.",
                "",
                "Use the version that made the run.",
            ) from error

    def images(self, role: str) -> ImageSet:
        """Return a set of the run's images."""
        info = self.input_info(role)
        arrays = []
        for index in range(info.images):
            known = info.hashes[index] if index < len(info.hashes) else None
            arrays.append(read_input(self.path, _name(role, index), known))
        if info.phases:
            table = np.zeros(256, np.uint8)
            table[[phase.value for phase in info.phases]] = np.arange(len(info.phases))
            arrays = [table[array] for array in arrays]
        return ImageSet(tuple(arrays), info.phases, info.pixel_size, info.name)

    def input_info(self, role: str) -> ImageSetInfo:
        """Return what config.json says of a set of the run's images.

        Raises
        ------
        RunFolderError
            It says nothing of it.
        """
        if role not in self.config.inputs:
            raise RunFolderError(
                f"{self.path / 'config.json'} names no images called {role}.",
                f"It names {', '.join(self.config.inputs) or 'none'}.",
                "Restore it from a copy.",
            )
        return self.config.inputs[role]

    def measurements(self) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl; a last line cut short is left out."""
        return metrics_log.read(self._log)

    def append_line(self, values: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl, safely on disk."""
        metrics_log.append(self._log, values)

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that a resumed run will do again."""
        metrics_log.keep(self._log, sum(line["step"] <= step for line in self.measurements()))

    def checkpoints(self) -> list[CheckpointInfo]:
        """Return the checkpoints, oldest first."""
        return self._files.checkpoints()

    def find_checkpoint(self, which: str = "best") -> CheckpointInfo:
        """Return the checkpoint called "best", "last" or by its step."""
        return self._files.find_checkpoint(which)

    @property
    def _log(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def _files(self) -> RunFolder:
        # what lies in a run beside its configuration is the same for every kind
        return RunFolder(self.path, None)  # type: ignore[arg-type]


def kind_of(path: str | Path) -> str:
    """Return "fusion", "synthesis" or "translation".

    Raises
    ------
    RunFolderError
        It is no run.
    """
    file = Path(path) / "config.json"
    try:
        values = json.loads(read_small_text(file))
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(
            f"{path} is no run folder: it has no readable config.json.",
            "A folder made by a training is needed.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise RunFolderError(
            f"{file} is damaged: it is no JSON object.", "", "Restore it from a copy."
        ) from error
    return str(values.get("kind", "fusion")) if isinstance(values, dict) else "unknown"


def kind_if_run(path: str | Path) -> str:
    """Return the kind of a run, "" where there is none that can be read."""
    try:
        return kind_of(path)
    except RunFolderError:
        return ""


def _keep(folder: Path, role: str, images: ImageSet) -> ImageSetInfo:
    table = np.arange(256, dtype=np.uint8)
    if images.phases:
        table = np.array([phase.value for phase in images.phases], np.uint8)
    size = images.pixel_size
    hashes = []
    for index, image in enumerate(images.images):
        values = table[image]
        hashes.append(hashlib.sha256(values.tobytes()).hexdigest())
        write_labels_tiff(
            folder / "inputs" / _name(role, index),
            values[None],
            voxel_size=None if size is None else (size, size, size),
            phases=images.phases,
        )
    return ImageSetInfo(
        name=images.name,
        images=len(images.images),
        phases=images.phases,
        pixel_size=size,
        hashes=tuple(hashes),
    )


def _name(role: str, index: int) -> str:
    return f"{role}-{index:04d}.tif"
