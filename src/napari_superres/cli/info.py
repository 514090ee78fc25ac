"""`info`: versions, devices, memory: what to send with a question."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

import typer

from napari_superres import __version__
from napari_superres.errors import DeviceError

PACKAGES = ("torch", "numpy", "napari", "PyQt6", "PySide6", "pyqtgraph", "tifffile", "zarr")
GIB = 2**30


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
