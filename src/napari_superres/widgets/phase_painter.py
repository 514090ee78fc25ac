"""Give layers the phases' colours, whatever kind of layer they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import Colormap, DirectLabelColormap

from napari_superres.data.phases import Phase
from napari_superres.widgets.colours import label_colours, rgb
from napari_superres.widgets.input_roles import SUPER_RES, TRUTH, role_of
from napari_superres.widgets.layer_data import KEY, layer_note, layer_phases


def paint_layer(layer: Any | None, phases: Sequence[Phase], hidden: int | None = None) -> None:
    """Show a layer in the phases' colours.

    A layer made here shows indices + 1; a Labels layer of the user shows its own
    values, of which napari leaves 0 transparent; an Image layer gets a stepped
    colour map. `hidden` is the index of a phase to leave transparent in the first.
    """
    if layer is None:
        return
    if layer_phases(layer) is not None:
        layer.metadata = {**layer.metadata, **_note(layer, phases)}
        _colour(layer, DirectLabelColormap(color_dict=label_colours(phases, hidden)))
    elif isinstance(layer, Labels):
        colours: dict[int | None, str] = {None: "transparent"}
        colours |= {phase.value: phase.colour for phase in phases if phase.value}
        layer.colormap = DirectLabelColormap(color_dict=colours)
    else:
        _paint_image(layer, phases)


def _colour(layer: Any, colours: DirectLabelColormap) -> None:
    """Colour labels, unless they are so already: napari draws a volume anew each time."""
    shown = getattr(layer.colormap, "color_dict", {})
    wanted = colours.color_dict
    if shown.keys() != wanted.keys() or any(
        not np.array_equal(shown[label], colour) for label, colour in wanted.items()
    ):
        layer.colormap = colours


def paint_results(layers: Sequence[Any], phases: Sequence[Phase]) -> None:
    """Show super-res volumes and the truth in the colours of the phases they share.

    A phase that is hidden to look into a volume stays hidden.
    """
    values = [phase.value for phase in phases]
    for layer in layers:
        known = layer_phases(layer)
        if role_of(layer) not in (SUPER_RES, TRUTH) or known is None or tuple(phases) == known:
            continue
        if [phase.value for phase in known] == values:
            paint_layer(layer, phases, _hidden_in(layer, len(values)))


def _hidden_in(layer: Any, count: int) -> int | None:
    shown = getattr(layer.colormap, "color_dict", {})
    return next((k for k in range(count) if k + 1 in shown and shown[k + 1][3] == 0), None)


def _note(layer: Any, phases: Sequence[Phase]) -> dict[str, Any]:
    more = {name: value for name, value in layer.metadata[KEY].items() if name != "phases"}
    return layer_note(phases, **more)


def _paint_image(layer: Any, phases: Sequence[Phase]) -> None:
    """Give an image layer one colour a value; needs two phases at least."""
    values = np.array([phase.value for phase in phases], float)
    if len(values) < 2 or getattr(layer, "rgb", False):
        return
    span = values[-1] - values[0]
    borders = (values[:-1] + values[1:]) / 2
    controls = [0.0, *((borders - values[0]) / span), 1.0]
    colours = [(*(part / 255 for part in rgb(phase.colour)), 1.0) for phase in phases]
    layer.contrast_limits = (values[0], values[-1])
    layer.interpolation2d = "nearest"
    layer.colormap = Colormap(colours, controls=controls, interpolation="zero", name="phases")
