"""Volumes, slices and images as layer tuples with scale, units and axis labels; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import VoxelSize
from napari_superres.widgets.layers.colours import phase_colormap
from napari_superres.widgets.layers.notes import KEY, SYNTHETIC, phase_note
from napari_superres.widgets.layers.placement import AXES

Pixels = NDArray[np.uint8]
LayerTuple = tuple[Any, dict[str, Any], str]
"""Data, arguments and kind ("labels" or "image") of a layer, as napari's readers return it."""

GREYS = tuple(
    Phase(value, f"{value}", f"#{value:02x}{value:02x}{value:02x}") for value in range(256)
)
"""What shows grey values where phases are expected: one a value."""


def phase_layer(
    labels: NDArray[np.uint8],
    phases: Sequence[Phase],
    name: str,
    role: str,
    **arguments: Any,
) -> LayerTuple:
    """Return a Labels layer of phase indices, shown as index + 1 in the phases' colours."""
    return shown_layer(labels + np.uint8(1), phases, name, role, arguments)


def shown_layer(
    shown: Any, phases: Sequence[Phase], name: str, role: str, arguments: Mapping[str, Any]
) -> LayerTuple:
    """Return a Labels layer of labels that are index + 1 already: an array, or levels of one."""
    ndim = shown[0].ndim if isinstance(shown, list) else shown.ndim
    more = {
        "name": name,
        "colormap": phase_colormap(phases),
        "metadata": phase_note(phases, role=role),
        "opacity": 1.0,
        "axis_labels": AXES[-ndim:],
    }
    return shown, {**more, **arguments}, "labels"


def image_layer(
    images: Any,
    phases: Sequence[Phase],
    pixel_size: float | None,
    name: str,
    role: str = SYNTHETIC,
) -> LayerTuple:
    """Return a layer of one image or a stack, whose images lie a pixel apart.

    Parameters
    ----------
    images : (Y, X) or (K, Y, X) uint8 grey values or phase indices
    phases : empty for grey values
    pixel_size : µm, None when unknown
    """
    size = None if pixel_size is None else (pixel_size, pixel_size, pixel_size)
    placed = placed_by(size, images.ndim)
    if phases:
        return phase_layer(images, phases, name, role, **placed)
    return grey_layer(images, name, role, **placed)


def grey_layer(images: Any, name: str, role: str = SYNTHETIC, **arguments: Any) -> LayerTuple:
    """Return an Image layer of uint8 grey values that shows each pixel sharply."""
    more = {
        "name": name,
        "metadata": {KEY: {"role": role}},
        "contrast_limits": (0, 255),
        "colormap": "gray",
        "interpolation2d": "nearest",
        "axis_labels": AXES[-images.ndim :],
    }
    return images, {**more, **arguments}, "image"


def stacked(images: Sequence[Pixels]) -> list[Pixels]:
    """Return images of one shape as one stack, others as they are."""
    if len(images) < 2 or len({image.shape for image in images}) > 1:
        return list(images)
    return [np.stack(images)]


def placed_by(voxel_size: VoxelSize | None, ndim: int) -> dict[str, Any]:
    """Return the scale and units of the last axes, from a voxel size in µm (zyx) or none."""
    unit = "pixel" if voxel_size is None else "um"
    return {"scale": (voxel_size or (1.0,) * 3)[-ndim:], "units": (unit,) * ndim}


def with_path(layer: LayerTuple, path: Path) -> LayerTuple:
    """Let a layer made here remember its file."""
    layer[1]["metadata"][KEY]["path"] = str(path)
    return layer


def add_layer(viewer: Any, layer: LayerTuple) -> Any:
    """Add a layer tuple to a viewer and return the layer."""
    data, arguments, kind = layer
    add = viewer.add_labels if kind == "labels" else viewer.add_image
    return add(data, **arguments)


def zoom_to(viewer: Any, layer: Any) -> None:
    """Let a layer fill the canvas; with an older napari, all layers."""
    if hasattr(viewer, "fit_to_view"):
        viewer.fit_to_view(layers=[layer])
    else:
        viewer.reset_view()
