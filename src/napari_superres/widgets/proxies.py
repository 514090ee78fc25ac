"""What is behind the proxies in which napari hands out viewers and layers, a new one each time."""

from __future__ import annotations

from typing import Any


def bare(proxy: Any) -> Any:
    """Return the viewer or layer behind a proxy; itself where it is none."""
    return getattr(proxy, "__wrapped__", proxy)
