"""A form of settings: magicgui dials with the settings' descriptions as tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget

from napari_superres.widgets.parts.layout import new_form


def make_dial(spec: FieldSpec) -> Any:
    """Return the magicgui widget for one setting."""
    common: dict[str, Any] = {"name": spec.name, "label": spec.label, "tooltip": spec.tooltip}
    if spec.kind == "choice":
        return ComboBox(choices=spec.choices, **common)
    if spec.kind == "flag":
        return CheckBox(text=spec.label, name=spec.name, label="", tooltip=spec.tooltip)
    if spec.kind == "integer":
        lowest = int(spec.lowest) if spec.lowest is not None else -(2**31)
        highest = int(spec.highest) if spec.highest is not None else 2**31 - 1
        return SpinBox(min=lowest, max=highest, **common)
    return LineEdit(**common)


class SettingsForm(QWidget):
    """Dials for the fields of a settings model.

    Parameters
    ----------
    model : the settings' class
    names : fields to show; empty for all
    above : a form below whose rows these are put, so that the fields of both are in line

    Signals
    -------
    changed : a dial was moved
    """

    changed = Signal()

    def __init__(
        self,
        model: type[BaseModel],
        names: tuple[str, ...] = (),
        above: SettingsForm | None = None,
    ) -> None:
        super().__init__()
        self._specs = {spec.name: spec for spec in field_specs(model, names)}
        self.dials = {name: make_dial(spec) for name, spec in self._specs.items()}
        self.rows: QFormLayout = new_form(self) if above is None else above.rows
        for dial in self.dials.values():
            add_dial(self.rows, dial)
            dial.changed.connect(self._on_dial)

    def _on_dial(self, _value: object = None) -> None:
        self.changed.emit()

    def values(self) -> dict[str, Any]:
        """Return what the dials say, to be validated by the model."""
        values = {}
        for name, spec in self._specs.items():
            value = self.dials[name].value
            values[name] = from_text(value) if spec.kind in ("text", "number") else value
        return values

    def show_settings(self, settings: BaseModel) -> None:
        """Set the dials to these settings."""
        self.take({name: getattr(settings, name) for name in self._specs})

    def take(self, values: Mapping[str, Any]) -> None:
        """Set some of the dials to these values."""
        for name, value in values.items():
            as_text = self._specs[name].kind in ("text", "number", "choice")
            self.dials[name].value = to_text(value) if as_text else value


def add_dial(form: QFormLayout, dial: Any) -> None:
    """Add a magicgui dial as a row, its tooltip on label and field."""
    native = dial.native
    native.setToolTip(dial.tooltip or "")
    if isinstance(native, QComboBox):
        native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        native.setMinimumContentsLength(10)
    # a tick has its text beside it, and magicgui would label it with its name
    form.addRow("" if isinstance(native, QCheckBox) else dial.label, native)
    label = form.labelForField(native)
    if label is not None:
        label.setToolTip(dial.tooltip or "")


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
