"""What every kind of run has beside its configuration: measurements and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.errors import RunFolderError
from napari_superres.runs import metrics_log
from napari_superres.runs.checkpoints import CheckpointInfo, list_checkpoints, list_left


@dataclass(frozen=True)
class AnyRun:
    """A run folder, whatever it learns from."""

    path: Path

    @property
    def log_file(self) -> Path:
        """Where measurements are written, one a line."""
        return self.path / "metrics.jsonl"

    def log(self) -> list[dict[str, Any]]:
        """Return all lines of metrics.jsonl; a last line cut short is left out."""
        return metrics_log.read(self.log_file)

    def measurements(self) -> list[dict[str, Any]]:
        """Return the measurements, as they came; after a roll-back steps come again."""
        return [line for line in self.log() if "score" in line]

    def append_line(self, values: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl, safely on disk."""
        metrics_log.append(self.log_file, values)

    def keep_lines(self, count: int) -> None:
        """Drop the lines after the first `count`: a resumed run writes them again."""
        metrics_log.keep(self.log_file, count)

    def checkpoints(self) -> list[CheckpointInfo]:
        """Return the checkpoints that the run can go on from, oldest first."""
        return list_checkpoints(self.path / "checkpoints")

    def left_checkpoints(self) -> list[CheckpointInfo]:
        """Return the chosen checkpoints that roll-backs went behind, oldest first."""
        return list_left(self.path / "checkpoints")

    def find_checkpoint(self, which: str = "best") -> CheckpointInfo:
        """Return the checkpoint called "best", "last" or by its name.

        Raises
        ------
        RunFolderError
            When it is not there.
        """
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
