"""Sets of images, greyscale or segmented, read from napari layers; no Qt.

Layers are chosen on the main thread, which costs nothing; pixels are read later, in
the thread that works with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_superres.data.files.images import FEW_VALUES, ImageSet
from napari_superres.errors import ShapeError
from napari_superres.widgets.layers.data import slices_from_layers, slices_voxel_size
from napari_superres.widgets.layers.notes import unwrapped
from napari_superres.widgets.layers.view import LayerView, view_of

Planes = tuple[int, int, int]
"""Images in a layer, and rows and columns of each."""


@dataclass(frozen=True, eq=False)
class ChosenImages:
    """Layers that hold images of one material.

    Attributes
    ----------
    views : of the layers
    segmented : whether they hold phases; None for yes with few distinct values
    """

    views: tuple[LayerView, ...]
    segmented: bool | None = None

    @property
    def paths(self) -> tuple[Path | None, ...]:
        """The files behind the layers, None for what lives in memory only."""
        return tuple(view.path for view in self.views)

    @property
    def name(self) -> str:
        """The layers' names."""
        return " + ".join(view.name for view in self.views)

    @property
    def shapes(self) -> tuple[Planes, ...]:
        """Number and size of each layer's images; ShapeError where a layer has none."""
        return tuple(_planes(view) for view in self.views)

    def read(self) -> ImageSet:
        """Return the images; slow for large ones.

        Raises
        ------
        InputError
            The layers hold no images, or not what was asked for.
        """
        _ = self.shapes
        arrays = [np.asarray(view.data) for view in self.views]
        if _segmented(self, arrays):
            return ImageSet.from_slices(slices_from_layers(self.views))
        sizes = slices_voxel_size(self.views)
        return ImageSet.from_grey(arrays, None if sizes is None else sizes[-1], self.name)


def choose_images(layers: Sequence[Any], segmented: bool | None = None) -> ChosenImages:
    """Return a choice of layers.

    Parameters
    ----------
    layers : napari Image or Labels layers
    segmented : whether they hold phases; None to take Labels for phases, and images
        with few distinct values too
    """
    labels = any(type(unwrapped(one)).__name__ == "Labels" for one in layers)
    known = True if segmented is None and labels else segmented
    return ChosenImages(tuple(view_of(layer) for layer in layers), known)


def _segmented(chosen: ChosenImages, arrays: Sequence[Any]) -> bool:
    if chosen.segmented is not None:
        return chosen.segmented
    if any(array.dtype.kind not in "iub" for array in arrays):
        return False
    values = np.unique(np.concatenate([np.unique(array) for array in arrays]))
    return len(values) <= FEW_VALUES


def _planes(view: LayerView) -> Planes:
    shape = tuple(int(size) for size in view.data.shape)
    if view.rgb or len(shape) not in (2, 3):
        kind = "colours" if view.rgb else f"{len(shape)} axes"
        raise ShapeError(
            f"{view.name} has {kind}, shape {shape}.",
            "Grey values or labels with rows and columns, or a stack of such, are needed.",
            "Convert it, or choose another layer.",
        )
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (1, shape[0], shape[1])
