"""The grid of patches, drawn as a Shapes layer over each layer of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_superres.widgets.layer_data import KEY
from napari_superres.widgets.patches_layers import plane_arguments
from napari_superres.widgets.patches_plan import ImagePlan, PatchPlan, outline, rectangles

TRAINING_COLOUR, HELD_OUT_COLOUR = "#2ee6a6", "#ff5fd2"
"""Neither is near a colour of phases, nor grey."""
ROLE = "patches"


def draw_patches(viewer: Any, layers: Sequence[Any], plan: PatchPlan) -> None:
    """Draw the grid on layers of images, in place of the one before."""
    wanted = {f"patches of {layer.name}": (layer, part) for layer, part in _pairs(layers, plan)}
    clear_patches(viewer, keep=set(wanted))
    for name, (layer, part) in wanted.items():
        data, edges, faces = shapes_of(part, plan.grid.size)
        longest = max(part.learn.shape)
        width = max(1.0, plan.grid.size / 64, longest / 400)  # thinner, it is lost on a screen
        style = {"edge_color": edges, "face_color": faces, "edge_width": width}
        if name in viewer.layers:
            viewer.layers.remove(name)
        active = viewer.layers.selection.active
        viewer.add_shapes(
            data,
            shape_type="rectangle",
            name=name,
            metadata={KEY: {"role": ROLE}},
            **style,
            **plane_arguments(layer),
        )
        viewer.layers.selection.active = active


def clear_patches(viewer: Any, keep: set[str] | None = None) -> None:
    """Take the grids away, all but those of these names."""
    for layer in list(viewer.layers):
        if layer.metadata.get(KEY, {}).get("role") == ROLE and layer.name not in (keep or ()):
            viewer.layers.remove(layer)


def shapes_of(plan: ImagePlan, size: int) -> tuple[list[Any], list[str], list[str]]:
    """Return corners, edge colours and face colours: regions first, patches above them."""
    data, edges, faces = [outline(plan.learn)], [TRAINING_COLOUR], [TRAINING_COLOUR + "10"]
    if plan.hold is not None:
        data.append(outline(plan.hold))
        edges.append(HELD_OUT_COLOUR)
        faces.append(HELD_OUT_COLOUR + "40")
    for starts, colour in (
        (plan.drawn, TRAINING_COLOUR),
        (plan.drawn_held_out, HELD_OUT_COLOUR),
    ):
        data += list(np.asarray(rectangles(starts, size)))
        edges += [colour + "d0"] * len(starts)
        faces += ["#00000000"] * len(starts)
    return data, edges, faces


def _pairs(layers: Sequence[Any], plan: PatchPlan) -> list[tuple[Any, ImagePlan]]:
    return list(zip(layers, plan.layers, strict=True))
