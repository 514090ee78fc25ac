"""A run on disk: its configuration, inputs, measurements and checkpoints.

run/ config.json     what was asked for, phases, voxel sizes, versions, input hashes
     inputs/         copies of the inputs: a run needs nothing else to resume or generate
     metrics.jsonl   one line per measurement
     checkpoints/    see `checkpoints.py`

Files are written under a temporary name, synced and renamed; nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import napari_superres
from napari_superres.config import FrozenModel, TrainingSettings
from napari_superres.data.output import written_whole
from napari_superres.data.phases import Phase
from napari_superres.data.tiff import read_tiff, write_labels_tiff
from napari_superres.data.volumes import (
    Labels,
    SegmentedSlices,
    SegmentedVolume,
    VoxelSize,
    values_of,
)
from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs.checkpoints import CheckpointInfo, list_checkpoints

FORMAT_VERSION = 1


class RunConfig(FrozenModel):
    """What config.json holds."""

    format_version: int
    created: str
    settings: TrainingSettings
    low_res_name: str
    low_res_phases: tuple[Phase, ...]
    low_res_voxel_size: VoxelSize | None
    high_res_name: str
    high_res_phases: tuple[Phase, ...]
    high_res_voxel_size: VoxelSize | None
    high_res_images: tuple[int, ...]
    versions: dict[str, str]
    input_hashes: dict[str, str]


@dataclass(frozen=True)
class RunFolder:
    """An existing run; see the module's docstring for what lies where."""

    path: Path
    config: RunConfig

    @classmethod
    def create(
        cls,
        path: str | Path,
        low_res: SegmentedVolume,
        high_res: SegmentedSlices,
        settings: TrainingSettings,
    ) -> RunFolder:
        """Make a new run folder with its configuration and inputs.

        Raises
        ------
        OutputError
            The folder exists and is not empty, or cannot be written.
        """
        folder = Path(path)
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise OutputError(
                    f"The run folder {folder} exists and is not empty.",
                    "A new run needs a new folder.",
                    "Choose another, or resume the run that is there.",
                )
            (folder / "inputs").mkdir(parents=True, exist_ok=True)
            (folder / "checkpoints").mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The run folder {folder} cannot be made: {error.strerror}.",
                "A folder that can be written is needed.",
            ) from error
        hashes = {"low_res.tif": _keep(folder, "low_res.tif", low_res.values, low_res)}
        for axis, images in enumerate(high_res.sets):
            for index, image in enumerate(images):
                name = _image_name(axis, index)
                hashes[name] = _keep(folder, name, _values(image, high_res)[None], high_res)
        config = RunConfig(
            format_version=FORMAT_VERSION,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            settings=settings,
            low_res_name=low_res.name,
            low_res_phases=low_res.phases,
            low_res_voxel_size=low_res.voxel_size,
            high_res_name=high_res.name,
            high_res_phases=high_res.phases,
            high_res_voxel_size=high_res.voxel_size,
            high_res_images=tuple(len(images) for images in high_res.sets),
            versions=_versions(),
            input_hashes=hashes,
        )
        write_text(folder / "config.json", config.model_dump_json(indent=2))
        return cls(folder, config)

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open a run.

        Raises
        ------
        RunFolderError
            It is no run, of another version, or damaged.
        """
        folder = Path(path)
        file = folder / "config.json"
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunFolderError(
                f"{folder} is no run folder: it has no readable config.json.",
                "A folder made by a training is needed.",
            ) from error
        try:
            values = json.loads(text)
            version = values.get("format_version")
        except (json.JSONDecodeError, AttributeError, RecursionError) as error:
            raise RunFolderError(
                f"{file} is damaged: it is no JSON object.", "", "Restore it from a copy."
            ) from error
        if version != FORMAT_VERSION:
            raise RunFolderError(
                f"The run {folder} has format version {version!r}.",
                f"This version of the program reads version {FORMAT_VERSION}.",
                "Use the program's version that made the run, or train again.",
            )
        try:
            return cls(folder, RunConfig.model_validate_json(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            versions = values.get("versions")
            name = "napari-superres-fusion"
            made_by = versions.get(name) if isinstance(versions, dict) else "an unknown version"
            raise RunFolderError(
                f"{file} does not fit: {where}: {first['msg']}. It was made by {made_by}.",
                f"This is version {napari_superres.__version__}.",
                "Use the version that made the run, or restore the file from a copy.",
            ) from error

    def low_res(self) -> SegmentedVolume:
        """Return the run's low-res volume."""
        config = self.config
        return SegmentedVolume.from_labels(
            self._input("low_res.tif"),
            config.low_res_voxel_size,
            config.low_res_phases,
            config.low_res_name,
        )

    def high_res(self) -> SegmentedSlices:
        """Return the run's high-res slices."""
        config = self.config
        sets = [
            [self._input(_image_name(axis, index)) for index in range(count)]
            for axis, count in enumerate(config.high_res_images)
        ]
        return SegmentedSlices.from_labels(
            sets, config.high_res_voxel_size, config.high_res_phases, config.high_res_name
        )

    def measurements(self) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl; a last line cut short is left out."""
        lines = []
        file = self.path / "metrics.jsonl"
        if not file.exists():
            return []
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return lines

    def append_measurement(self, values: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl, safely on disk."""
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def forget_measurements_after(self, step: int) -> None:
        """Drop lines of steps that a resumed run will do again."""
        kept = [line for line in self.measurements() if line["step"] <= step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        write_text(self.path / "metrics.jsonl", text)

    def checkpoints(self) -> list[CheckpointInfo]:
        """Return the checkpoints, oldest first."""
        return list_checkpoints(self.path / "checkpoints")

    def find_checkpoint(self, which: str = "best") -> CheckpointInfo:
        """Return the checkpoint called "best", "last" or by its step.

        Raises
        ------
        RunFolderError
            When it is not there.
        """
        found = self.checkpoints()
        if not found:
            raise RunFolderError(
                f"The run {self.path} has no checkpoint yet.",
                "At least one is needed.",
                "Let it train until the first checkpoint is saved.",
            )
        if which == "last":
            return found[-1]
        if which == "best":
            return next((info for info in reversed(found) if info.is_best), found[-1])
        for info in found:
            if str(info.step) == which:
                return info
        steps = ", ".join(str(info.step) for info in found)
        raise RunFolderError(
            f"The run {self.path} has no checkpoint {which!r}.",
            f"It has best, last and the steps {steps}.",
        )

    def _input(self, name: str) -> Labels:
        array, _ = read_tiff(self.path / "inputs" / name)
        return array.reshape(array.shape[-2:]) if name != "low_res.tif" else array  # type: ignore[return-value]


def write_text(path: Path, text: str) -> None:
    """Write a whole small file, or nothing."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _values(image: Labels, high_res: SegmentedSlices) -> Labels:

    return values_of(image, high_res.phases)


def _keep(
    folder: Path, name: str, values: Labels, source: SegmentedVolume | SegmentedSlices
) -> str:
    write_labels_tiff(
        folder / "inputs" / name, values, voxel_size=source.voxel_size, phases=source.phases
    )
    return hashlib.sha256(values.tobytes()).hexdigest()


def _image_name(axis: int, index: int) -> str:
    return f"high_res-{axis}-{index:04d}.tif"


def _versions() -> dict[str, str]:
    versions = {"napari-superres-fusion": napari_superres.__version__}
    for name in ("torch", "numpy"):
        versions[name] = metadata.version(name)
    return versions
