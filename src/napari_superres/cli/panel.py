"""napari with the panel docked, where it is installed and a window can open."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

from napari_superres.errors import DeviceError, SettingsError

PROBE = "from qtpy.QtWidgets import QApplication; QApplication([])"


def open_panel() -> None:
    """Open napari with the panel docked, until it is closed."""
    if not napari_is_installed():
        raise SettingsError(
            "napari is not installed here.",
            "The panel needs it; the other commands do not.",
            "Run pip install 'napari[pyqt6]' superqt pyqtgraph, or see napari-superres --help.",
        )
    if not window_can_open():
        raise DeviceError(
            "No window can be opened here.",
            "napari needs a display and Qt's libraries.",
            "Use the other commands: napari-superres --help.",
        )
    from napari_superres.widgets.app import launch

    launch()


def napari_is_installed() -> bool:
    """Say whether napari and a Qt binding can be imported."""
    bindings = ("PyQt6", "PySide6", "PyQt5", "PySide2")
    return importlib.util.find_spec("napari") is not None and any(
        importlib.util.find_spec(name) for name in bindings
    )


def window_can_open() -> bool:
    """Say whether a window can be opened, without risking this process.

    Qt ends the process when it finds no display or lacks a library, so another
    process tries first.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform in ("offscreen", "minimal"):
        return False
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        attempt = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return attempt.returncode == 0
