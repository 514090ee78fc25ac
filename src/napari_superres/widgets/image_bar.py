"""The run bar of the panels that learn from images: it says which step comes next there."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_superres.events import TrainingFinished
from napari_superres.widgets.image_session import ImageSession
from napari_superres.widgets.run_bar import RunBar
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.texts import status_line


class ImageRunBar(RunBar):
    """Status line, progress bar and buttons.

    Parameters
    ----------
    images : what is driven
    first, after : what to do before a training can start, and once it has ended
    """

    def __init__(
        self, images: ImageSession, first: str, after: str, parent: QWidget | None = None
    ) -> None:
        self._first, self._after = first, after
        super().__init__(images, parent)

    def refresh(self) -> None:
        """Show what the run's state offers now."""
        super().refresh()
        if self.session.training.state is not RunState.IDLE:
            return
        if self.session.can_continue:
            self.status.setText(f"Continue trains this run further. {self._after}")
        elif not self.session.ready:
            self.status.setText(self._first)

    def _on_event(self, event: object) -> None:
        super()._on_event(event)
        line = status_line(event)
        if isinstance(event, TrainingFinished) and line is not None:
            self.status.setText(line.partition(" Next:")[0] + f" {self._after}")
