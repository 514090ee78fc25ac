"""Something to be done a while after the last of several events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer


def single_shot(parent: QObject, slot: Callable[[], Any], milliseconds: int = 0) -> QTimer:
    """Return a timer that calls a slot once, so long after it was started last."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer
