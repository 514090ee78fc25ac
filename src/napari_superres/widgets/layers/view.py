"""A layer as it is at one moment, for threads, which must not touch the layer itself; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.data.boxes import Box
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.widgets.layers.data import finest, slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.notes import HIGH_RES, path_of, role_of
from napari_superres.widgets.layers.scale import linear_of


@dataclass(frozen=True, eq=False)
class LayerView:
    """What reading a layer needs.

    Attributes
    ----------
    data : array or lazy array, the finest level
    name, metadata, units, ndim, rgb : of the layer
    linear : matrix from voxels to the world, without the shift (ndim, ndim)
    path : of the file behind the layer
    """

    name: str
    data: Any
    metadata: Any
    units: Any
    ndim: int
    rgb: bool
    linear: Any
    path: Path | None = None


def view_of(layer: Any, box: Box | None = None) -> LayerView:
    """Return a view of a Labels or Image layer, or of a box of it.

    Parameters
    ----------
    box : in voxels of a three-dimensional layer; None for all of it
    """
    data = finest(layer)
    return LayerView(
        str(layer.name),
        data if box is None else data[box.slices()],
        dict(layer.metadata),
        tuple(layer.units),
        int(layer.ndim),
        bool(getattr(layer, "rgb", False)),
        linear_of(layer),
        path_of(layer),
    )


def read_view(view: LayerView) -> SegmentedVolume | SegmentedSlices:
    """Read a layer: a volume, or slices where it has two axes or is known as high-res."""
    if view.ndim == 2 or role_of(view) == HIGH_RES:
        return slices_from_layers([view])
    return volume_from_layer(view)
