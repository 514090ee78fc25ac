"""Open a person's own files with their voxel sizes, which napari's TIFF reader drops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_superres.data.files.segmented import read_slices, read_volume
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES
from napari_superres.widgets.layers.shown import LayerTuple, phase_layer, placed_by, with_path

FILES = "Segmented images (*.tif *.tiff *.npy *.zarr zarr.json .zattrs .zgroup)"
"""An OME-Zarr volume is a folder, into which a dialog for files leads: see `named_path`."""
WITHIN = ("zarr.json", ".zattrs", ".zgroup")


def named_path(path: Path) -> Path:
    """Return the OME-Zarr folder that a file chosen within it stands for, else the path."""
    return path.parent if path.name in WITHIN and path.parent.suffix == ".zarr" else path


def volume_layers(path: Path) -> list[LayerTuple]:
    """Read a low-res volume as a layer.

    Raises
    ------
    InputError
        The file cannot be read, or is no segmented volume.
    """
    path = named_path(path)
    volume = read_volume(path)
    placed = placed_by(volume.voxel_size, 3)
    layer = phase_layer(volume.labels, volume.phases, path.stem, LOW_RES, **placed)
    return [with_path(layer, path)]


def slices_layers(paths: Sequence[Path]) -> list[LayerTuple]:
    """Read high-res slices, a layer for each file; a stack becomes a stack.

    Raises
    ------
    InputError
        A file cannot be read, or holds no segmented slices.
    """
    layers = []
    for path in map(named_path, paths):
        slices = read_slices([path])
        images = slices.sets[0]
        same = len({image.shape for image in images}) == 1
        arrays = [np.stack(images) if len(images) > 1 else images[0]] if same else list(images)
        for array in arrays:
            placed = placed_by(slices.voxel_size, array.ndim)
            layer = phase_layer(array, slices.phases, path.stem, HIGH_RES, **placed)
            layers.append(with_path(layer, path))
    return layers
