"""Colours: of the theme, readable on it, and of phases in layers; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import Colormap, DirectLabelColormap
from napari.utils.theme import get_theme

from napari_superres.data.phases import PALETTE, Phase, phase_colours
from napari_superres.widgets.layers.notes import (
    KEY,
    SUPER_RES,
    TRUTH,
    layer_phases,
    note_of,
    phase_note,
    role_of,
)


@dataclass(frozen=True)
class ThemeColours:
    """Colours as "#rrggbb"."""

    background: str
    foreground: str
    text: str


def theme_colours(viewer: Any) -> ThemeColours:
    """Return the colours of a viewer's current theme."""
    theme = get_theme(str(viewer.theme))
    return ThemeColours(
        *(
            "#" + "".join(f"{part:02x}" for part in colour.as_rgb_tuple(alpha=False))
            for colour in (theme.background, theme.foreground, theme.text)
        )
    )


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the 0 to 255 parts of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def readable(colour: str, background: str, ratio: float = 3.0) -> str:
    """Return `colour`, moved towards white or black until it stands out by `ratio`.

    Source: WCAG 2.1, success criterion 1.4.11 (3:1 for graphics).
    """
    goal = 255 if _luminance(background) < 0.4 else 0
    start = rgb(colour)
    for step in range(21):
        share = step / 20
        mixed = "#" + "".join(f"{round(part + (goal - part) * share):02x}" for part in start)
        if contrast(mixed, background) >= ratio:
            return mixed
    return mixed


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def phase_colormap(phases: Sequence[Phase], hidden: int | None = None) -> DirectLabelColormap:
    """Return the colour map of a layer that shows phase indices as index + 1.

    Label 0 is transparent in napari, so a phase never is label 0.

    Parameters
    ----------
    hidden : index of a phase to leave transparent, to look into the volume in 3D
    """
    shown: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    for index, colour in enumerate(phase_colours(phases)):
        shown[index + 1] = "transparent" if index == hidden else colour
    return DirectLabelColormap(color_dict=shown)


def pair_colours(pairs: Sequence[str]) -> Mapping[str, str]:
    """Return one colour of the palette for each pair of phases, dark ones left out."""
    bright = PALETTE[1:]
    return {pair: bright[(3 + index) % len(bright)] for index, pair in enumerate(pairs)}


def paint_layer(layer: Any | None, phases: Sequence[Phase], hidden: int | None = None) -> None:
    """Show a layer in the phases' colours.

    A layer made here shows indices + 1; a Labels layer of the user shows its own
    values, of which napari leaves 0 transparent; an Image layer gets a stepped
    colour map. `hidden` is the index of a phase to leave transparent in the first.
    """
    if layer is None:
        return
    if layer_phases(layer) is not None:
        note = {**note_of(layer.metadata), **phase_note(phases)[KEY]}
        layer.metadata = {**layer.metadata, KEY: note}
        _set_colours(layer, phase_colormap(phases, hidden))
    elif isinstance(layer, Labels):
        colours: dict[int | None, str] = {None: "transparent"}
        colours |= {phase.value: phase.colour for phase in phases if phase.value}
        layer.colormap = DirectLabelColormap(color_dict=colours)
    else:
        _paint_image(layer, phases)


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


def _set_colours(layer: Any, colours: DirectLabelColormap) -> None:
    """Colour labels, unless they have these colours: napari draws the volume again each time."""
    shown = getattr(layer.colormap, "color_dict", {})
    wanted = colours.color_dict
    if shown.keys() != wanted.keys() or any(
        not np.array_equal(shown[label], colour) for label, colour in wanted.items()
    ):
        layer.colormap = colours


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
