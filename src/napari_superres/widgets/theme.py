"""The colours of napari's theme, for what Qt's style sheet does not reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari.utils.theme import get_theme


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
