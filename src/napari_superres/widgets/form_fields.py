"""Forms from settings: which dial each pydantic field becomes; no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class FieldSpec:
    """One dial.

    Attributes
    ----------
    name : of the setting
    kind : "choice", "flag", "integer", "number", or "text" for all else
    label : for people
    tooltip : the setting's description
    optional : whether empty is allowed (None)
    choices : of a choice
    lowest, highest : bounds of a number, None for none; the settings tell of one that
        must not be reached
    """

    name: str
    kind: str
    label: str
    tooltip: str
    optional: bool = False
    choices: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    default: Any = field(default=None, compare=False)


def field_specs(model: type[BaseModel], names: tuple[str, ...] = ()) -> tuple[FieldSpec, ...]:
    """Return the dials of a settings model, or of some of its fields, in order."""
    chosen = names or tuple(model.model_fields)
    return tuple(_spec(name, model.model_fields[name]) for name in chosen)


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    annotation, optional = _without_none(info.annotation)
    kind, choices = _kind(annotation, optional)
    lowest, highest = _bounds(info)
    return FieldSpec(
        name,
        kind,
        name.replace("_", " ").capitalize(),
        info.description or "",
        optional,
        choices,
        lowest,
        highest,
        info.default,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType):
        others = [part for part in get_args(annotation) if part is not NoneType]
        return others[0], NoneType in get_args(annotation)
    return annotation, False


def _kind(annotation: Any, optional: bool) -> tuple[str, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(choice) for choice in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "choice", tuple(str(choice.value) for choice in annotation)
    if annotation is bool:
        return "flag", ()
    if annotation is int and not optional:
        return "integer", ()
    if annotation is float and not optional:
        return "number", ()
    return "text", ()


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    lowest: float | None = None
    highest: float | None = None
    for rule in info.metadata:
        if isinstance(rule, Ge):
            lowest = float(rule.ge)  # type: ignore[arg-type]
        elif isinstance(rule, Gt):
            lowest = float(rule.gt)  # type: ignore[arg-type]
        elif isinstance(rule, Le):
            highest = float(rule.le)  # type: ignore[arg-type]
        elif isinstance(rule, Lt):
            highest = float(rule.lt)  # type: ignore[arg-type]
    return lowest, highest


def to_text(value: Any) -> str:
    """Return a setting's value as the text of its dial; None is empty."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


def from_text(text: str) -> Any:
    """Return what a text dial means: None, a number, a tuple of numbers, or the text."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return text.strip()
    return numbers[0] if len(numbers) == 1 and "," not in text else tuple(numbers)


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
