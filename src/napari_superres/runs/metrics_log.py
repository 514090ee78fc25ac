"""metrics.jsonl: a line for each measurement and each roll-back, safely on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_superres.data.output import write_whole_text


def read(file: Path) -> list[dict[str, Any]]:
    """Return all lines; a last line cut short is left out."""
    lines: list[dict[str, Any]] = []
    if not file.exists():
        return lines
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines


def append(file: Path, values: Mapping[str, Any]) -> None:
    """Add a line, safely on disk."""
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(values) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def keep(file: Path, count: int) -> None:
    """Drop the lines after the first `count`."""
    text = "".join(json.dumps(line) + "\n" for line in read(file)[:count])
    write_whole_text(file, text)
