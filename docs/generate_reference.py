#!/usr/bin/env python3
"""Write docs/reference/commands.md and settings.md from the code.

python docs/generate_reference.py            # write them
python docs/generate_reference.py --check    # exit status 1 where they are not up to date
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from napari_superres.cli.app import app
from napari_superres.config import (
    PRESETS,
    Budget,
    EngineSettings,
    GenerationSettings,
    TrainingSettings,
    describe,
)
from napari_superres.synthesis.settings import STYLE_PRESETS, StyleEngine, SynthesisSettings
from napari_superres.translation.settings import (
    TRANSLATION_PRESETS,
    TranslationEngine,
    TranslationSettings,
)

FOLDER = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate_reference.py from the code: change it there. -->\n\n"
NAME = "napari-superres"


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    status = 0
    for name, text in pages().items():
        file = FOLDER / name
        if "--check" not in arguments:
            file.write_text(text, encoding="utf-8", newline="\n")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            print(f"{file} is not up to date: run python docs/generate_reference.py")
            status = 1
    return status


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    return {"commands.md": commands_page(), "settings.md": settings_page()}


def commands_page() -> str:
    """Return every command with its arguments and options."""
    lines = [
        "# Every command\n",
        f"`{NAME}` without a command opens napari with the panel docked. `--help` after any command"
        " shows the same as this page, `--debug` the traceback of a failure.\n",
        "Exit status: 0 done; 2 wrong input, reported in one line; 1 a failure; 130 interrupted,"
        " with the weights saved.\n",
    ]
    for path, command in commands():
        lines += [f"## {path}\n", _help(command), "```", _usage(path, command), "```\n"]
        rows = [_parameter(parameter) for parameter in command.params]
        if rows := [row for row in rows if row[0] != "`--help`, `-h`"]:
            lines += [_table(("option", "what it does", "default"), rows), ""]
    return NOTE + "\n".join(lines).rstrip() + "\n"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its full name."""

    def below(path: str, group: Any) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from below(f"{path} {name}", command)
            else:
                yield f"{path} {name}", command

    yield from below(NAME, typer.main.get_command(app))


def _help(command: Any) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs) + "\n"


def _usage(path: str, command: Any) -> str:
    needed = [p for p in command.params if p.required]
    arguments = [p.metavar or p.name.upper() for p in needed if p.param_type_name == "argument"]
    options = [f"{p.opts[0]} {p.metavar or p.name.upper()}" for p in needed if p.opts[0][0] == "-"]
    return " ".join([path, *arguments, *options, "[OPTIONS]"])


def _parameter(parameter: Any) -> tuple[str, str, str]:
    flags = [*parameter.opts, *parameter.secondary_opts]
    value = parameter.metavar if not getattr(parameter, "is_flag", False) else ""
    if parameter.param_type_name == "argument":
        shown = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        shown = ", ".join(f"`{flag}`" for flag in flags) + (f" `{value}`" if value else "")
    default = "needed" if parameter.required else _value(parameter.default)
    return shown, parameter.help or "", default


def settings_page() -> str:
    """Return every setting with its description, default and range."""
    lines = [
        "# Every setting\n",
        "Each stands once in the code, with the description that tooltips and `--help` show. In a"
        " terminal the dials of a preset are set by `--set NAME=VALUE`.\n",
    ]
    for title, note, table in (
        ("Training", "Of `train`; in the panel under *Train*.", _model(TrainingSettings)),
        ("Budget", "When a training ends by itself.", _model(Budget)),
        ("Presets of training", _safe(EngineSettings), _presets(EngineSettings, PRESETS)),
        ("Generation", "Of `generate`.", _model(GenerationSettings)),
        ("Synthesis", "Of `synthesise train`.", _model(SynthesisSettings)),
        ("Presets of synthesis", _safe(StyleEngine), _presets(StyleEngine, STYLE_PRESETS)),
        ("Translation", "Of `translate train`.", _model(TranslationSettings)),
        (
            "Presets of translation",
            _safe(TranslationEngine),
            _presets(TranslationEngine, TRANSLATION_PRESETS),
        ),
    ):
        lines += [f"## {title}\n", f"{note}\n", table, ""]
    return NOTE + "\n".join(lines).rstrip() + "\n"


def _safe(engine: type[BaseModel]) -> str:
    names = ", ".join(f"`{name}`" for name in engine.SAFE_TO_CHANGE)  # type: ignore[attr-defined]
    return f"`--set NAME=VALUE`. A run can be resumed with another {names}."


def _model(model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        if name != "engine":
            default = "needed" if field.is_required() else _value(field.default)
            rows.append((f"`{name}`", describe(model, name), default))
    return _table(("setting", "what it means", "default"), rows)


def _presets(model: type[BaseModel], presets: Mapping[Any, BaseModel]) -> str:
    rows = []
    for name in model.model_fields:
        values = [_value(getattr(engine, name)) for engine in presets.values()]
        rows.append((f"`{name}`", describe(model, name), *values))
    return _table(("setting", "what it means", *(f"`{preset}`" for preset in presets)), rows)


def _value(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if value is None or value == () or callable(value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
