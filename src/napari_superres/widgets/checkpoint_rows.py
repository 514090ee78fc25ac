"""The checkpoints of a run as rows of a table; no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from napari_superres.events import Measurement
from napari_superres.widgets.history import mean_errors

COLUMNS = ("Step", "Time", "Score", "Fractions", "Areas", "Low-res")
COLUMN_TIPS = (
    "Steps done",
    "Time trained, h:mm:ss",
    "Lower is better: errors of fractions, interface areas and low-res in units of a good result",
    "Mean absolute difference of the volume fractions from the high-res slices",
    "Mean relative difference of the interface areas from the high-res slices",
    "Share of low-res voxels that the down-sampled result does not give back",
)

LEFT = "left by a roll-back"
"""Mark of a chosen checkpoint of a way that training has left."""


@dataclass(frozen=True)
class CheckpointRow:
    """One checkpoint.

    Attributes
    ----------
    step, folder : of the checkpoint
    name : by which it is asked for; its step where nothing else is said
    cells : one text for each of `COLUMNS`
    marks : "best", "last", both or neither, or "left by a roll-back"
    picture : PNG bytes of its thumbnail, or None
    """

    step: int
    folder: Path
    cells: tuple[str, ...]
    marks: tuple[str, ...] = ()
    picture: bytes | None = None
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or str(self.step))

    @property
    def tip(self) -> str:
        """What a tooltip tells of it."""
        marked = f" ({', '.join(self.marks)})" if self.marks else ""
        return f"Step {self.step:,}{marked}: {self.folder}"


def read_rows(run: Path, target: Measurement | None) -> list[CheckpointRow]:
    """Return the checkpoints of a run, latest first. Imports torch: call it in a thread.

    Parameters
    ----------
    run : folder of the run
    target : of the high-res slices, None where it is not known
    """
    from napari_superres.runs.checkpoints import list_checkpoints, list_left

    found = list_checkpoints(run / "checkpoints")
    rows = []
    for info in (*found, *list_left(run / "checkpoints")):
        marks = ("best",) * info.is_best + ("last",) * (info in found[-1:])
        marks += (LEFT,) * info.is_left
        cells = cells_of(info.step, info.state, target)
        picture = _picture(info.thumbnail)
        rows.append(CheckpointRow(info.step, info.folder, cells, marks, picture, info.name))
    return sorted(rows, key=lambda row: (-row.step, row.name))


def cells_of(step: int, state: Mapping[str, Any], target: Measurement | None) -> tuple[str, ...]:
    """Return the texts of a row from what a checkpoint's state.json tells."""
    numbers = state.get("measurement") or {}
    errors = None
    if target is not None and numbers.get("volume_fractions"):
        areas = numbers.get("interface_areas") or {}
        errors = mean_errors(Measurement(numbers["volume_fractions"], areas), target)
    trained = state.get("elapsed_s")
    return (
        f"{step:,}",
        str(timedelta(seconds=round(trained))) if isinstance(trained, int | float) else "–",
        _number(numbers.get("score"), ".2f"),
        _number(errors and errors[0], ".3f"),
        _number(errors and errors[1], ".0%"),
        _number(numbers.get("low_res_mismatch"), ".1%"),
    )


def _number(value: Any, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "–"


def _picture(file: Path | None) -> bytes | None:
    try:
        return None if file is None else file.read_bytes()
    except OSError:  # dropped for a newer one meanwhile
        return None
