"""A napari window that a script uses as a person would: looking, waiting, with the mouse."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import napari
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QWidget

SIZE = (1440, 900)


class Window:
    """A viewer that fills the screen."""

    def __init__(self, theme: str = "dark") -> None:
        self.theme = theme
        self.viewer = napari.Viewer(title="napari")
        self.viewer.theme = theme
        self.window = self.viewer.window._qt_window
        self.window.setGeometry(0, 0, *SIZE)

    def wait(self, seconds: float) -> None:
        """Let the window live for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def until(self, what: str, condition: Callable[[], bool], seconds: float = 900) -> None:
        """Wait for something to come true."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                sys.exit(f"Timed out: {what}")
            self.wait(0.05)

    def click(self, widget: QWidget) -> None:
        """Click a widget with the mouse, once it can be clicked."""
        self.until(f"{widget} is enabled", widget.isEnabled, 20)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.wait(0.2)

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Drag over the canvas, in shares of its size."""
        canvas = self.viewer.window._qt_viewer.canvas.native
        width, height = canvas.width(), canvas.height()
        start = QPoint(int(x0 * width), int(y0 * height))
        QTest.mouseMove(canvas, start)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
        for part in range(1, 11):
            x, y = x0 + (x1 - x0) * part / 10, y0 + (y1 - y0) * part / 10
            _move(canvas, QPointF(x * width, y * height))
            self.wait(0.03)
        end = QPoint(int(x1 * width), int(y1 * height))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)

    @contextmanager
    def in_light(self) -> Iterator[None]:
        """Show something in the light theme, as its page says."""
        self.viewer.theme = "light"
        self.wait(1)
        yield
        self.viewer.theme = self.theme


def grab(path: Path) -> None:
    """Save what is on the screen, frames and dialogs included, in 256 colours: a third the size."""
    QApplication.primaryScreen().grabWindow(0).save(str(path), "PNG", 0)
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(path.name, flush=True)


def visible_dialogs() -> list[QDialog]:
    """Return the dialogs on the screen."""
    widgets = QApplication.topLevelWidgets()
    return [one for one in widgets if isinstance(one, QDialog) and one.isVisible()]


def _move(canvas: QWidget, position: QPointF) -> None:
    """Move the mouse with its left button held, which QTest cannot."""
    left = Qt.MouseButton.LeftButton
    everywhere = canvas.mapToGlobal(position.toPoint())
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        position,
        QPointF(everywhere),
        left,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, event)
