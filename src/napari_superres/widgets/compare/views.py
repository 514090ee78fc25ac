"""Ways to look at several layers: a grid, blinking between two, and a swipe."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from napari.experimental import link_layers, unlink_layers
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, QTimer, Signal

from napari_superres.data.phases import Phase
from napari_superres.widgets.compare.swipe_array import SwipeArray
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.layers.box_drawing import shown_axes
from napari_superres.widgets.layers.colours import phase_colormap
from napari_superres.widgets.layers.notes import KEY, unwrapped
from napari_superres.widgets.layers.placement import placement_of
from napari_superres.widgets.layers.visibility import Visibility

LINKED = ("opacity", "blending", "contour")


class GridView:
    """Chosen layers beside each other, with one camera, one slider and linked settings."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self._visibility = Visibility(viewer)
        self._linked: list[Any] = []
        self._before: tuple[Any, float] | None = None

    def show(self, layers: Sequence[Any]) -> None:
        """Show layers in a grid, the lowest first, each with its name; none for no grid."""
        self.end()
        if not layers:
            return
        self._visibility.show_only(layers)
        camera = self.viewer.scene.camera
        self._before = (tuple(camera.center), float(camera.zoom))
        grid = self.viewer.canvas.grid
        grid.stride = 1  # the lowest layer, the low-res volume, comes first
        grid.shape = (1, -1) if len(layers) < 4 else (-1, -1)
        grid.spacing = 4
        grid.enabled = True
        self._linked = [unwrapped(layer) for layer in layers]
        for layer in layers:
            layer.name_overlay.visible = True
        if len({type(layer) for layer in self._linked}) == 1 < len(self._linked):
            link_layers(self._linked, LINKED)
        self.viewer.fit_to_view(layers=self._linked)

    def end(self) -> None:
        """Show layers over each other again."""
        if not self._linked:
            return
        for layer in self._linked:
            layer.name_overlay.visible = False
        with suppress(ValueError, KeyError):
            unlink_layers(self._linked)
        self._linked = []
        self.viewer.canvas.grid.enabled = False
        self._visibility.restore()
        if self._before is not None:
            camera = self.viewer.scene.camera
            camera.center, camera.zoom = self._before


class Blinker(QObject):
    """Shows two layers in turn."""

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._visibility = Visibility(viewer)
        self._pair: tuple[Any, ...] = ()
        self._turn = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.flip)

    @property
    def active(self) -> bool:
        """Whether layers are shown in turn."""
        return self._timer.isActive()

    def start(self, first: Any, second: Any, seconds: float) -> None:
        """Show the first layer, then the second, and so on."""
        self.stop()
        self._pair, self._turn = (unwrapped(first), unwrapped(second)), 1
        self.flip()
        self._timer.start(round(1000 * seconds))

    def set_pace(self, seconds: float) -> None:
        """Change how long each layer is shown."""
        self._timer.setInterval(round(1000 * seconds))

    def flip(self) -> None:
        """Show the other one; ends when one of the two is gone."""
        present = [unwrapped(layer) for layer in self.viewer.layers]
        if not self._pair or any(layer not in present for layer in self._pair):
            self.stop()
            return
        self._turn = 1 - self._turn
        self._visibility.show_only([self._pair[self._turn]])

    def stop(self) -> None:
        """Show what was visible before."""
        self._timer.stop()
        if self._pair:
            self._pair = ()
            self._visibility.restore()


class Swiper(QObject):
    """A layer that shows one volume left of a cut and another one right of it."""

    _missed = Signal()

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._visibility = Visibility(viewer)
        self.array: SwipeArray | None = None
        self._layer: Any = None
        self._work = Latest(self, eager=True)
        self._work.done.connect(self._on_whole)
        self._missed.connect(self._join)

    @property
    def gone(self) -> bool:
        """Whether the layer was deleted."""
        present = [unwrapped(one) for one in self.viewer.layers]
        return self._layer is not None and self._layer not in present

    def start(self, first: Any, array: SwipeArray, phases: Sequence[Phase], name: str) -> None:
        """Show the swipe in the place of `first`."""
        self.stop()
        self.array = array
        array.missed = self._on_missed
        self._visibility.show_only([])
        layer = self.viewer.add_labels(
            array,
            name=name,
            opacity=1.0,
            metadata={KEY: {"map": "swipe", "role": ""}},
            colormap=phase_colormap(phases),
            **placement_of(first).arguments,
        )
        layer.editable = False
        self._layer = unwrapped(layer)

    def move(self, share: float) -> None:
        """Put the cut at a share of the shown width, 0 to 1."""
        if self.array is None or self._layer is None or self.gone:
            return
        self.array.axis = (shown_axes(self.viewer) or [self.array.axis])[-1]
        self.array.cut = round(share * self.array.shape[self.array.axis])
        if self.viewer.dims.ndisplay == 3 and not self.array.ready:
            self._join()  # shown once it is joined
        else:
            self._layer.refresh()

    def stop(self) -> None:
        """Remove the layer and show what was visible before."""
        if self.array is None:
            return
        self._work.forget()
        self.array = None
        for layer in list(self.viewer.layers):
            if unwrapped(layer) is self._layer:
                self.viewer.layers.remove(layer)
        self._layer = None
        self._visibility.restore()

    def _on_missed(self) -> None:
        with suppress(RuntimeError):  # the panel is closed, its layer still there
            self._missed.emit()

    def _join(self) -> None:
        if self.array is not None and not self.array.ready:
            self._work.ask(_whole, self.array, self.array.axis, self.array.cut)

    def _on_whole(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
            return
        array, *taken = outcome.value
        if array is self.array and self._layer is not None:
            array.take_whole(*taken)
            self._layer.refresh()


def _whole(array: SwipeArray, axis: int, cut: int) -> tuple[Any, ...]:
    return array, array.whole(axis, cut), axis, cut
