"""The command line of a training, as the panel's "Copy as command" gives it; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from napari_superres.command_line import as_line
from napari_superres.config import PRESETS, Budget, TrainingSettings, to_text

ALWAYS_GIVEN = ("imaging", "preset", "device", "seed")
"""What makes a run is said though it be the default."""
_KIND = {True: ["--segmented"], False: ["--grey"], None: []}


def train_command(
    settings: TrainingSettings,
    budget: Budget,
    run_folder: Path,
    low_res: Path | None,
    high_res: Sequence[Path | None],
) -> str:
    """Return the command line of a fusion's training.

    Parameters
    ----------
    low_res, high_res : the files behind the layers; None for a layer that is in memory only,
        for which a name to fill in is written
    """
    words = ["train", "--low-res", str(low_res) if low_res else "LOW_RES.tif"]
    words += ["--high-res", *image_files(high_res, "HIGH_RES")]
    return _command([*words, *_options(settings, PRESETS)], budget, run_folder)


def image_command(
    words: Sequence[str],
    settings: BaseModel,
    presets: Mapping[Any, BaseModel],
    segmented: bool | None,
    budget: Budget,
    run_folder: Path,
) -> str:
    """Return the command line of a training on images.

    Parameters
    ----------
    words : "synthesise", "train" and the files
    presets : engine of each preset
    segmented : None to leave it to the values
    """
    chosen = [*words, *_KIND[segmented], *_options(settings, presets)]
    return _command(chosen, budget, run_folder)


def image_files(paths: Sequence[Path | None], unknown: str) -> list[str]:
    """Return files, and names to fill in for layers that are in memory only."""
    return [str(path) if path else f"{unknown}_{n}.tif" for n, path in enumerate(paths, 1)]


def _options(settings: BaseModel, presets: Mapping[Any, BaseModel]) -> list[str]:
    """Return options for what is not the default, and for what the preset has otherwise."""
    words: list[str] = []
    values = dict(settings)
    engine, usual = dict(values.pop("engine")), dict(presets[values["preset"]])
    for name, value in values.items():
        info, option = type(settings).model_fields[name], f"--{name.replace('_', '-')}"
        if value == info.default and name not in ALWAYS_GIVEN:
            continue
        if value is True:
            words.append(option)
        elif name == "one_sided":  # an option that is repeated
            words += [word for part in value for word in (option, str(part))]
        else:
            words += [option, to_text(type(settings), name, value)]
    for name, value in engine.items():
        if value != usual[name]:
            text = to_text(type(settings.engine), name, value)  # type: ignore[attr-defined]
            words += ["--set", f"{name}={text or 'null'}"]
    return words


def _command(words: Sequence[str], budget: Budget, run_folder: Path) -> str:
    for name, value in budget:
        if value is not None:
            words = [*words, f"--{name}", to_text(Budget, name, value)]
    return as_line(["napari-superres", *words, "--run", str(run_folder)])
