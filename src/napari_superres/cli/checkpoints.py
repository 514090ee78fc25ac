"""`checkpoints`: what a run has kept, and how good each is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer


def checkpoints(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder.")],
) -> None:
    """List the checkpoints of a run, to choose one for generate --checkpoint."""
    from napari_superres.runs.folder import RunFolder

    kept = RunFolder.open(run)
    found = kept.checkpoints()
    kept.find_checkpoint("last")  # says what to do where there is none
    best = kept.find_checkpoint("best")
    typer.echo("    step    score  low-res  two-point  between axes")
    for info in (*found, *kept.left_checkpoints()):
        numbers = info.measurement
        cells = (
            f"{info.step:8}",
            _cell(numbers, "score", 9, ".2f"),
            _cell(numbers, "low_res_mismatch", 9, ".4f"),
            _cell(numbers, "two_point_error", 11, ".4f"),
            _cell(numbers, "anisotropy", 14, ".1%"),
        )
        marks = ["best"] * (info.folder == best.folder) + ["last"] * (info in found[-1:])
        marks += [info.name] * info.is_left
        picture = "" if info.thumbnail is None else f"  {info.thumbnail}"
        typer.echo(f"{''.join(cells)}  {', '.join(marks):10}{picture}")


def _cell(numbers: Mapping[str, Any], name: str, width: int, form: str) -> str:
    value = numbers.get(name)
    return (format(value, form) if isinstance(value, int | float) else "–").rjust(width)
