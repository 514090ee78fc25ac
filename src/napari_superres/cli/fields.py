"""Options made from the fields of a settings model, so that each is written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from pydantic import BaseModel

from napari_superres.config import describe, validated, without_none

Given = dict[str, Any]
"""What was given on the command line, by the name of the setting."""
METAVARS = {
    "minutes": "M",
    "mirrors": "AXES",
    "one_sided": "VALUE",
    "rotations": "AXES",
    "scale_factor": "S",
    "warm_start": "RUN",
}
METAVARS_OF_TYPES = {int: "N", float: "X", str: "NAME"}


@dataclass(frozen=True)
class Fields:
    """Marks a parameter of a command that stands for options, one for each field.

    Attributes
    ----------
    model : class of the settings
    names : of the fields; empty for those that no other parameter of the command has
    declared : how options are declared that are no plain values, by name; left out, they are None
    """

    model: type[BaseModel]
    names: tuple[str, ...] = ()
    declared: Mapping[str, Any] = field(default_factory=dict)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter marked with `Fields` by options, as typer takes them.

    The command gets the settings where the parameter is annotated with their class,
    else a dict of values, without those that are None.
    """
    hints = get_type_hints(command, include_extras=True)
    marks = {name: mark for name, hint in hints.items() if (mark := _mark_of(hint)) is not None}
    claimed = {(mark.model, name) for mark in marks.values() for name in mark.names}
    options: list[inspect.Parameter] = []
    groups: dict[str, list[str]] = {}  # names of the fields, by parameter
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in marks:
            options.append(parameter.replace(annotation=hints[name]))
            continue
        mark = marks[name]
        rest = [one for one in mark.model.model_fields if (mark.model, one) not in claimed]
        groups[name] = [one for one in mark.names or rest if one != "engine"]
        options += [_option(mark, one) for one in groups[name]]

    @functools.wraps(command)
    def call(**given: Any) -> None:
        for group, names in groups.items():
            values = {one: found for one in names if (found := given.pop(one, None)) is not None}
            model, whole = marks[group].model, get_args(hints[group])[0]
            given[group] = validated(model, values) if whole is model else values
        command(**given)

    call.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    call.__annotations__ = {option.name: option.annotation for option in options}
    return call


def setting(model: type[BaseModel], name: str) -> Any:
    """Return the option of one setting, with its description as help."""
    kind, _ = _type_of(model, name)
    metavar = METAVARS.get(name, METAVARS_OF_TYPES.get(kind))
    return typer.Option(f"--{name.replace('_', '-')}", metavar=metavar, help=help_of(model, name))


def help_of(model: type[BaseModel], name: str) -> str:
    """Return a setting's description; a field left empty in a form is an option left out."""
    return describe(model, name).replace("empty", "left out")


def dials_of(engine: type[BaseModel]) -> Any:
    """Return the option --set of a new training."""
    return _changes("Change one dial of the preset", engine.model_fields)


def safe_changes_of(engine: type[BaseModel]) -> Any:
    """Return the option --set of a resumed training."""
    safe: tuple[str, ...] = engine.SAFE_TO_CHANGE  # type: ignore[attr-defined]
    return _changes("Change a setting from here on", safe)


def _changes(what: str, names: Iterable[str]) -> Any:
    shown = f"{what}; may be repeated. Names: {', '.join(names)}."
    return typer.Option("--set", metavar="NAME=VALUE", help=shown)


def _mark_of(hint: Any) -> Fields | None:
    return next((part for part in get_args(hint) if isinstance(part, Fields)), None)


def _option(mark: Fields, name: str) -> inspect.Parameter:
    info = mark.model.model_fields[name]
    annotation, default = mark.declared.get(name), None
    if annotation is None:
        kind, optional = _type_of(mark.model, name)
        annotation = Annotated[kind | None if optional else kind, setting(mark.model, name)]
        if info.is_required():
            default = inspect.Parameter.empty
        elif info.default != ():
            default = info.default
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _type_of(model: type[BaseModel], name: str) -> tuple[Any, bool]:
    """Return the type of a setting's option, and whether None is one of its values."""
    kind, optional = without_none(model.model_fields[name].annotation)
    if get_origin(kind) is tuple:  # an option that is repeated
        return list[get_args(kind)[0]], True  # type: ignore[misc]
    if isinstance(kind, type) and issubclass(kind, (bool, int, float, Enum)):
        return kind, optional
    return str, optional  # a name of several: the settings say which there are
