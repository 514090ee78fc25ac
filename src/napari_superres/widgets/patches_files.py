"""Open a person's images with their pixel size, which napari's TIFF reader drops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_superres.data.images import ImageSet, read_images
from napari_superres.widgets.gallery_results import image_layer
from napari_superres.widgets.layer_data import KEY
from napari_superres.widgets.samples import LayerTuple

FILES = "Images (*.tif *.tiff *.npy *.png *.jpg *.jpeg)"


def image_layers(paths: Sequence[Path]) -> list[LayerTuple]:
    """Read images as layers, a layer for each file; images of one size become a stack.

    Up to 8 distinct values are taken for phases, deeper grey values spread over 0 to 255
    with the limits of all files together.

    Raises
    ------
    InputError
        A file cannot be read, or holds no image.
    """
    every = read_images(paths)
    layers, first = [], 0
    for path in paths:
        count = len(read_images([path], every.segmented).images) if len(paths) > 1 else None
        last = len(every.images) if count is None else first + count
        part = ImageSet(every.images[first:last], every.phases, every.pixel_size, path.stem)
        layers += [_noted(layer, path) for layer in _layers(part)]
        first = last
    return layers


def _layers(images: ImageSet) -> list[LayerTuple]:
    same = len({image.shape for image in images.images}) == 1
    arrays = list(images.images)
    if same:
        arrays = [np.stack(arrays) if len(arrays) > 1 else arrays[0]]
    return [
        image_layer(array, images.phases, images.pixel_size, images.name, "") for array in arrays
    ]


def _noted(layer: LayerTuple, path: Path) -> LayerTuple:
    data, arguments, kind = layer
    if kind == "image":  # without a note of ours it counts as the person's own grey image
        return data, {**arguments, "metadata": {"path": str(path)}}, kind
    arguments["metadata"][KEY]["path"] = str(path)
    return layer
