"""A box drawn in the viewer: a Shapes layer in the low-res volume's own coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

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
    drawn : called when a rectangle is drawn or moved
    """
    if REGION_LAYER not in viewer.layers:
        shapes = viewer.add_shapes(
            name=REGION_LAYER,
            ndim=3,
            scale=placement.scale,
            translate=placement.translate,
            rotate=placement.rotate,
            shear=placement.shear,
            affine=placement.affine,
            units=placement.units,
            axis_labels=placement.axis_labels,
            edge_color=BOX_COLOUR,
            face_color=BOX_COLOUR + "22",
            edge_width=0.3,
        )
        shapes.events.data.connect(lambda event: drawn() if is_drawn(event) else None)
    shapes = viewer.layers[REGION_LAYER]
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
