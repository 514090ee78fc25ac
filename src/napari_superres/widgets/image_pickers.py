"""The part of a form that chooses layers of images: open files, tick layers, say what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_superres.widgets.gallery_results import SYNTHETIC, add_layer
from napari_superres.widgets.input_roles import role_of
from napari_superres.widgets.layer_pickers import LayerChecklist, candidates
from napari_superres.widgets.patches_files import FILES, image_layers
from napari_superres.widgets.patches_layers import ChosenImages, choose_images
from napari_superres.widgets.step import new_form
from napari_superres.widgets.threads import Outcome, in_thread

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.open)
        layout.addLayout(form)
        # several layers may come at once
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.chosen)
        self.open.clicked.connect(self._ask)
        self.list.chosen.connect(self._later.start)
        self.hold.currentIndexChanged.connect(lambda _index: self.chosen.emit())
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
            event.connect(self._on_layers)
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
        layers = candidates(self.viewer)
        for layer in layers:
            layer.events.name.disconnect(self._on_layers)
            layer.events.name.connect(self._on_layers)
        self.list.refill([one for one in layers if role_of(one) != SYNTHETIC])

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
