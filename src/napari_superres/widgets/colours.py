"""Colours that can be read on the theme's background, and the layers' colour maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari_superres.data.phases import PALETTE, Phase


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the 0 to 255 parts of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


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


def label_colours(phases: Sequence[Phase], hidden: int | None = None) -> dict[int | None, str]:
    """Return the colours of a layer that shows phase indices as index + 1.

    Label 0 is transparent in napari, so a phase never is label 0.

    Parameters
    ----------
    hidden : index of a phase to leave transparent, to look into the volume in 3D
    """
    shown: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    for index, phase in enumerate(phases):
        colour = phase.colour or PALETTE[index % len(PALETTE)]
        shown[index + 1] = "transparent" if index == hidden else colour
    return shown


def pair_colours(pairs: Sequence[str]) -> Mapping[str, str]:
    """Return one colour of the palette for each pair of phases, dark ones left out."""
    bright = PALETTE[1:]
    return {pair: bright[(3 + index) % len(bright)] for index, pair in enumerate(pairs)}


def _luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
