"""Where results go."""

from __future__ import annotations

from pathlib import Path

from napari_superres.data.output import write_whole_text
from napari_superres.errors import OutputError


def free_name(path: Path) -> Path:
    """Return `path`, or the first of path-2, path-3 … that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def write_text(path: Path, text: str) -> None:
    """Write a small text file, its folder included.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            action="Choose another place.",
        ) from error
    write_whole_text(path, text)
