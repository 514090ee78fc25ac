"""The part of a form that chooses layers of images: open files, tick layers, say what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton, QWidget

from napari_superres.data.files.images import ImageSet, read_images
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.layers.images import ChosenImages, choose_images
from napari_superres.widgets.layers.notes import SYNTHETIC, role_of
from napari_superres.widgets.layers.shown import (
    LayerTuple,
    add_layer,
    image_layer,
    stacked,
    with_path,
)
from napari_superres.widgets.parts.layer_pickers import LayerChecklist, candidates, on_layers
from napari_superres.widgets.parts.layout import fill_column, new_form
from napari_superres.widgets.parts.timers import single_shot

HOLD = (("as they look: up to 8 values are phases", None), ("phases", True), ("grey values", False))


class ImagePicker(QWidget):
    """A checklist of layers, a button to open files.

    Parameters
    ----------
    what : what the images are called, such as "Low-res images"

    Signals
    -------
    chosen : other layers, or another kind
    """

    chosen = Signal()

    def __init__(self, viewer: Any, what: str) -> None:
        super().__init__()
        self.viewer = viewer
        self.open = QPushButton("Open images …")
        self.open.setToolTip(
            "TIFF (a stack counts as many), NPY, PNG or JPEG files, with their pixel size"
        )
        self.list, self.hold = LayerChecklist(), QComboBox()
        for text, value in HOLD:
            self.hold.addItem(text, value)
        form = new_form()
        form.addRow(what, self.list)
        form.addRow("They hold", self.hold)
        fill_column(self, self.open, form)
        # several layers may come at once
        self._later = single_shot(self, self.chosen)
        self.open.clicked.connect(self._ask)
        self.list.chosen.connect(self._later.start)
        self.hold.currentIndexChanged.connect(lambda _index: self.chosen.emit())
        on_layers(viewer, self._on_layers)
        self._on_layers()

    @property
    def layers(self) -> list[Any]:
        """The ticked layers."""
        return self.list.layers

    def choice(self) -> ChosenImages | None:
        """Return what is chosen, None without a layer."""
        layers = self.layers
        return choose_images(layers, self.hold.currentData()) if layers else None

    def choose(self, layers: list[Any]) -> None:
        """Tick these layers and no others."""
        self.list.choose(layers)

    def _on_layers(self, _event: object = None) -> None:
        self.list.refill([one for one in candidates(self.viewer) if role_of(one) != SYNTHETIC])

    def _ask(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Images", "", FILES)
        if paths:
            self.open_files([Path(path) for path in paths])

    def open_files(self, paths: list[Path]) -> None:
        """Open files as layers, in a thread, and choose them."""
        in_thread(image_layers, self._on_read, paths)

    def _on_read(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
            return
        added = [add_layer(self.viewer, layer) for layer in outcome.value]
        self.choose(added)
        self.viewer.reset_view()


FILES = "Images (*.tif *.tiff *.npy *.png *.jpg *.jpeg)"


def image_layers(paths: Sequence[Path]) -> list[LayerTuple]:
    """Read images as layers, a layer for each file; images of one size become a stack.

    Up to 8 distinct values are taken for phases, deeper grey values spread over 0 to 255
    with the limits of all files together.
    """
    every = read_images(paths)
    layers, first = [], 0
    for path in paths:
        count = len(read_images([path], every.segmented).images) if len(paths) > 1 else None
        last = len(every.images) if count is None else first + count
        part = ImageSet(every.images[first:last], every.phases, every.pixel_size, path.stem)
        layers += [_noted(layer, path) for layer in _layers(part)]
        first = last
    return layers


def _layers(images: ImageSet) -> list[LayerTuple]:
    return [
        image_layer(array, images.phases, images.pixel_size, images.name, "")
        for array in stacked(images.images)
    ]


def _noted(layer: LayerTuple, path: Path) -> LayerTuple:
    data, arguments, kind = layer
    if kind == "image":  # without a note of ours it counts as the person's own grey image
        return data, {**arguments, "metadata": {"path": str(path)}}, kind
    return with_path(layer, path)
