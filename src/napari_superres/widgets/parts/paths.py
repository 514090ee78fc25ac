"""Paths as people type them, and those proposed to them; no Qt."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path


def typed_path(text: str) -> Path:
    """Return a path of which "~" is the home folder.

    Unlike pathlib's own, it takes the "~" of a user who is not there as a name: people
    are heard at every letter.
    """
    return Path(os.path.expanduser(text.strip()))


def free_path(path: Path, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """Return a path that is not taken: itself, or with a number, such as a-2.zarr."""
    if not taken(path):
        return path
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(one for one in numbered if not taken(one))
