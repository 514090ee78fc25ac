"""A form of settings: magicgui dials with the settings' descriptions as tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from pydantic import BaseModel
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget

from napari_superres.widgets.form_fields import FieldSpec, field_specs, from_text, to_text
from napari_superres.widgets.step import new_form


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
