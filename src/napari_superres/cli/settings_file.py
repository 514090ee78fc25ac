"""Options from a file: .toml, .json, or the config.json of a run."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from napari_superres.config import PRESETS, EngineSettings, Preset, as_text
from napari_superres.errors import FileError, SettingsError
from napari_superres.runs.config import FUSION

PATHS = ("low_res", "high_res", "run", "augment_with", "warm_start")
LISTS = ("high_res", "one_sided")
READERS = {".toml": tomllib.loads, ".json": json.loads}


@dataclass(frozen=True)
class SettingsFile:
    """What a file of settings holds.

    Attributes
    ----------
    options : values by the name of an option, as the command line would give them
    engine : what `--set` takes, by name
    """

    options: Mapping[str, Any]
    engine: Mapping[str, Any] = field(default_factory=dict)


def read_settings_file(path: Path, known: Collection[str] | None = None) -> SettingsFile:
    """Read options from a .toml or .json file, of the `known` names if these are given."""
    found = _parsed(path)
    if "format_version" in found and isinstance(found.get("settings"), dict):
        return _of_run(found, path)
    written = {name.replace("-", "_"): value for name, value in found.items()}
    engine = written.pop("engine", {})
    dials = ", ".join(EngineSettings.model_fields)
    if not isinstance(engine, dict) or not set(engine) <= set(EngineSettings.model_fields):
        raise SettingsError(
            f"In {path.name} engine is {engine!r}.", f"A table is needed of {dials}."
        )
    unknown = sorted(set(written) - set(known)) if known is not None else []
    if unknown:
        raise SettingsError(
            f"{path.name} has {', '.join(unknown)}.",
            f"The names that there are: {', '.join([*sorted(known or ()), 'engine'])}.",
        )
    options = {name: _as_option(name, value, path) for name, value in written.items()}
    return SettingsFile(_without_none(options), engine)


def take_settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Make the values of a file the defaults of the command's other options."""
    if path is not None:
        known = {str(option.name) for option in context.command.params}
        found = read_settings_file(path, known - {"settings_file", "changes"})
        context.default_map = dict(found.options)
    return path


def _parsed(path: Path) -> dict[str, Any]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FileError(f"{path} is of an unknown kind.", "A .toml or .json file is needed.")
    try:
        found = reader(path.read_text(encoding="utf-8-sig"))  # Windows' editors mark UTF-8
    except FileNotFoundError as error:
        raise FileError(f"There is no file {path}.", "", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {error}.", "", "Correct it.") from error
    if not isinstance(found, dict):
        raise FileError(f"{path} holds no settings by name.", "An object or table is needed.")
    return found


def _of_run(config: Mapping[str, Any], path: Path) -> SettingsFile:
    """Return a run's settings as options; of the engine what its preset has otherwise."""
    settings = config["settings"]
    kind, preset = config.get("kind", FUSION.name), settings.get("preset", Preset.QUICK)
    if kind != FUSION.name or preset not in list(Preset):
        raise SettingsError(
            f"{path} has the settings of a run of {kind}, of the preset {preset}.",
            f"Those of a run of {FUSION.name} are needed, of a preset that there is.",
        )
    options = {name: _as_given(name, value) for name, value in settings.items() if name != "engine"}
    known = PRESETS[Preset(preset)].model_dump(mode="json")
    engine = settings.get("engine") or {}
    changed = {name: value for name, value in engine.items() if known.get(name) != value}
    return SettingsFile(_without_none(options), changed)


def _as_option(name: str, value: Any, path: Path) -> Any:
    if value is None:
        return None
    if name in LISTS and not isinstance(value, list):
        value = [value]
    if name not in PATHS:
        return _as_given(name, value)
    if isinstance(value, list):
        return [_resolved(str(one), path) for one in value]
    return _resolved(str(value), path)


def _as_given(name: str, value: Any) -> Any:
    """Return a value as the command line would give it: as text, several of an option as a list."""
    return value if name in LISTS or value is None or isinstance(value, bool) else as_text(value)


def _resolved(text: str, path: Path) -> str:
    """Return a path that the file names, relative to its folder."""
    full = os.path.expandvars(os.path.expanduser(text))
    if "$" in full:
        raise SettingsError(
            f"{path.name} names {text}, with a variable that is not set.",
            "",
            "Set it, or name the files on the command line.",
        )
    return str(path.parent / full)


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
