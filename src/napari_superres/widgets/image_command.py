"""The command line of a training on images, as the panels' "Copy as command" gives it; no Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from napari_superres.command_line import as_line
from napari_superres.config import Budget

_KIND = {True: "--segmented", False: "--grey"}


def image_files(paths: Sequence[Path | None], unknown: str) -> list[str]:
    """Return files, and names to fill in for layers that are in memory only."""
    return [str(path) if path else f"{unknown}_{n}.tif" for n, path in enumerate(paths, 1)]


def image_command(
    words: Sequence[str],
    settings: BaseModel,
    presets: Mapping[Any, BaseModel],
    segmented: bool | None,
    budget: Budget,
    run_folder: Path,
) -> str:
    """Return a command line.

    Parameters
    ----------
    words : "synthesise", "train" and the files
    settings : those that are not the defaults become options
    presets : engine of each preset; what differs becomes ``--set name=value``
    segmented : None to leave it to the values
    """
    line = ["napari-superres", *words]
    values = settings.model_dump(mode="json")
    for name, info in type(settings).model_fields.items():
        value, option = values[name], f"--{name.replace('_', '-')}"
        if name == "engine" or value == _plain(info.default):
            continue
        line += [option] if value is True else [option, str(value)]
    if segmented is not None:
        line.append(_KIND[segmented])
    plain = presets[settings.preset].model_dump(mode="json")  # type: ignore[attr-defined]
    for name, value in values["engine"].items():
        if value != plain[name]:
            line += ["--set", f"{name}={json.dumps(value, separators=(',', ':'))}"]
    if budget.minutes is not None:
        line += ["--minutes", f"{budget.minutes:g}"]
    return as_line([*line, "--run", str(run_folder)])


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)
