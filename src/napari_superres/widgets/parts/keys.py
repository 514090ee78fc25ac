"""Keys that press buttons while the panel has the keyboard; napari's own keys stay napari's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QAbstractButton, QTabWidget, QWidget

START, MIDDLE, STOP, MAIN = "Alt+G", "Alt+R", "Alt+K", "Ctrl+Return"
"""Start; Pause, Resume or Continue; Stop and keep; the main button of a step."""


def on_key(keys: str, scope: QWidget, does: Callable[[], Any]) -> Any:
    """Call a function at these keys, while the focus is in `scope`."""
    shortcut = QShortcut(QKeySequence(keys), scope)
    shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    shortcut.activated.connect(does)
    return shortcut


def press_by_key(keys: str, button: QAbstractButton, scope: QWidget) -> None:
    """Let keys press a button and name them in its tooltip; a disabled one is not pressed."""
    on_key(keys, scope, button.click)
    button.setToolTip(with_key(button.toolTip(), keys))


def number_the_tabs(tabs: QTabWidget, scope: QWidget) -> None:
    """Let Alt+1 bring the first tab to the front, Alt+2 the second, and so on."""
    for index in range(tabs.count()):
        keys = f"Alt+{index + 1}"
        on_key(keys, scope, partial(_show_tab, tabs, index))
        tabs.setTabToolTip(index, keys)


def with_key(tip: str, keys: str) -> str:
    """Return a tooltip with the keys that do the same."""
    return f"{tip} ({keys})"


def _show_tab(tabs: QTabWidget, index: int) -> None:
    tabs.setCurrentIndex(index)
    tabs.currentWidget().setFocus()  # the next Tab key leads into the step
