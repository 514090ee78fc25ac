"""A run of any kind on disk.

run/ config.json     kind of run, settings, inputs, versions, hashes: see `config.py`
     inputs/         copies of the inputs: a run needs nothing else to resume or generate
     metrics.jsonl   one line per measurement, and one per roll-back
     checkpoints/    see `checkpoints.py`
     previews/       see `previews.py`

Files are written under a temporary name, synced and renamed; nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, cast

from napari_superres.config import FrozenModel
from napari_superres.data.files.images import ImageSet
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import RunFolderError, SettingsError
from napari_superres.runs import inputs, metrics_log
from napari_superres.runs.checkpoints import CheckpointInfo, list_checkpoints, list_left
from napari_superres.runs.config import (
    HIGH_RES,
    LOW_RES,
    EngineChange,
    FusionConfig,
    ImagesConfig,
    KeptInput,
    Kind,
    Settings,
    new_config,
    read_config,
    settings_of,
)
from napari_superres.runs.new_folder import new_run_folder


@dataclass(frozen=True)
class Run(Generic[Settings]):
    """An existing run; the module's docstring lists its files.

    Attributes
    ----------
    path : its folder
    config : what config.json holds
    settings : of its kind
    """

    path: Path
    config: FusionConfig | ImagesConfig
    settings: Settings

    @classmethod
    def create(
        cls,
        path: str | Path,
        kind: Kind[Settings],
        settings: Settings,
        sources: Mapping[str, inputs.Input],
    ) -> Run[Settings]:
        """Make a new run folder with its configuration and copies of the inputs, by role.

        Raises
        ------
        OutputError
            The folder exists and is not empty, is being made, or cannot be written.
        """
        with new_run_folder(path) as folder:
            kept = {role: inputs.keep(folder, role, source) for role, source in sources.items()}
            config = new_config(kind.name, settings, kept)
            config.write(folder)
        return cls(folder, config, settings)

    @classmethod
    def open(cls, path: str | Path, kind: Kind[Settings] | None = None) -> Run[Settings]:
        """Open a run of this kind, or of any; then `settings` are as config.json holds them.

        Raises
        ------
        RunFolderError
            It is no run, of another kind or version, or damaged.
        """
        folder = Path(path)
        if kind is None:
            config = read_config(folder)
            return cls(folder, config, cast("Settings", config.settings))
        config = read_config(folder, kind.name)
        return cls(folder, config, settings_of(folder, config, kind.settings))

    @property
    def kind(self) -> str:
        """Such as "fusion"."""
        return self.config.kind

    def kept(self, role: str) -> KeptInput:
        """Return what config.json says of an input; a RunFolderError where it says nothing."""
        known = self.config.kept
        if role not in known:
            raise RunFolderError(
                f"{self.path / 'config.json'} names no images called {role}.",
                f"It names {', '.join(known) or 'none'}.",
                "Restore it from a copy.",
            )
        return known[role]

    def low_res(self) -> SegmentedVolume:
        """Return the low-res volume of a fusion."""
        return inputs.read_volume(self.path, self.kept(LOW_RES))

    @property
    def has_slices(self) -> bool:
        """Whether high-res slices are kept; a generator may be imported without."""
        return any(self.kept(HIGH_RES).sets)

    def high_res(self) -> SegmentedSlices:
        """Return the high-res slices of a fusion; a RunFolderError where none are kept."""
        if not self.has_slices:
            raise RunFolderError(
                f"The run {self.path} keeps no high-res slices: its generator was imported "
                "without them.",
                "It can generate; it cannot go on training, nor be compared with its slices.",
                "Name slices to compare with, or import the generator again with them.",
            )
        return inputs.read_slices(self.path, HIGH_RES, self.kept(HIGH_RES))

    def images(self, role: str) -> ImageSet:
        """Return a set of the images that a run learns from."""
        return inputs.read_images(self.path, role, self.kept(role))

    def with_engine(self, changes: Mapping[str, Any], step: int) -> Run[Settings]:
        """Return the run with some engine settings changed; nothing is written.

        Parameters
        ----------
        changes : engine settings by name, of those that may change once a run has begun
        step : from which on they hold

        Raises
        ------
        SettingsError
            A setting that cannot change once a run has begun, or an impossible value.
        """
        engine: FrozenModel = self.settings.engine  # type: ignore[attr-defined]
        allowed: tuple[str, ...] = engine.SAFE_TO_CHANGE  # type: ignore[attr-defined]
        fixed = sorted(set(changes) - set(allowed))
        if fixed:
            warm = "warm_start" in type(self.settings).model_fields
            raise SettingsError(
                f"A run cannot be resumed with another {' or '.join(fixed)}.",
                f"What may change is {', '.join(allowed)}.",
                f"Train a new run{'; --warm-start takes the weights of this one' * warm}.",
            )
        changed = engine.replace(**changes)
        before = {name: getattr(engine, name) for name in changes}
        after = {name: getattr(changed, name) for name in changes}
        if before == after:
            return self
        settings = self.settings.replace(engine=changed)
        kept: Any = settings
        if isinstance(self.config.settings, dict):  # as the file holds those of images
            kept = settings.model_dump(mode="json")
        change = EngineChange(step=step, before=before, after=after)
        changes_made = (*self.config.changes, change)
        return replace(
            self, config=self.config.replace(settings=kept, changes=changes_made), settings=settings
        )

    def write_config(self) -> None:
        """Write config.json again."""
        self.config.write(self.path)

    def log(self) -> list[dict[str, Any]]:
        """Return all lines of metrics.jsonl; a last line cut short is left out."""
        return metrics_log.read(self._log_file)

    def measurements(self) -> list[dict[str, Any]]:
        """Return the measurements, as they came; after a roll-back steps come again."""
        return [line for line in self.log() if "score" in line]

    def rollbacks(self) -> list[dict[str, Any]]:
        """Return the roll-backs, as they came: step, rolled_back_to, reason."""
        return [line for line in self.log() if "rolled_back_to" in line]

    def append_line(self, values: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl, safely on disk."""
        metrics_log.append(self._log_file, values)

    def keep_lines(self, count: int) -> None:
        """Drop the lines after the first `count`, which a resumed run writes again."""
        metrics_log.keep(self._log_file, count)

    def checkpoints(self) -> list[CheckpointInfo]:
        """Return the checkpoints that the run can resume from, oldest first."""
        return list_checkpoints(self.path / "checkpoints")

    def left_checkpoints(self) -> list[CheckpointInfo]:
        """Return the chosen checkpoints that were rolled back, oldest first."""
        return list_left(self.path / "checkpoints")

    def find_checkpoint(self, which: str = "best") -> CheckpointInfo:
        """Return the checkpoint "best", "last" or of a name; a RunFolderError without one."""
        found, left = self.checkpoints(), self.left_checkpoints()
        if not found and not left:
            raise RunFolderError(
                f"The run {self.path} has no checkpoint yet.",
                "At least one is needed.",
                "Let it train until the first checkpoint is saved.",
            )
        if which == "last":
            return (found or left)[-1]
        if which == "best":
            return next((info for info in reversed(found) if info.is_best), (found or left)[-1])
        for info in (*found, *left):
            if info.name == which:
                return info
        steps = ", ".join(info.name for info in (*found, *left))
        raise RunFolderError(
            f"The run {self.path} has no checkpoint {which!r}.",
            f"It has best, last and the steps {steps}.",
        )

    @property
    def _log_file(self) -> Path:
        return self.path / "metrics.jsonl"
