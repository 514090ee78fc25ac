"""What a translation of a layer takes and where its result lies; no Qt, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.files.ome_zarr import open_pyramid
from napari_superres.data.phases import Phase, values_of
from napari_superres.data.volumes import VoxelSize
from napari_superres.errors import ShapeError
from napari_superres.scale_factor import parse_scale_factor
from napari_superres.widgets.layers.data import slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.files import lazy_levels, shown_labels
from napari_superres.widgets.layers.notes import SYNTHETIC
from napari_superres.widgets.layers.placement import Placement, placement_of
from napari_superres.widgets.layers.scale import layer_voxel_size
from napari_superres.widgets.layers.shown import LayerTuple, grey_layer, shown_layer, with_path
from napari_superres.widgets.layers.view import LayerView, view_of


@dataclass(frozen=True, eq=False)
class Subject:
    """A layer to translate: read later, in the thread.

    Attributes
    ----------
    placement : of the layer, along all its axes
    """

    view: LayerView
    placement: Placement

    @property
    def voxel_size(self) -> VoxelSize | None:
        """µm, zyx; None when the layer has no units of length."""
        sizes = layer_voxel_size(self.view)
        if sizes is None:
            return None
        rows, columns = sizes[-2:]
        return (sizes[0] if self.view.ndim == 3 else rows, rows, columns)

    def read(self, phases: Sequence[Phase]) -> NDArray[np.uint8]:
        """Return (Z, Y, X) or (Y, X) label values, or grey values for a run without phases."""
        if phases and self.view.ndim == 2:
            slices = slices_from_layers([self.view])
            return values_of(slices.sets[0][0], slices.phases)
        if phases:
            volume = volume_from_layer(self.view)
            return values_of(volume.labels, volume.phases)
        array = np.asarray(self.view.data)
        if array.dtype != np.uint8 or self.view.rgb:
            raise ShapeError(
                f"{self.view.name} holds values of type {array.dtype}.",
                "8-bit grey values are needed.",
                "Convert it, with the same limits as the images that were trained on.",
            )
        return array


def subject_of(layer: Any) -> Subject:
    """Return a layer as something to translate."""
    if layer.ndim not in (2, 3):
        raise ShapeError(f"{layer.name} has {layer.ndim} axes.", "Two or three are needed.")
    return Subject(view_of(layer), placement_of(layer, layer.ndim))


def result_arguments(subject: Subject, scale_factor: int, axis: int) -> dict[str, Any]:
    """Return where a result lies that is finer along all axes but this one."""
    factors = ",".join("1" if a == axis else str(scale_factor) for a in range(3))
    return subject.placement.super_res(parse_scale_factor(factors))


def result_shape(shape: Sequence[int], scale_factor: int, axis: int) -> tuple[int, ...]:
    """Return the size of a result, of an image or a volume."""
    away = axis - (3 - len(shape))
    return tuple(n if a == away else n * scale_factor for a, n in enumerate(shape))


def outputs(output: Path | None, count: int) -> list[Path | None]:
    """Return a file for each realisation, numbered where there are several."""
    if output is None or count == 1:
        return [output] * count
    return [output.with_name(f"{output.stem}-{n}{output.suffix}") for n in range(1, count + 1)]


def result_layer(
    result: Any, phases: Sequence[Phase], subject: Subject, name: str, placed: dict[str, Any]
) -> LayerTuple:
    """Return the layer of a result: an array of values in memory, or the file it was written to.

    Files are read where the viewer looks.
    """
    levels = _levels(result) if isinstance(result, Path) else [result]
    if subject.view.ndim == 2:
        levels = [level[0] for level in levels]
    if phases:
        levels = [shown_labels(level, phases) for level in levels]
    data = levels if len(levels) > 1 else levels[0]
    if phases:
        layer = shown_layer(data, phases, name, SYNTHETIC, placed)
    else:
        _, arguments, kind = grey_layer(levels[0], name, SYNTHETIC, **placed)
        layer = data, arguments, kind
    return with_path(layer, result) if isinstance(result, Path) else layer


def _levels(path: Path) -> list[Any]:
    if path.suffix.lower() == ".zarr":
        return list(lazy_levels(open_pyramid(path)))
    import dask.array as da
    import tifffile

    from_array: Any = da.from_array  # without types
    stack: Any = tifffile.memmap(path, mode="r")
    stack = stack.reshape(stack.shape if stack.ndim == 3 else (1, *stack.shape))
    return [from_array(stack, chunks=(1, *stack.shape[1:]))]
