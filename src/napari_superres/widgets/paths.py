"""Paths as people type them; no Qt."""

from __future__ import annotations

import os
from pathlib import Path


def typed_path(text: str) -> Path:
    """Return a path of which "~" is the home folder.

    Unlike pathlib's own, it takes the "~" of a user who is not there as a name: people
    are heard at every letter.
    """
    return Path(os.path.expanduser(text.strip()))
