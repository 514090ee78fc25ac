"""The one session of each viewer."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from napari_superres.widgets.proxies import bare
from napari_superres.widgets.session import Session

_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


def session_of(viewer: Any) -> Session:
    """Return the session of a viewer, making it at the first call."""
    raw = bare(viewer)
    if raw not in _sessions:
        _sessions[raw] = Session()
    return _sessions[raw]
