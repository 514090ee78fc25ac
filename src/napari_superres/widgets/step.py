"""The base of all steps: a viewer, its session, and a clean end when the dock is closed."""

from __future__ import annotations

import gc
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QDockWidget, QFormLayout, QLabel, QWidget

from napari_superres.widgets.fold import Fold
from napari_superres.widgets.session import Session
from napari_superres.widgets.viewer_session import session_of

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


def heading(text: str) -> QLabel:
    """Return a bold line above a group of controls."""
    label = QLabel(f"<b>{text}</b>")
    label.setContentsMargins(0, 6, 0, 0)
    return label


class Note(QLabel):
    """A wrapped text that may be selected, and takes no room while it is empty."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setHidden(not text)

    def setText(self, text: str) -> None:  # noqa: N802  Qt's name
        """Show a text; an empty one hides the label."""
        super().setText(text)
        self.setHidden(not text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Keep all lines in sight at the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # a scroll area squeezes wrapped labels rather than scroll
        self.setMinimumHeight(self.heightForWidth(self.width()) if self.text() else 0)


def new_form(parent: QWidget | None = None) -> QFormLayout:
    """Return an empty form of label and field, whose fields fill the width."""
    form = QFormLayout() if parent is None else QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form


def new_fold(title: str) -> Fold:
    """Return a folded box for what few people need, flush with its surroundings."""
    return Fold(title)
