"""Runs that learn from images: the same folder as a fusion's, with images as inputs.

run/ config.json     kind of run, settings, what each set of images is, versions, hashes
     inputs/         copies of the images
     metrics.jsonl, checkpoints/   as in every run
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from pydantic import ValidationError

from napari_superres.config import FrozenModel, validated
from napari_superres.data.files.images import ImageSet
from napari_superres.data.files.output import write_whole_text
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.errors import RunFolderError, SettingsError
from napari_superres.runs.config import (
    CONFIG,
    FORMAT_VERSION,
    EngineChange,
    ImageRunConfig,
    ImageSetInfo,
    first_problem,
    read_config,
    versions,
)
from napari_superres.runs.lock import run_lock
from napari_superres.runs.new_folder import new_run_folder, read_input
from napari_superres.runs.run import AnyRun

_Settings = TypeVar("_Settings", bound=FrozenModel)


@dataclass(frozen=True)
class ImageRun(AnyRun):
    """An existing run; see the module's docstring for what lies where."""

    config: ImageRunConfig

    @classmethod
    def create(
        cls, path: str | Path, kind: str, settings: FrozenModel, inputs: Mapping[str, ImageSet]
    ) -> Self:
        """Make a new run folder with its configuration and copies of the images.

        Raises
        ------
        OutputError
            The folder exists and is not empty, is being made, or cannot be written.
        """
        with new_run_folder(path) as folder:
            config = ImageRunConfig(
                format_version=FORMAT_VERSION,
                kind=kind,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                settings=settings.model_dump(mode="json"),
                inputs={role: _keep(folder, role, images) for role, images in inputs.items()},
                versions=versions(),
            )
            write_whole_text(folder / CONFIG, config.model_dump_json(indent=2))
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
        return cls(folder, read_config(folder, ImageRunConfig, kind))

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
            raise RunFolderError(
                f"The settings of {self.path} do not fit: {first_problem(error)}.",
                "",
                "Use the version that made the run.",
            ) from error

    def with_engine(self, changes: Mapping[str, Any], model: type[_Settings]) -> Self:
        """Return the run with some engine settings changed, of which there is the batch alone.

        Raises
        ------
        SettingsError
            A setting that cannot change once a run has begun, or an impossible value.
        """
        fixed = sorted(set(changes) - {"batch"})
        if fixed:
            raise SettingsError(
                f"Such a run cannot be resumed with another {' or '.join(fixed)}.",
                "What may change is batch.",
                "Train a new run.",
            )
        return self.with_batch(changes["batch"], model) if changes else self

    def with_batch(self, batch: int, model: type[_Settings]) -> Self:
        """Return the run with another batch from its last checkpoint on, written to config.json.

        No weight changes its shape with the batch.

        Raises
        ------
        SettingsError
            The run's other settings do not allow it.
        OutputError
            config.json cannot be written.
        RunFolderError
            It is in use, or damaged since it was opened.
        """
        with run_lock(self.path):
            # read again: another process may have changed it since it was opened
            run = type(self).open(self.path, self.config.kind)
            config, settings = run.config, run.settings(model).model_dump(mode="json")
            before = settings["engine"]["batch"]
            if batch == before:
                return run
            settings["engine"]["batch"] = batch
            validated(model, settings)
            found = self.checkpoints()
            step = found[-1].step if found else 0
            change = EngineChange(step=step, before={"batch": before}, after={"batch": batch})
            config = config.replace(settings=settings, changes=(*config.changes, change))
            write_whole_text(self.path / CONFIG, config.model_dump_json(indent=2))
        return replace(self, config=config)

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
                f"{self.path / CONFIG} names no images called {role}.",
                f"It names {', '.join(self.config.inputs) or 'none'}.",
                "Restore it from a copy.",
            )
        return self.config.inputs[role]

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that a resumed run will do again."""
        self.keep_lines(sum(line["step"] <= step for line in self.log()))


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
