"""Which layers are visible for a while, and again as they were after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_superres.widgets.layers.notes import unwrapped


class Visibility:
    """Shows and hides layers of a viewer, and remembers how they were.

    Napari redraws a layer whose visibility is set, even to what it was: only what changes is set.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self._before: dict[Any, bool] = {}

    def show(self, layer: Any, visible: bool) -> None:
        """Show or hide a layer."""
        self._before.setdefault(unwrapped(layer), bool(layer.visible))
        _set(layer, visible)

    def show_only(self, layers: Sequence[Any]) -> None:
        """Show these layers and no others."""
        wanted = [unwrapped(layer) for layer in layers]
        for layer in self.viewer.layers:
            self.show(layer, unwrapped(layer) in wanted)

    def restore(self) -> None:
        """Show and hide again what was touched and is still there."""
        before, self._before = self._before, {}
        for layer in self.viewer.layers if before else ():
            if unwrapped(layer) in before:
                _set(layer, before[unwrapped(layer)])


def _set(layer: Any, visible: bool) -> None:
    if bool(layer.visible) != visible:
        layer.visible = visible
