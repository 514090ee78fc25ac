"""Segment a whole image in a thread: how far it is, and the layer that it becomes."""

from __future__ import annotations

from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, Signal

from napari_superres.widgets.run_state import ACTIVE, RunState
from napari_superres.widgets.samples import shown_layer
from napari_superres.widgets.segment_form import SegmentForm
from napari_superres.widgets.segment_plan import (
    GreyImage,
    Segmented,
    Segmenting,
    class_phases,
    segmenting,
)
from napari_superres.widgets.session import Session


class SegmentRun(QObject):
    """One image at a time, by what the form says when it starts.

    Attributes
    ----------
    source : the layer that was segmented last, or is being segmented
    runner : of the thread

    Signals
    -------
    segmented : the new layer
    """

    segmented = Signal(object)

    def __init__(
        self, viewer: Any, session: Session, form: SegmentForm, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.viewer, self.form = viewer, form
        self.source: Any | None = None
        self._role = ""
        self.runner = session.new_runner()
        form.cancel.clicked.connect(self.runner.stop)
        self.runner.state_changed.connect(self._on_state)
        self.runner.event.connect(self._on_event)

    def start(self, image: GreyImage, thresholds: tuple[float, ...]) -> None:
        """Segment the image of the layer chosen in the form; ignored while one is segmented."""
        if self.runner.active:
            return
        # another layer may be chosen until it is done
        self.source, self._role = self.form.layer.layer, self.form.role.currentData()
        smoothing = self.form.smoothing
        self.form.note.setText("")
        self.runner.start(
            f"Segmenting {image.name}",
            lambda stop: segmenting(image, thresholds, smoothing, stop),
        )

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.form.bar.setValue(0)
        self.form.bar.setVisible(state in ACTIVE)
        self.form.cancel.setVisible(state in ACTIVE)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, Segmenting):
            self.form.bar.setValue(round(100 * event.progress))
        elif isinstance(event, Segmented):
            if event.labels is None:
                self.form.note.setText("Segmenting was cancelled.")
            else:
                self._add(event)

    def _add(self, event: Segmented) -> None:
        self.form.show_preview.setChecked(False)
        image, phases = event.image, class_phases(event.classes)
        name = f"{image.name} segmented"
        data, arguments, _ = shown_layer(event.labels, phases, name, self._role, image.placed)
        layer = self.viewer.add_labels(data, **arguments)
        show_info(f"{layer.name} is ready. Name its phases in the Data step.")
        self.segmented.emit(layer)
