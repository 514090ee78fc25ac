"""A setting's value as text and back: for dials, the command line and files of settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from napari_superres.config.model import settings_error, without_none


def to_text(model: type[BaseModel], name: str, value: Any) -> str:
    """Return a setting's value as the text that `from_text` reads back; None is empty."""
    return as_text(_adapter(model, name).dump_python(value, mode="json"))


def from_text(model: type[BaseModel], name: str, text: str) -> Any:
    """Return the value that a text gives to a setting.

    Parameters
    ----------
    text : as `to_text` writes it, or JSON; empty for None, or for no parts at all

    Raises
    ------
    SettingsError
        The setting does not allow it.
    """
    try:
        return _adapter(model, name).validate_python(_read(text.strip(), model, name))
    except ValidationError as error:
        raise settings_error(error, name) from error


def as_text(value: Any, comma: str = ",") -> str:
    """Return a value of JSON as text: ``1,2`` for a list, ``0:1,1:0`` for an object."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return repr(value).removesuffix(".0")
        case Mapping():
            return as_text(list(value.items()))
        case list() | tuple():
            return comma.join(as_text(part, ":") for part in value)
    return str(value)


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    info = model.model_fields[name]
    return TypeAdapter(Annotated[info.annotation, info], config=model.model_config)  # type: ignore[arg-type]


def _read(text: str, model: type[BaseModel], name: str) -> Any:
    """Return what a text holds, for the setting's type to be checked."""
    kind, optional = without_none(model.model_fields[name].annotation)
    if kind is str:
        return text or None  # a folder may be called 12
    has_parts = get_origin(kind) in (tuple, dict)
    if text in ("", "null"):
        return () if has_parts and not optional else None
    if not has_parts or text[0] in "[{":
        return _json_or_text(text)
    parts = [[_json_or_text(end) for end in part.split(":")] for part in text.split(",") if part]
    if get_origin(kind) is dict:
        return dict(parts) if all(len(ends) == 2 for ends in parts) else text
    return [ends if len(ends) > 1 else ends[0] for ends in parts]


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()
