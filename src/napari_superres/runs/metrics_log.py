"""metrics.jsonl: a line for each measurement and each roll-back, safely on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_superres.data.files.output import append_line, refused, write_whole_text
from napari_superres.data.files.reading import is_number, read_small_text
from napari_superres.errors import RunFolderError


def read(file: Path) -> list[dict[str, Any]]:
    """Return all lines up to the first that is cut short or no measurement."""
    if not os.path.lexists(file):
        return []
    try:
        text = read_small_text(file)
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(
            f"{file} cannot be read: {error}.",
            "The run's measurements are needed.",
            "Restore it from a copy, or delete it to go on without.",
        ) from error
    lines: list[dict[str, Any]] = []
    for line in text.splitlines():
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not _is_whole(values):
            break
        lines.append(values)
    return lines


def _is_whole(values: Any) -> bool:
    if not isinstance(values, dict) or not isinstance(values.get("step"), int):
        return False
    return is_number(values.get("score", 0.0))


def append(file: Path, values: Mapping[str, Any]) -> None:
    """Add a line, safely on disk; an OutputError where the system refuses."""
    needed = f"Room and permission to write are needed in {file.parent}."
    with refused(file, needed, "Free some space and resume; the checkpoints are whole."):
        append_line(file, json.dumps(values))


def keep(file: Path, count: int) -> None:
    """Drop the lines after the first `count`."""
    text = "".join(json.dumps(line) + "\n" for line in read(file)[:count])
    write_whole_text(file, text)
