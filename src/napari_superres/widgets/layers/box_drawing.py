"""A box drawn in the viewer, on a Shapes layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakMethod

import numpy as np
from napari.layers import Shapes
from numpy.typing import NDArray

from napari_superres.data.boxes import Box
from napari_superres.widgets.layers.geometry import box_of_vertices
from napari_superres.widgets.layers.notes import KEY, same_layer, unwrapped
from napari_superres.widgets.layers.placement import Placement, placement_of
from napari_superres.widgets.layers.scale import in_units_of, micrometres

REGION_LAYER = "region to generate"
BOX_COLOUR = "#e6007e"
"""Stands out from a black canvas, from a white one, and from the phases."""

_drawn: WeakKeyDictionary[Any, WeakMethod[Callable[[], None]]] = WeakKeyDictionary()
"""What to call by Shapes layer, which may outlive the panel."""


def start_drawing(viewer: Any, placement: Placement, drawn: Callable[[], None]) -> None:
    """Make the region's Shapes layer, or take the one there is, ready for a rectangle.

    Parameters
    ----------
    placement : of the low-res volume; one unit of the layer is one of its voxels
    drawn : as for `draw_on`
    """
    before = _shapes_called(viewer, REGION_LAYER)
    if before is not None and not _lies_at(before, placement):
        viewer.layers.remove(before)  # it was drawn on the volume of another run
    draw_on(viewer, REGION_LAYER, drawn, edge_width=0.3, **placement.arguments)


def draw_on(viewer: Any, name: str, drawn: Callable[[], None], **arguments: Any) -> None:
    """Make a Shapes layer, or take the one there is, ready for a rectangle.

    Parameters
    ----------
    name : of the layer
    drawn : method called when a rectangle is drawn or moved, instead of the one before
    arguments : where a new layer lies, and how wide its lines are
    """
    shapes = _shapes_called(viewer, name)
    if shapes is None:
        shapes = viewer.add_shapes(
            name=name, ndim=3, edge_color=BOX_COLOUR, face_color=BOX_COLOUR + "22", **arguments
        )
    if unwrapped(shapes) not in _drawn:
        shapes.events.data.connect(_on_data)
    _drawn[unwrapped(shapes)] = WeakMethod(drawn)
    viewer.layers.selection.active = shapes
    shapes.mode = "add_rectangle"


def _on_data(event: Any) -> None:
    known = _drawn.get(unwrapped(event.source))
    method = known() if known is not None else None
    if method is not None and is_drawn(event):
        method()


def _shapes_called(viewer: Any, name: str) -> Any | None:
    found = [one for one in viewer.layers if one.name == name and isinstance(one, Shapes)]
    return found[0] if found else None


def _lies_at(shapes: Any, placement: Placement) -> bool:
    now = placement_of(shapes)
    units = [[micrometres(unit) for unit in one.units] for one in (now, placement)]
    return units[0] == units[1] and all(
        np.allclose(getattr(now, name), getattr(placement, name))
        for name in ("scale", "translate", "rotate", "shear", "affine")
    )


def drawn_layer(viewer: Any) -> Any | None:
    """Return the Shapes layer whose last rectangle counts: the selected one, else the topmost.

    Those without a shape, and the grids of patches made here, are none.
    """
    shapes = [
        one
        for one in viewer.layers
        if isinstance(one, Shapes) and len(one.data) and KEY not in one.metadata
    ]
    active = viewer.layers.selection.active
    chosen = [one for one in shapes if same_layer(one, active)]
    return (chosen or shapes[-1:] or [None])[0]


def is_drawn(event: Any) -> bool:
    """Whether an event of a Shapes layer says that a shape is complete."""
    action = str(getattr(event, "action", "")).rpartition(".")[2].lower()
    return action in ("added", "changed")


def drawn_region(viewer: Any, box: Box, bounds: Box) -> Box | None:
    """Return the low-res voxels that the last rectangle covers, None where there is none.

    Parameters
    ----------
    box : gives the axis across the slice
    bounds : the low-res volume
    """
    shapes = _shapes_called(viewer, REGION_LAYER)
    if shapes is None or not len(shapes.data):
        return None
    found = box_of_vertices(np.asarray(shapes.data[-1]), box, shown_axes(viewer)).within(bounds)
    return found if found.size else None


def shown_axes(viewer: Any) -> list[int]:
    """Return which axes of a volume (0 z, 1 y, 2 x) the slice in view shows: rows, columns.

    A viewer that also holds time steps or channels has axes before those of the volume.
    """
    first = int(viewer.dims.ndim) - 3
    return [int(axis) - first for axis in viewer.dims.displayed[-2:] if axis >= first]


def vertices_on(layer: Any, shapes: Any) -> NDArray[np.float64]:
    """Return the corners of the last shape in the voxels of a 3D layer, (corners, 3)."""
    world = [np.asarray(shapes.data_to_world(corner), float) for corner in shapes.data[-1]]
    # of a layer of two axes the first is not known, of one of four it is time or the like
    three = [np.concatenate([np.zeros(max(3 - len(at), 0)), at])[-3:] for at in world]
    own = [in_units_of(layer, at, shapes.units) for at in three]
    return np.array([layer.world_to_data(at) for at in own])
