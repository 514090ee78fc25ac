"""A segmentation over the shown slice of an image, which follows thresholds and slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from napari_superres.data.grey import Smoothing
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.layers.colours import phase_colormap
from napari_superres.widgets.layers.notes import KEY, PREVIEW, same_layer
from napari_superres.widgets.layers.scale import in_units_of
from napari_superres.widgets.segment.plan import (
    GreyImage,
    Plane,
    class_phases,
    plane_of,
    plane_placed,
    sliced_axis,
)

NAME = "preview of the segmentation"


class SegmentPreview(QObject):
    """The preview layer of one image.

    Signals
    -------
    deleted : a person deleted the layer
    """

    deleted = Signal()

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.layer: Any | None = None
        self._of: tuple[Any, GreyImage, tuple[float, ...], Smoothing] | None = None
        self._classes = 0
        self._work = Latest(self, eager=True)
        self._work.done.connect(self._on_plane)
        for event in (viewer.dims.events.current_step, viewer.dims.events.order):
            event.connect(self._ask)
        viewer.layers.events.removed.connect(self._on_removed)

    def show(
        self, layer: Any, image: GreyImage, thresholds: Sequence[float], smoothing: Smoothing
    ) -> None:
        """Lay a preview over `layer`, whose grey values are those of `image`."""
        if self._of is not None and self._of[1] is not image:
            self.hide()
        self._of = (layer, image, tuple(thresholds), smoothing)
        self._ask()

    def hide(self) -> None:
        """Remove the preview."""
        self._of = None
        self._work.forget()
        layer, self.layer = self.layer, None
        for one in list(self.viewer.layers):
            if layer is not None and same_layer(one, layer):
                self.viewer.layers.remove(one)

    def _ask(self, _event: object = None) -> None:
        if self._of is None:
            return
        layer, image, thresholds, smoothing = self._of
        axis = index = 0
        if len(image.shape) == 3:
            dims = self.viewer.dims
            axis = sliced_axis(dims.order, dims.ndim, 3)
            shown = in_units_of(layer, dims.point, getattr(dims, "units", None))
            place = layer.world_to_data(shown)[axis]
            index = min(max(round(float(place)), 0), image.shape[axis] - 1)
        self._work.ask(plane_of, image, axis, index, smoothing, thresholds)

    def _on_plane(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._of = None
            show_error(str(outcome.error))
            return
        plane: Plane = outcome.value
        if self._of is None or self._of[1] is not plane.image:
            return
        classes = len(self._of[2]) + 1
        if self.layer is not None and classes == self._classes:
            self.layer.data = plane.labels
            self.layer.translate = plane_placed(plane)["translate"]
            return
        self._classes = classes
        if self.layer is None:
            self._add(plane)
        else:
            self.layer.data = plane.labels
        self.layer.colormap = phase_colormap(class_phases(classes))

    def _add(self, plane: Plane) -> None:
        chosen = self.viewer.layers.selection.active
        self.layer = self.viewer.add_labels(
            plane.labels,
            name=NAME,
            opacity=0.6,
            metadata={KEY: {"role": PREVIEW}},
            **plane_placed(plane),
        )
        self.viewer.layers.selection.active = chosen

    def _on_removed(self, event: Any) -> None:
        if self.layer is not None and same_layer(event.value, self.layer):
            self.layer, self._of = None, None
            self._work.forget()
            self.deleted.emit()
