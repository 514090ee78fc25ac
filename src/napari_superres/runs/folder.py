"""A run on disk: its configuration, inputs, measurements and checkpoints.

run/ config.json     what was asked for, phases, voxel sizes, versions, input hashes
     inputs/         copies of the inputs: a run needs nothing else to resume or generate
     metrics.jsonl   one line per measurement, and one per roll-back
     checkpoints/    see `checkpoints.py`
     previews/       see `previews.py`

Files are written under a temporary name, synced and renamed; nothing is pickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from napari_superres.config import SAFE_TO_CHANGE, TrainingSettings
from napari_superres.data.files.output import write_whole_text
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.label_values import values_of
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume
from napari_superres.errors import RunFolderError, SettingsError
from napari_superres.runs.config import (
    CONFIG,
    FORMAT_VERSION,
    FUSION,
    EngineChange,
    RunConfig,
    read_config,
    versions,
)
from napari_superres.runs.new_folder import new_run_folder, read_input
from napari_superres.runs.run import AnyRun


@dataclass(frozen=True)
class RunFolder(AnyRun):
    """An existing run; see the module's docstring for what lies where."""

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
            The folder exists and is not empty, is being made, or cannot be written.
        """
        with new_run_folder(path) as folder:
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
                versions=versions(),
                input_hashes=hashes,
            )
            run = cls(folder, config)
            run.write_config()
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """Open a run.

        Raises
        ------
        RunFolderError
            It is no run, of another kind or version, or damaged.
        """
        folder = Path(path)
        return cls(folder, read_config(folder, RunConfig, FUSION))

    def low_res(self) -> SegmentedVolume:
        """Return the run's low-res volume."""
        config = self.config
        return SegmentedVolume.from_labels(
            self._input("low_res.tif"),
            config.low_res_voxel_size,
            config.low_res_phases,
            config.low_res_name,
        )

    @property
    def has_slices(self) -> bool:
        """Whether high-res slices are kept; a generator may be imported without."""
        return any(self.config.high_res_images)

    def high_res(self) -> SegmentedSlices:
        """Return the run's high-res slices.

        Raises
        ------
        RunFolderError
            Its generator was imported without slices.
        """
        config = self.config
        if not self.has_slices:
            raise RunFolderError(
                f"The run {self.path} keeps no high-res slices: its generator was imported "
                "without them.",
                "It can generate; it cannot go on training, nor be compared with its slices.",
                "Name slices to compare with, or import the generator again with them.",
            )
        sets = [
            [self._input(_image_name(axis, index)) for index in range(count)]
            for axis, count in enumerate(config.high_res_images)
        ]
        return SegmentedSlices.from_labels(
            sets, config.high_res_voxel_size, config.high_res_phases, config.high_res_name
        )

    def rollbacks(self) -> list[dict[str, Any]]:
        """Return the roll-backs, as they came: step, rolled_back_to, reason."""
        return [line for line in self.log() if "rolled_back_to" in line]

    def with_engine(self, changes: Mapping[str, Any], step: int) -> RunFolder:
        """Return the run with some engine settings changed, not yet written.

        Parameters
        ----------
        changes : settings of `SAFE_TO_CHANGE` by name
        step : from which on they hold

        Raises
        ------
        SettingsError
            A setting that cannot change once a run has begun, or an impossible value.
        """
        fixed = sorted(set(changes) - set(SAFE_TO_CHANGE))
        if fixed:
            raise SettingsError(
                f"A run cannot be resumed with another {' or '.join(fixed)}.",
                f"What may change is {', '.join(SAFE_TO_CHANGE)}.",
                "Train a new run; --warm-start takes up what this one learnt.",
            )
        settings = self.config.settings
        engine = settings.engine.replace(**changes)
        before = {name: getattr(settings.engine, name) for name in changes}
        after = {name: getattr(engine, name) for name in changes}
        if before == after:
            return self
        config = self.config.replace(
            settings=settings.replace(engine=engine),
            changes=(*self.config.changes, EngineChange(step=step, before=before, after=after)),
        )
        return RunFolder(self.path, config)

    def write_config(self) -> None:
        """Write config.json anew."""
        write_whole_text(self.path / CONFIG, self.config.model_dump_json(indent=2))

    def _input(self, name: str) -> Labels:
        return read_input(self.path, name, self.config.input_hashes.get(name))


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
