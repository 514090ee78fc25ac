"""Synthetic and translated images as layers, each with scale, units and axis labels; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.widgets.layer_data import AXES, KEY
from napari_superres.widgets.samples import LayerTuple, phase_layer

SYNTHETIC = "synthetic"
"""Role of layers that are results, and not to be guessed as inputs."""

Pixels = NDArray[np.uint8]

GREYS = tuple(
    Phase(value, f"{value}", f"#{value:02x}{value:02x}{value:02x}") for value in range(256)
)
"""What shows grey values where phases are expected: one a value."""


def image_layer(
    images: Any,
    phases: Sequence[Phase],
    pixel_size: float | None,
    name: str,
    role: str = SYNTHETIC,
) -> LayerTuple:
    """Return a layer of one image or a stack.

    Parameters
    ----------
    images : (Y, X) or (K, Y, X) uint8 grey values or phase indices
    phases : empty for grey values
    pixel_size : µm, None when unknown
    """
    placed = placed_by(pixel_size, images.ndim)
    if phases:
        return phase_layer(images, phases, name, role, **placed)
    return grey_layer(images, name, role, **placed)


def grey_layer(images: Any, name: str, role: str = SYNTHETIC, **arguments: Any) -> LayerTuple:
    """Return an Image layer of uint8 grey values, its pixels hard."""
    more = {
        "name": name,
        "metadata": {KEY: {"role": role}},
        "contrast_limits": (0, 255),
        "colormap": "gray",
        "interpolation2d": "nearest",
        "axis_labels": AXES[-images.ndim :],
    }
    return images, {**more, **arguments}, "image"


def placed_by(pixel_size: float | None, ndim: int) -> dict[str, Any]:
    """Return scale and units of images; those of a stack lie a pixel apart."""
    unit = "pixel" if pixel_size is None else "um"
    return {"scale": (pixel_size or 1.0,) * ndim, "units": (unit,) * ndim}


def add_layer(viewer: Any, layer: LayerTuple) -> Any:
    """Add a layer tuple to a viewer and return the layer."""
    data, arguments, kind = layer
    add = viewer.add_labels if kind == "labels" else viewer.add_image
    return add(data, **arguments)


def look_at(viewer: Any, layer: Any) -> None:
    """Let a layer fill the canvas; with an older napari, all layers."""
    if hasattr(viewer, "fit_to_view"):
        viewer.fit_to_view(layers=[layer])
    else:
        viewer.reset_view()


def beside(samples: Pixels, windows: Pixels) -> Pixels:
    """Return each sample with its nearest real window to its right, (K, Y, 2 X)."""
    return np.concatenate([samples, windows], axis=2)


def thresholded(images: Pixels, thresholds: Sequence[float]) -> Pixels:
    """Return phase indices of grey values."""
    from napari_superres.data.thresholds import classify

    return classify(images, thresholds)
