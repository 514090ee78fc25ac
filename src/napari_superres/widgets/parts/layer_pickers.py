"""Choosing layers: one from a list, or several with ticks; kept in step with the viewer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QListWidget, QListWidgetItem, QWidget

from napari_superres.widgets.layers.notes import KEY, PREVIEW, is_map, role_of, same_layer

LINES, FEWEST = 5, 3
"""Layers that a list shows without scrolling, and at least where there is little room."""
LIST_CHANGES = ("inserted", "removed", "reordered", "renamed")


def on_layers(viewer: Any, slot: Callable[..., Any]) -> None:
    """Call a slot when layers come, go, move or get another name."""
    for event in LIST_CHANGES:
        getattr(viewer.layers.events, event).connect(slot)


def candidates(viewer: Any) -> list[Any]:
    """Return the viewer's Labels and Image layers, topmost first; no previews, maps or swipes."""
    layers = [layer for layer in reversed(viewer.layers) if isinstance(layer, Labels | Image)]
    return [one for one in layers if role_of(one) != PREVIEW and not is_map(one)]


def grey_layers(viewer: Any) -> list[Any]:
    """Return the Image layers that may hold grey values: none made here, topmost first."""
    layers = [layer for layer in reversed(viewer.layers) if isinstance(layer, Image)]
    return [layer for layer in layers if KEY not in layer.metadata]


class LayerCombo(QComboBox):
    """A drop-down list of layers.

    Signals
    -------
    chosen : another layer (or none) is chosen, by a person or not
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.currentIndexChanged.connect(self.chosen)

    @property
    def layer(self) -> Any | None:
        """The chosen layer."""
        return self.currentData()

    def choose(self, layer: Any | None) -> None:
        """Choose a layer; None for no layer."""
        for index in range(self.count()):
            if same_layer(self.itemData(index), layer):
                self.setCurrentIndex(index)
                return

    def refill(self, layers: Sequence[Any]) -> None:
        """Show other layers, keeping the choice where it is still there."""
        before = self.layer
        with QSignalBlocker(self):
            self.clear()
            self.addItem("choose a layer …", None)
            for layer in layers:
                self.addItem(str(layer.name), layer)
            self.setCurrentIndex(0)
            self.choose(before)
        if before is not None and self.layer is None:
            self.chosen.emit()


class LayerChecklist(QListWidget):
    """A short list of layers with a tick each.

    Signals
    -------
    chosen : other layers are ticked, by a person or not
    picked : a person ticked a layer, with the mouse or the space bar
    """

    chosen = Signal()
    picked = Signal()
    _lines = LINES

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.itemChanged.connect(self._on_item)
        self.show_lines(LINES)

    def show_lines(self, lines: int) -> None:
        """Take the height of so many layers, whatever the size of the font."""
        self._lines = lines
        line = max(self.fontMetrics().height() + 2, self.sizeHintForRow(0))
        frame = 2 * self.frameWidth() + 4
        self.setMinimumHeight(min(lines, FEWEST) * line + frame)
        self.setMaximumHeight(lines * line + frame)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  Qt's name
        """Grow with the font: the theme sets its size after the list is made."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.show_lines(self._lines)

    @property
    def layers(self) -> list[Any]:
        """The ticked layers, in the list's order."""
        items = [self.item(row) for row in range(self.count())]
        return [
            item.data(Qt.ItemDataRole.UserRole)
            for item in items
            if item is not None and item.checkState() == Qt.CheckState.Checked
        ]

    def choose(self, layers: Sequence[Any]) -> None:
        """Tick these layers and no others."""
        with QSignalBlocker(self):
            for row in range(self.count()):
                self._tick(self.item(row), layers)
        self.chosen.emit()

    def refill(self, layers: Sequence[Any]) -> None:
        """Show other layers, keeping the ticks of those still there."""
        before = self.layers
        with QSignalBlocker(self):
            self.clear()
            for layer in layers:
                item = QListWidgetItem(str(layer.name))
                item.setData(Qt.ItemDataRole.UserRole, layer)
                item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled)
                self._tick(item, before)
                self.addItem(item)
        if len(self.layers) != len(before):
            self.chosen.emit()

    def _tick(self, item: QListWidgetItem | None, layers: Sequence[Any]) -> None:
        """Tick an item if its layer is among these, else untick it."""
        layer = item.data(Qt.ItemDataRole.UserRole)
        ticked = any(same_layer(layer, other) for other in layers)
        item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def _on_item(self, _item: QListWidgetItem) -> None:
        self.chosen.emit()
        self.picked.emit()
