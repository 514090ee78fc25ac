"""What covers the volume to be exported is out of sight while its crop box is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.layers import Image

from napari_superres.widgets.input_roles import SUPER_RES, role_of
from napari_superres.widgets.layer_pickers import is_map, same
from napari_superres.widgets.proxies import bare


class LaidAside:
    """Hides maps and other realisations while the crop box is the layer in use.

    They come back when another layer is selected, the crop box is removed, or `end` is
    called. Whatever else the person has put over the volume stays.

    Parameters
    ----------
    drawing : name of the Shapes layer of the box
    volume : returns the layer to be seen, None where there is none
    """

    def __init__(self, viewer: Any, drawing: str, volume: Callable[[], Any]) -> None:
        self.viewer, self.drawing, self.volume = viewer, drawing, volume
        self._hidden: list[Any] = []
        viewer.layers.selection.events.active.connect(self.refresh)

    def refresh(self, _event: object = None) -> None:
        """Hide or show, as the selected layer and the chosen volume have it now."""
        self.end()
        active = self.viewer.layers.selection.active
        if active is None or active.name != self.drawing:
            return
        volume = self.volume()
        if volume is None:
            return
        for layer in self.viewer.layers:
            if layer.visible and covers(layer) and not same(layer, volume):
                self._hidden.append(bare(layer))
                layer.visible = False

    def end(self) -> None:
        """Show again what was hidden, as far as it is still there."""
        hidden, self._hidden = self._hidden, []
        if not hidden:
            return
        for layer in self.viewer.layers:
            if bare(layer) in hidden:
                layer.visible = True


def covers(layer: Any) -> bool:
    """Whether a layer fills the place of a generated volume: a map of it, or another one."""
    return (isinstance(layer, Image) and is_map(layer)) or role_of(layer) == SUPER_RES
