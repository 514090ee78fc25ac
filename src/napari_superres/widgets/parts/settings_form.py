"""A form of settings: magicgui dials with the settings' descriptions as tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget

from napari_superres.config import from_text, to_text, without_none
from napari_superres.widgets.parts.layout import new_form


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
        self._model = model
        self._specs = {spec.name: spec for spec in field_specs(model, names)}
        self.dials = {name: make_dial(spec) for name, spec in self._specs.items()}
        self.rows: QFormLayout = new_form(self) if above is None else above.rows
        for dial in self.dials.values():
            add_dial(self.rows, dial)
            dial.changed.connect(self._on_dial)

    def _on_dial(self, _value: object = None) -> None:
        self.changed.emit()

    def values(self) -> dict[str, Any]:
        """Return what the dials say.

        Raises
        ------
        SettingsError
            A text is no value of its setting.
        """
        values = {}
        for name, spec in self._specs.items():
            value = self.dials[name].value
            values[name] = from_text(self._model, name, value) if spec.kind == "text" else value
        return values

    def show_settings(self, settings: BaseModel) -> None:
        """Set the dials to these settings."""
        self.take({name: getattr(settings, name) for name in self._specs})

    def take(self, values: Mapping[str, Any]) -> None:
        """Set some of the dials to these values."""
        for name, value in values.items():
            as_text = self._specs[name].kind in ("text", "choice")
            self.dials[name].value = to_text(self._model, name, value) if as_text else value


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
    kind : "choice", "flag", "integer", or "text" for all else
    label : for people
    tooltip : the setting's description
    choices : of a choice
    lowest, highest : bounds of an integer
    """

    name: str
    kind: str
    label: str
    tooltip: str
    choices: tuple[str, ...] = ()
    lowest: int = 0
    highest: int = 0


def field_specs(model: type[BaseModel], names: tuple[str, ...] = ()) -> tuple[FieldSpec, ...]:
    """Return the dials of a settings model, or of some of its fields, in order."""
    chosen = names or tuple(model.model_fields)
    return tuple(_spec(name, model.model_fields[name]) for name in chosen)


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    label, tooltip = name.replace("_", " ").capitalize(), info.description or ""
    kind, optional = without_none(info.annotation)
    if get_origin(kind) is Literal:
        return FieldSpec(name, "choice", label, tooltip, tuple(map(str, get_args(kind))))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return FieldSpec(name, "choice", label, tooltip, tuple(str(one.value) for one in kind))
    if kind is bool:
        return FieldSpec(name, "flag", label, tooltip)
    if kind is int and not optional:
        return FieldSpec(name, "integer", label, tooltip, (), *_bounds(info))
    return FieldSpec(name, "text", label, tooltip)


def _bounds(info: FieldInfo) -> tuple[int, int]:
    """Return the bounds of an integer; the settings refuse one that must not be reached."""
    lowest, highest = -(2**31), 2**31 - 1
    for rule in info.metadata:
        match rule:
            case Ge(ge=limit) | Gt(gt=limit):
                lowest = int(limit)  # type: ignore[call-overload]
            case Le(le=limit) | Lt(lt=limit):
                highest = int(limit)  # type: ignore[call-overload]
    return lowest, highest


def make_dial(spec: FieldSpec) -> Any:
    """Return the magicgui widget for one setting."""
    common: dict[str, Any] = {"name": spec.name, "label": spec.label, "tooltip": spec.tooltip}
    match spec.kind:
        case "choice":
            return ComboBox(choices=spec.choices, **common)
        case "flag":
            return CheckBox(text=spec.label, **{**common, "label": ""})
        case "integer":
            return SpinBox(min=spec.lowest, max=spec.highest, **common)
    return LineEdit(**common)
