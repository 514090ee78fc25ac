"""The base of all steps: a viewer, its session, and a clean end when the dock is closed."""

from __future__ import annotations

import gc
from typing import Any

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QComboBox, QDockWidget, QFileDialog, QPushButton, QWidget

from napari_superres.widgets.run.session import Session, session_of
from napari_superres.widgets.run.training import Training

SWEEP_MS = 100
"""After a dock is closed, until napari has let go of it."""


class Step(QWidget):
    """A widget of the panel, in the common dock or by itself.

    Parameters
    ----------
    napari_viewer : the viewer; napari passes it by this name
    session : shared state; None for the viewer's own
    """

    title = ""

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.session = session if session is not None else session_of(napari_viewer)
        self._was_docked = False

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  Qt's name
        """Notice when napari takes the widget out of its dock.

        A docked widget gets no closeEvent when its dock is closed; napari sets its
        parent to None.
        """
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange:
            if isinstance(self.parent(), QDockWidget):
                self._was_docked = True
                self.session.attach(self)
            elif self.parent() is None and self._was_docked:
                self.session.detach(self)
                for step in (self, *self.findChildren(Step)):
                    step.leave()
                # it may hold whole volumes, and goes on hearing of all that happens
                QTimer.singleShot(SWEEP_MS, gc.collect)

    def leave(self) -> None:
        """Take back what the step does to the viewer: its dock is closed."""

    @property
    def closed(self) -> bool:
        """Whether its dock was closed: until Python lets go of it, signals still reach it."""
        top = self.window()
        return isinstance(top, Step) and top._was_docked


class CheckpointCombo(QComboBox):
    """Which checkpoint of a run: best, last, or a step that is typed."""

    def __init__(self, tip: str = "best, last, or a step that was saved") -> None:
        super().__init__()
        self.setEditable(True)
        self.addItems(["best", "last"])
        self.setToolTip(tip)

    @property
    def name(self) -> str:
        """The one chosen; best where nothing is typed."""
        return self.currentText().strip() or "best"


class OpenRunButton(QPushButton):
    """A button that asks for the folder of an earlier run, and shows the run."""

    def __init__(self, training: Training[Any, Any], tip: str) -> None:
        super().__init__("Open an earlier run …")
        self.training = training
        self.setToolTip(tip)
        self.clicked.connect(self._ask)

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of an earlier run")
        if folder:
            self.training.open(folder)
