"""What a person set under File › Preferences › SuperRes Fusion.

napari builds the page from the manifest's `configurations`, and keeps the values
beside its own settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakMethod

from qtpy.compat import isalive

from napari_superres.errors import OutputError
from napari_superres.widgets.parts.paths import typed_path

PLUGIN = "napari-superres-fusion"


@dataclass(frozen=True)
class Preferences:
    """Defaults of the panel.

    Attributes
    ----------
    device : as settings name it; "auto" for the fastest
    runs_folder : where new runs go; None for the usual place
    cache_folder : where downloads are kept; None for the usual place
    """

    device: str = "auto"
    runs_folder: Path | None = None
    cache_folder: Path | None = None


def as_preferences(values: Mapping[str, str], home: Path) -> Preferences:
    """Return what was typed as preferences; a path that is not absolute lies in `home`."""
    runs, cache = (values.get(name, "").strip() for name in ("runs_folder", "cache_folder"))
    return Preferences(
        values.get("device", "") or "auto",
        home / typed_path(runs) if runs else None,
        home / typed_path(cache) if cache else None,
    )


def preferences() -> Preferences:
    """Return the preferences as they are now; the usual ones where napari has no page for them."""
    page = _page()
    return Preferences() if page is None else as_preferences(page.model_dump(), Path.home())


def on_change(callback: Any) -> None:
    """Call a QObject's method whenever a preference changes, for as long as its object lives."""
    page, method = _page(), WeakMethod[Any](callback)
    if page is None:
        return

    def call(_event: object) -> None:
        known = method()
        if known is None or not isalive(known.__self__):  # type: ignore[no-untyped-call]
            page.events.disconnect(call)
        else:
            known()

    page.events.connect(call)


def preferred_device(wanted: str, offered: Sequence[str]) -> str:
    """Return which of the offered devices a preference stands for, "auto" for none of them.

    "cuda" stands for the first one.
    """
    for name in (wanted, f"{wanted}:0"):
        if name in offered:
            return name
    return "auto"


def usable_cache(folder: Path | None) -> Path | None:
    """Return the folder for downloads, made if need be."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder for downloads, {folder}, cannot be made: {error.strerror}.",
                "A folder that can be written is needed.",
                "Change it under File › Preferences › SuperRes Fusion.",
            ) from error
    return folder


def _page() -> Any | None:
    from napari.settings import get_plugin_settings

    try:
        return get_plugin_settings(PLUGIN).defaults
    except KeyError:  # napari runs without discovering plugins, or this one is switched off
        return None
