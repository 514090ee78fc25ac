"""A box drawn in the viewer, on a Shapes layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.boxes import Box
from napari_superres.widgets.geometry import box_of_vertices
from napari_superres.widgets.placement import Placement

REGION_LAYER = "region to generate"
BOX_COLOUR = "#e6007e"
"""Stands out from a black canvas, from a white one, and from the phases."""


def start_drawing(viewer: Any, placement: Placement, drawn: Callable[[], None]) -> None:
    """Make the region's Shapes layer, or take the one there is, ready for a rectangle.

    Parameters
    ----------
    placement : of the low-res volume; one unit of the layer is one of its voxels
    drawn : as for `draw_on`
    """
    draw_on(
        viewer,
        REGION_LAYER,
        drawn,
        scale=placement.scale,
        translate=placement.translate,
        rotate=placement.rotate,
        shear=placement.shear,
        affine=placement.affine,
        units=placement.units,
        axis_labels=placement.axis_labels,
        edge_width=0.3,
    )


def draw_on(viewer: Any, name: str, drawn: Callable[[], None], **arguments: Any) -> None:
    """Make a Shapes layer, or take the one there is, ready for a rectangle.

    Parameters
    ----------
    name : of the layer
    drawn : method called when a rectangle is drawn or moved
    arguments : where a new layer lies, and how wide its lines are
    """
    told = WeakMethod(drawn)  # the layer may outlive the panel

    def on_data(event: Any) -> None:
        method = told()
        if method is not None and is_drawn(event):
            method()

    if name not in viewer.layers:
        shapes = viewer.add_shapes(
            name=name, ndim=3, edge_color=BOX_COLOUR, face_color=BOX_COLOUR + "22", **arguments
        )
        shapes.events.data.connect(on_data)
    shapes = viewer.layers[name]
    viewer.layers.selection.active = shapes
    shapes.mode = "add_rectangle"


def is_drawn(event: Any) -> bool:
    """Whether a Shapes layer tells that a shape is complete."""
    action = str(getattr(event, "action", "")).rpartition(".")[2].lower()
    return action in ("added", "changed")


def drawn_region(viewer: Any, box: Box, bounds: Box) -> Box | None:
    """Return the low-res voxels that the last rectangle covers, None where there is none.

    Parameters
    ----------
    box : gives the axis across the slice
    bounds : the low-res volume
    """
    if REGION_LAYER not in viewer.layers or not len(viewer.layers[REGION_LAYER].data):
        return None
    shapes = viewer.layers[REGION_LAYER]
    displayed = list(viewer.dims.displayed)[-2:]
    found = box_of_vertices(np.asarray(shapes.data[-1]), box, displayed).within(bounds)
    return found if found.size else None


def vertices_on(layer: Any, shapes: Any) -> NDArray[np.float64]:
    """Return the corners of the last shape in the voxels of a 3D layer, (corners, 3)."""
    world = [shapes.data_to_world(corner) for corner in shapes.data[-1]]
    return np.array([layer.world_to_data(_three(corner)) for corner in world])


def _three(corner: Any) -> NDArray[np.float64]:
    """Return a world position with leading zeros for the axes a 2D layer lacks."""
    return np.concatenate([np.zeros(3 - len(corner)), np.asarray(corner, float)])
