"""What of a layer is in view: its place and scale, read for measuring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_superres.data.boxes import Box
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.widgets.layers.data import slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.roles import HIGH_RES, role_of
from napari_superres.widgets.layers.scale import linear_of


@dataclass(frozen=True, eq=False)
class LayerView:
    """What reading a layer takes, held apart from the layer: threads must not touch that."""

    name: str
    data: Any
    metadata: Any
    scale: Any
    units: Any
    ndim: int
    rgb: bool
    role: str | None
    linear: Any = None


def view_of(layer: Any, box: Box | None = None) -> LayerView:
    """Return a view of a Labels or Image layer, or of a box of it.

    Parameters
    ----------
    box : in voxels of a three-dimensional layer; None for all of it
    """
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    if box is not None:
        data = data[box.slices()]
    return LayerView(
        str(layer.name),
        data,
        dict(layer.metadata),
        np.array(layer.scale),
        tuple(layer.units),
        int(layer.ndim),
        bool(getattr(layer, "rgb", False)),
        role_of(layer),
        linear_of(layer),
    )


def read_view(view: LayerView) -> SegmentedVolume | SegmentedSlices:
    """Read a layer: a volume, or slices where it has two axes or is known as high-res."""
    if view.ndim == 2 or view.role == HIGH_RES:
        return slices_from_layers([view])
    return volume_from_layer(view)
