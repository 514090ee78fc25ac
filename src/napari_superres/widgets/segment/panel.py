"""Segment greyscale layers by thresholds: multi-Otsu's or one's own, with a live preview."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from html import escape
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtGui import QHideEvent, QShowEvent

from napari_superres.data.grey import multi_otsu
from napari_superres.errors import SuperResError
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.layers.colours import theme_colours
from napari_superres.widgets.layers.notes import same_layer
from napari_superres.widgets.layers.shown import add_layer, shown_layer
from napari_superres.widgets.parts.layer_pickers import grey_layers, on_layers
from napari_superres.widgets.parts.layout import Fold, fill_step
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.segment.form import SegmentForm
from napari_superres.widgets.segment.plan import (
    GreyImage,
    Sampled,
    SegmentedImage,
    class_phases,
    empty_line,
    first_thresholds,
    grey_image,
    likely_role,
    moved,
    sample_image,
    sample_line,
    segment_events,
    shares_line,
)
from napari_superres.widgets.segment.preview import SegmentPreview


class SegmentPanel(Step):
    """Segment a greyscale layer; nothing is read while the panel is not visible.

    Signals
    -------
    segmented : the new layer
    """

    title = "Segment"
    segmented = Signal(object)

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self.image: GreyImage | None = None
        self.thresholds: tuple[float, ...] = ()
        self._sampled: Sampled | None = None
        self.source: Any | None = None
        """The layer that was segmented last, or is being segmented."""
        self._role = ""  # of the source: another may be chosen before it is done
        self._sampling = Latest(self)
        self.preview = SegmentPreview(self.viewer, self)
        self.runner = self.session.new_runner()
        self.form = SegmentForm(self.runner)
        fill_step(self, self.form)
        self._connect()
        self._on_layers()

    def _connect(self) -> None:
        on_layers(self.viewer, self._on_layers)
        self.viewer.events.theme.connect(self._draw)
        self.form.layer.chosen.connect(self._on_layer)
        self.form.classes.valueChanged.connect(self.estimate)
        self.form.otsu.clicked.connect(self.estimate)
        self.form.histogram.dragged.connect(self._on_moved)
        self.form.row.moved.connect(self._on_moved)
        self.form.smooth.valueChanged.connect(self._sample_again)
        self.form.alone.toggled.connect(self._sample_again)
        self.form.show_preview.toggled.connect(self._show_preview)
        self.preview.deleted.connect(self._on_preview_deleted)
        self._sampling.done.connect(self._on_sampled)
        self.form.apply.clicked.connect(self.start)
        self.runner.state_changed.connect(self._refresh)

    def choose(self, layer: Any) -> None:
        """Choose a layer to segment."""
        self.form.layer.choose(layer)

    def estimate(self) -> None:
        """Set the thresholds by multi-Otsu."""
        if self._sampled is None:
            return
        try:
            self._set(multi_otsu(self._sampled.sample, self.form.classes.value()))
        except SuperResError as error:
            self._set(first_thresholds(self._sampled.sample, self.form.classes.value()))
            self.form.note.setText(str(error))

    def start(self) -> None:
        """Segment the whole image in a thread, where it lies now."""
        image, thresholds, smoothing = self._image_now(), self.thresholds, self.form.smoothing
        if image is None or not thresholds or self.form.job.active:
            return
        self.source, self._role = self.form.layer.layer, self.form.role.currentData()
        self.form.job.begin(
            f"Segmenting {image.name}",
            lambda stop: segment_events(image, thresholds, smoothing, stop),
            self._add,
        )

    def _add(self, made: SegmentedImage) -> None:
        self.form.note.setText("")
        self.form.show_preview.setChecked(False)
        name, placed = f"{made.image.name} segmented", made.image.placement.arguments
        layer = add_layer(
            self.viewer,
            shown_layer(made.labels, class_phases(made.classes), name, self._role, placed),
        )
        show_info(f"{layer.name} is ready. Name its phases in the Data step.")
        self.segmented.emit(layer)

    def _image_now(self) -> GreyImage | None:
        """Return the chosen image; None, sampling it again, if the layer has other data by now."""
        layer, before = self.form.layer.layer, self.image
        if layer is None or before is None:
            return None
        with suppress(SuperResError):
            image = grey_image(layer)
            if image.data is before.data:
                return image
        self._on_layer()
        show_info(f"{layer.name} has other values by now: look at the thresholds again.")
        return None

    def update_view(self) -> None:
        """Sample the chosen image if the panel is open, else remove the preview."""
        if self._open and self.image is None:
            self._on_layer()
        self._show_preview()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Sample the image once the panel is visible."""
        super().showEvent(event)
        self.update_view()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  Qt's name
        """Remove the preview with the panel."""
        super().hideEvent(event)
        self.preview.hide()

    def leave(self) -> None:
        """Remove the preview with the dock."""
        self.preview.hide()

    @property
    def _open(self) -> bool:
        return not self.closed and self.isVisibleTo(self.window())

    def _on_layers(self, _event: object = None) -> None:
        layers = grey_layers(self.viewer)
        self.form.layer.refill(layers)
        if self.form.layer.layer is None and layers:
            self.form.layer.choose(layers[0])
        self._refresh()

    def _on_layer(self) -> None:
        self.image, self._sampled, self.thresholds = None, None, ()
        self.preview.hide()
        self._sampling.forget()
        self.form.note.setText("")
        layer = self.form.layer.layer
        if layer is not None and self._open:
            try:
                self.image = grey_image(layer)
            except SuperResError as error:
                self.form.note.setText(f"<b>Cannot be segmented.</b> {escape(str(error))}")
            else:
                self.form.role.setCurrentIndex(
                    self.form.role.findData(likely_role(self.image.shape))
                )
                self._sample_again()
        self._draw()

    def _sample_again(self) -> None:
        self._refresh()
        if self.image is not None:
            self.form.note.setText("Looking at the grey values …")
            classes, smoothing = self.form.classes.value(), self.form.smoothing
            self._sampling.ask(sample_image, self.image, classes, smoothing)

    def _on_sampled(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._sampled, self.thresholds = None, ()
            self.form.note.setText(f"<b>Cannot be segmented.</b> {escape(str(outcome.error))}")
            self._draw()
            self._show_preview()
            return
        if outcome.value.image is not self.image:
            return
        first = self._sampled is None
        self._sampled = outcome.value
        self.form.note.setText(sample_line(self._sampled.sample))
        self.form.row.show_range(self._sampled.sample)
        self.form.histogram.show_sample(self._sampled.sample, theme_colours(self.viewer))
        if first and len(self._sampled.thresholds) + 1 != self.form.classes.value():
            self.estimate()  # another number was chosen meanwhile
        else:
            self._set(self._sampled.thresholds if first else self.thresholds)

    def _on_moved(self, index: int, value: float) -> None:
        if self._sampled is not None:
            self._set(moved(self.thresholds, index, value, self._sampled.sample.whole_numbers))

    def _set(self, thresholds: tuple[float, ...]) -> None:
        self.thresholds = thresholds
        with QSignalBlocker(self.form.classes):
            self.form.classes.setValue(len(thresholds) + 1)
        self.form.histogram.show_thresholds(thresholds, class_phases(len(thresholds) + 1))
        self._refresh()
        self._show_preview()

    def _draw(self, _event: object = None) -> None:
        self.form.histogram.show_sample(
            self._sampled.sample if self._sampled else None, theme_colours(self.viewer)
        )
        if self._sampled is not None:
            self._set(self.thresholds)
        self._refresh()

    def _refresh(self) -> None:
        known, active = self._sampled is not None and bool(self.thresholds), self.runner.active
        self.form.row.show_thresholds(self.thresholds if known else ())
        self.form.offer(self.image.shape if self.image else None, known, active)
        text = ""
        if known and self._sampled is not None:
            shares = self._sampled.sample.shares(self.thresholds)
            background = theme_colours(self.viewer).background
            text = "<br>".join(filter(None, (shares_line(shares, background), empty_line(shares))))
        self.form.shares.setText(text)

    def _show_preview(self, _on: object = None) -> None:
        layer = self.form.layer.layer
        wanted = self.form.show_preview.isChecked() and self._open and bool(self.thresholds)
        if wanted and self.image is not None and layer is not None:
            self.preview.show(layer, self.image, self.thresholds, self.form.smoothing)
        else:
            self.preview.hide()

    def _on_preview_deleted(self) -> None:
        self.form.show_preview.setChecked(False)


class SegmentFold(Fold):
    """The segment panel in a fold; closed, it reads nothing."""

    def __init__(self, viewer: Any, session: Session) -> None:
        super().__init__("Segment greyscale layers")
        self.button.setToolTip("For images with grey values rather than phases")
        self.panel = SegmentPanel(viewer, session)
        self.panel.layout().setContentsMargins(0, 0, 0, 0)
        self.addWidget(self.panel)
        self.toggled.connect(self.panel.update_view)

    def open_for(self, layers: Sequence[Any]) -> None:
        """Unfold it, with the first greyscale layer among these chosen."""
        self.expand()
        for layer in grey_layers(self.panel.viewer):
            if any(same_layer(layer, one) for one in layers):
                self.panel.choose(layer)
                break
        self.panel.form.layer.setFocus()
