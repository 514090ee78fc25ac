"""What all settings are: frozen, validated with our own errors, described once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from napari_superres.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)


class FrozenModel(BaseModel):
    """Immutable settings that refuse unknown names."""

    # JSON has no word for what is infinite: a run that was set so could not be read again
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed, validated again.

        Raises
        ------
        SettingsError
            When a changed value is not allowed.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return validated(type(self), values | changes)


class PresetSettings(FrozenModel):
    """Settings of a training: `engine` is that of `preset`, where it is not given itself."""

    PRESETS: ClassVar[Mapping[Any, BaseModel]]
    """The engine of each preset."""

    @model_validator(mode="before")
    @classmethod
    def _fill_engine(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("engine") is None:
            default = cls.model_fields["preset"].default
            preset = values.get("preset", default)
            if preset in list(cls.PRESETS):  # an unknown one is left to validation
                return values | {"engine": cls.PRESETS[type(default)(preset)]}
        return values

    def less_memory(self) -> dict[str, int | str]:
        """Return the largest batch of at most half the size; empty where none is allowed."""
        values = self.model_dump()
        for batch in range(values["engine"]["batch"] // 2, 0, -1):
            with suppress(SettingsError):
                validated(type(self), values | {"engine": values["engine"] | {"batch": batch}})
                return {"batch": batch}
        return {}


def validated(model: type[Model], values: dict[str, Any]) -> Model:
    """Build `model` from `values`.

    Raises
    ------
    SettingsError
        When a value is not allowed, or the values do not fit together.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise settings_error(error) from error


def settings_error(error: ValidationError, *name: str) -> SettingsError:
    """Return what pydantic found first, of a setting of this name or of several."""
    first = error.errors()[0]
    found = "The settings do not fit together."  # what several of them must obey
    if where := ".".join(map(str, (*name, *first["loc"]))):
        found = f"The setting {where} is {first.get('input')!r}."
    return SettingsError(found, f"{first['msg'].removeprefix('Value error, ')}.")


def describe(model: type[BaseModel], name: str) -> str:
    """Return the description of one setting."""
    return model.model_fields[name].description or ""


def without_none(annotation: Any) -> tuple[Any, bool]:
    """Return the type of a setting without None, and whether None is allowed."""
    if get_origin(annotation) in (Union, UnionType):
        others = [part for part in get_args(annotation) if part is not NoneType]
        return others[0], NoneType in get_args(annotation)
    return annotation, False
