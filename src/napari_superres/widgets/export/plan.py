"""What an export writes, decided without Qt and written in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_superres.data.boxes import Box
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import VoxelSize
from napari_superres.scale_factor import parse_scale_factor
from napari_superres.widgets.layers.data import finest, values_of_shown
from napari_superres.widgets.layers.files import BOX, PLACED
from napari_superres.widgets.layers.geometry import border_box, export_box, format_region
from napari_superres.widgets.layers.notes import KEY, layer_phases
from napari_superres.widgets.layers.scale import layer_voxel_size, micrometres

Flavour = Literal["imagej", "ome"]


@dataclass(frozen=True, eq=False)
class ExportPlan:
    """One file to write.

    Attributes
    ----------
    labels : (Z, Y, X) shown labels, index + 1
    box : voxels to write
    voxel_size : µm zyx, None when the layer has no units of length
    offset : µm of the first exported voxel's centre
    """

    labels: Any
    box: Box
    phases: tuple[Phase, ...]
    voxel_size: VoxelSize | None
    offset: VoxelSize | None
    provenance: Mapping[str, str]
    flavour: Flavour


def border_of(layer: Any) -> Box:
    """Return the box of a generated layer without the border that lacked context.

    One low-res voxel goes from each face, unless the generation left it out already.
    """
    note, shape = layer.metadata[KEY], layer.data.shape
    if note.get("border_dropped"):
        return Box.whole(shape)
    return border_box(shape, parse_scale_factor(note["scale_factor"]))


def plan_export(layer: Any, box: Box, border: Box | None, flavour: Flavour) -> ExportPlan:
    """Return the plan for a part of a generated layer."""
    inside = export_box(box, layer.data.shape, border)
    sizes = layer_voxel_size(layer)
    provenance = dict(layer.metadata[KEY].get("provenance", {}))
    provenance.pop(PLACED, None)  # of the file that the layer was read from
    provenance[BOX] = format_region(inside)
    voxel_size = offset = None
    z, y, x = (float(at) for at in layer.data_to_world(inside.start))
    if sizes is not None:
        voxel_size = (sizes[0], sizes[1], sizes[2])
        in_z, in_y, in_x = (micrometres(unit) or 1.0 for unit in layer.units)
        offset = (z * in_z, y * in_y, x * in_x)
    else:
        numbers = (*(float(size) for size in layer.scale), z, y, x)
        provenance[PLACED] = ",".join(map(repr, numbers))
    return ExportPlan(
        finest(layer),
        inside,
        layer_phases(layer) or (),
        voxel_size,
        offset,
        provenance,
        flavour,
    )


def write_export(plan: ExportPlan, path: Path) -> Path:
    """Write the file and return its path, with a suffix if it had none."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        path = path.with_name(path.name + ".tif")
    shown = np.asarray(plan.labels[plan.box.slices()])
    write_labels_tiff(
        path,
        values_of_shown(shown, plan.phases, "The volume"),
        voxel_size=plan.voxel_size,
        offset=plan.offset,
        phases=plan.phases,
        provenance=plan.provenance,
        flavour=plan.flavour,
    )
    return path
