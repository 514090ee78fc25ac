"""`info`: versions, devices, memory. `checkpoints`: those of a run."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_superres import __version__
from napari_superres.errors import DeviceError

PACKAGES = ("torch", "numpy", "napari", "PyQt6", "PySide6", "pyqtgraph", "tifffile", "zarr")
GIB = 2**30
COLUMNS = {
    "fusion": (
        ("low_res_mismatch", "low-res", 9, ".4f"),
        ("two_point_error", "two-point", 11, ".4f"),
        ("anisotropy", "between axes", 14, ".1%"),
    ),
    "synthesis": (
        ("fraction_gap", "fractions", 11, ".4f"),
        ("surface_gap", "surface", 9, ".1%"),
        ("two_point_rmse", "two-point", 11, ".4f"),
    ),
    "translation": (
        ("given_back_rmse", "low-res", 9, ".4f"),
        ("surface_gap", "surface", 9, ".1%"),
        ("two_point_rmse", "two-point", 11, ".4f"),
    ),
}
"""What is listed of each kind of run: key, title, width, format."""


def info() -> None:
    """Show versions, devices and free memory."""
    from napari_superres.runs.device import choose_device, device_report

    rows = [
        ("napari-superres-fusion", __version__),
        ("Python", f"{platform.python_version()} on {platform.platform()}"),
        *((name, version_of(name)) for name in PACKAGES),
    ]
    for name, value in rows:
        typer.echo(f"{name:24}{value}")
    for device in device_report():
        free, total = device.free_bytes / GIB, device.total_bytes / GIB
        typer.echo(f"{device.name:24}{device.description}, {free:.1f} of {total:.1f} GiB free")
    try:
        chosen = choose_device("auto")
    except DeviceError as error:
        chosen = str(error)
    typer.echo(f"{'auto takes':24}{chosen}")
    typer.echo(f"{'executable':24}{sys.executable}")


def version_of(name: str) -> str:
    """Return the version of an installed package, or a dash."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "–"


def checkpoints(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run folder.")],
) -> None:
    """List the checkpoints of a run, to choose one by --checkpoint."""
    from napari_superres.runs.run import Run

    kept: Run[Any] = Run.open(run)
    found = kept.checkpoints()
    kept.find_checkpoint("last")  # says what to do where there is none
    best = kept.find_checkpoint("best")
    columns = COLUMNS[kept.kind]
    head = "".join(title.rjust(width) for _, title, width, _ in columns)
    typer.echo(f"    step    score{head}")
    for info in (*found, *kept.left_checkpoints()):
        numbers = info.measurement
        cells = (
            f"{info.step:8}",
            _cell(numbers, "score", 9, ".2f"),
            *(_cell(numbers, name, width, form) for name, _, width, form in columns),
        )
        marks = ["best"] * (info.folder == best.folder) + ["last"] * (info in found[-1:])
        marks += [info.name] * info.is_left
        picture = "" if info.thumbnail is None else f"  {info.thumbnail}"
        typer.echo(f"{''.join(cells)}  {', '.join(marks):10}{picture}")


def _cell(numbers: Mapping[str, Any], name: str, width: int, form: str) -> str:
    value = numbers.get(name)
    return (format(value, form) if isinstance(value, int | float) else "–").rjust(width)
