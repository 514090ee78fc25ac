"""The command line of a fusion's training, as the panel's "Copy as command" gives it; no Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from napari_superres.command_line import as_line
from napari_superres.config import PRESETS, Budget, TrainingSettings
from napari_superres.scale_factor import format_scale_factor


def train_command(
    settings: TrainingSettings,
    budget: Budget,
    run_folder: Path,
    low_res: Path | None,
    high_res: Sequence[Path | None],
) -> str:
    """Return the command line of a training; inputs not on disk appear as names to fill in.

    Parameters
    ----------
    low_res, high_res : the files behind the layers, None for what lives in memory only
    """
    words = ["napari-superres", "train"]
    words += ["--low-res", str(low_res) if low_res else "LOW_RES.tif"]
    words += ["--high-res"]
    words += [str(path) if path else f"HIGH_RES_{n}.tif" for n, path in enumerate(high_res, 1)]
    words += ["--scale-factor", format_scale_factor(settings.scale_factor)]
    pairs = ",".join(f"{high}:{low}" for high, low in settings.phase_map.items())
    words += ["--phase-map", pairs, "--imaging", settings.imaging.value]
    for value in settings.one_sided:
        words += ["--one-sided", str(value)]
    if settings.anisotropic:
        words += ["--anisotropic"]
    for name in ("rotations", "mirrors"):
        if getattr(settings, name) != "auto":
            words += [f"--{name}", getattr(settings, name)]
    if settings.warm_start is not None:
        words += ["--warm-start", settings.warm_start]
    if settings.blur_kernel is not None:
        words += ["--blur-kernel", str(settings.blur_kernel)]
    if settings.blur_sd is not None:
        words += ["--blur-sd", f"{settings.blur_sd:g}"]
    words += ["--preset", settings.preset.value, "--device", settings.device]
    words += ["--seed", str(settings.seed)]
    plain = PRESETS[settings.preset].model_dump(mode="json")
    for name, value in settings.engine.model_dump(mode="json").items():
        if value != plain[name]:
            words += ["--set", f"{name}={json.dumps(value, separators=(',', ':'))}"]
    if budget.minutes is not None:
        words += ["--minutes", f"{budget.minutes:g}"]
    if budget.steps is not None:
        words += ["--steps", str(budget.steps)]
    return as_line([*words, "--run", str(run_folder)])


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
