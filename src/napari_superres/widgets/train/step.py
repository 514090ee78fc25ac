"""Step 2 of every panel that trains: the dials, how long, the run's folder, and the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, FloatSpinBox, SpinBox
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from pydantic import BaseModel
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget

from napari_superres.config import Budget, describe, validated
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.jobs.threads import start_worker
from napari_superres.widgets.jobs.words import Changes, default_runs_folder, free_run_folder
from napari_superres.widgets.parts.layout import (
    Fold,
    Note,
    fill_column,
    fill_step,
    heading,
    new_form,
    row_of,
)
from napari_superres.widgets.parts.paths import typed_path
from napari_superres.widgets.parts.settings_form import SettingsForm, add_dial
from napari_superres.widgets.run.engine import DeviceChoice
from napari_superres.widgets.run.preferences import on_change, preferences, preferred_device
from napari_superres.widgets.run.preflight import folder_text
from napari_superres.widgets.run.step import OpenRunButton, Step
from napari_superres.widgets.run.training import Training
from napari_superres.widgets.train.memory import MemoryRow

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TrainKind:
    """What a kind of training is set up with.

    Attributes
    ----------
    model : class of the settings
    presets : engine of each preset; the first is shown at the beginning
    preset_texts : how the presets are offered, (text, name)
    command : (settings, inputs, budget, run folder) to the command line
    run_name : inputs, or None, to what the next run's folder is called after
    minutes : a first proposal
    choices : settings offered above the preset: label, and (text, value) of each choice
    more : settings above those of the engine, in the advanced ones
    opened_in : where an earlier run is opened, such as "in step 3"; empty for in this step
    """

    model: type[BaseModel]
    presets: Mapping[Any, BaseModel]
    preset_texts: Choices
    command: Callable[[Any, Any, Budget, Path], str]
    run_name: Callable[[Any], str]
    minutes: float = 10
    choices: Mapping[str, tuple[str, Choices]] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    opened_in: str = ""


class TrainStep(Step):
    """The few dials that matter, the rest folded away, and the run's folder."""

    title = "Train"

    def __init__(self, napari_viewer: Any, training: Training[Any, Any], kind: TrainKind) -> None:
        super().__init__(napari_viewer, training.session)
        self.training, self.kind = training, kind
        self._folder_chosen = False
        self._begun: Path | None = None
        self._preferred = "auto"
        self._make_dials()
        self._make_folder()
        engine = training.engine
        self.memory = MemoryRow(self.settings, engine) if engine.preflight is not None else None
        self._lay_out()
        self._connect()
        self._take_preferences()
        self._show_folder()

    def _make_dials(self) -> None:
        kind = self.kind

        def tip(name: str) -> str:
            return describe(kind.model, name)

        self.choices = {
            name: ComboBox(choices=choices, label=label, tooltip=tip(name))
            for name, (label, choices) in kind.choices.items()
        }
        self.preset = ComboBox(choices=kind.preset_texts, label="Preset", tooltip=tip("preset"))
        self.device = ComboBox(choices=[("auto", "auto"), ("cpu", "cpu")], label="Device")
        self.device.tooltip = tip("device")
        self.minutes = FloatSpinBox(
            value=kind.minutes, min=0.01, max=100_000, step=0.5, label="Minutes"
        )
        self.minutes.tooltip = describe(Budget, "minutes")
        self.seed = SpinBox(max=2**31 - 1, label="Seed", tooltip=tip("seed"))
        first = next(iter(kind.presets.values()))
        self.more = SettingsForm(kind.model, kind.more) if kind.more else None
        self.engine_form = SettingsForm(type(first), above=self.more)
        self.engine_form.show_settings(first)
        self.advanced = Fold("Advanced settings")
        self.advanced.addWidget(self.more or self.engine_form)

    def _make_folder(self) -> None:
        self.folder, self.folder_note = QLineEdit(), Note()
        self.folder.setToolTip("Everything the run learns is kept here")
        self.choose, self.copy = QPushButton("Choose …"), QPushButton("Copy as command")
        self.choose.setToolTip("Choose a new or empty folder")
        self.copy.setToolTip("The same run for a terminal, without napari")

    def _lay_out(self) -> None:
        dials = new_form()
        for dial in (*self.choices.values(), self.preset, self.device, self.minutes, self.seed):
            add_dial(dials, dial)
        memory = () if self.memory is None else (self.memory,)
        earlier = () if self.kind.opened_in else (EarlierRunRow(self.training),)
        fill_step(
            self,
            dials,
            *memory,
            heading("Run folder"),
            row_of(self.folder, self.choose, stretch=(1, 0)),
            self.folder_note,
            self.copy,
            *earlier,
            self.advanced,
        )

    def _connect(self) -> None:
        training = self.training
        self.preset.changed.connect(self._show_preset)
        self.engine_form.changed.connect(self._share)
        self.folder.textChanged.connect(self._show_folder)
        self.folder.textEdited.connect(self._on_folder_edited)
        self.choose.clicked.connect(self._choose_folder)
        self.copy.clicked.connect(self.copy_command)
        training.inputs_changed.connect(self._propose_folder)
        training.run_changed.connect(self._show_folder)
        on_change(self._take_preferences)
        if self.memory is not None:
            training.inputs_changed.connect(self.memory.look_soon)
            for changed in (self.preset.changed, self.device.changed, self.engine_form.changed):
                changed.connect(self.memory.look_soon)
            self.memory.less_asked.connect(self.take_less)

    def settings(self) -> Any:
        """Return the settings of the dials and of the chosen inputs."""
        training = self.training
        if training.missing:
            raise SettingsError("The inputs are not complete.", action=training.missing)
        dials = {**self.choices, "preset": self.preset, "device": self.device, "seed": self.seed}
        return validated(
            self.kind.model,
            {
                **training.inputs.values,
                **(self.more.values() if self.more is not None else {}),
                **{name: dial.value for name, dial in dials.items()},
                "engine": self._engine(),
            },
        )

    def _engine(self) -> BaseModel:
        first = next(iter(self.kind.presets.values()))
        return validated(type(first), self.engine_form.values())

    @property
    def budget(self) -> Budget:
        """The minutes to train."""
        return Budget(minutes=self.minutes.value, steps=None)

    @property
    def run_folder(self) -> Path:
        """The folder of the next run."""
        return typed_path(self.folder.text())

    def use_folder(self, folder: Path) -> None:
        """Keep the next run in this folder rather than in the one proposed."""
        self._folder_chosen = True
        self.folder.setText(str(folder))

    def take(self, settings: Any, run_folder: Path, minutes: float) -> None:
        """Set the dials to these settings; the inputs stay those of step 1."""
        for name, dial in self.choices.items():
            dial.value = getattr(settings, name).value
        self.preset.value = settings.preset.value
        self.engine_form.show_settings(settings.engine)
        if self.more is not None:
            self.more.show_settings(settings)
        self.seed.value = settings.seed
        self.minutes.value = minutes
        self.use_folder(run_folder)

    def start(self) -> None:
        """Start a run; what is wrong is shown as a notification."""
        if self.training.less:  # the last one found no room
            self.engine_form.take(self.training.less)
            self._propose_folder()
        try:
            settings = self.settings()
        except SuperResError as error:
            show_error(str(error))
            return
        self._begun = None if _holds_run(self.run_folder) else self.run_folder
        self.training.start(settings, self.run_folder, self.budget)

    def continue_run(self) -> None:
        """Train the current run for as long again."""
        self.training.resume(self.budget)

    def take_less(self, changes: Changes) -> None:
        """Set the advanced settings to those with which there is room."""
        self.engine_form.take(changes)
        self.advanced.expand()  # where it can be seen what was changed

    def command(self) -> str:
        """Return the command line of the run; raises what `settings` does."""
        settings = self.settings()
        return self.kind.command(settings, self.training.inputs, self.budget, self.run_folder)

    def copy_command(self) -> None:
        """Put the command of this run on the clipboard."""
        try:
            command = self.command()
        except SuperResError as error:
            show_error(str(error))
            return
        QGuiApplication.clipboard().setText(command)
        show_info(f"Copied: {command}")

    def find_devices(self) -> None:
        """Look for devices and their free memory in a thread: it imports torch."""
        look = self.training.engine.devices
        worker = create_worker(look, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self.set_device_choices)
        start_worker(worker)

    def set_device_choices(self, choices: list[DeviceChoice]) -> None:
        """Offer these devices besides auto, keeping the choice; from now on memory is estimated."""
        before, known = self.device.value, [str(name) for name in self.device.choices]
        offered = [("auto: the fastest there is", "auto")]
        offered += [(choice.text, choice.name) for choice in choices]
        self.device.choices = offered
        names = [name for _text, name in offered]
        wanted = preferred_device(preferences().device, names)
        found = before == "auto" and wanted not in known  # it could not be taken before
        self.device.value = wanted if found or before not in names else before
        if self.memory is not None:
            self.memory.begin()

    def _take_preferences(self) -> None:
        names = [str(name) for name in self.device.choices]
        before, self._preferred = self._preferred, preferences().device
        if self.device.value == preferred_device(before, names):  # else it is the step's own choice
            self.device.value = preferred_device(self._preferred, names)
        self._propose_folder()

    def _propose_folder(self) -> None:
        if self.training.runner.active or (self._folder_chosen and not self._taken):
            return
        self._folder_chosen = False
        parent = preferences().runs_folder or default_runs_folder(Path.home())
        name = self.kind.run_name(self.training.inputs)
        self.folder.setText(str(free_run_folder(parent, name, datetime.now())))
        self.folder.setCursorPosition(0)

    @property
    def _taken(self) -> bool:
        """Whether a run that was started here lies in the folder: the next one needs another."""
        folder = self.run_folder
        return self._is_shown(folder) or (folder == self._begun and _holds_run(folder))

    def _is_shown(self, folder: Path) -> bool:
        run = self.training.run
        return run is not None and run.folder == folder

    def _share(self) -> None:
        """Let the checks of step 1 know what is to be trained with."""
        try:
            wanted = self._engine()
        except SettingsError:  # shown at Start
            self.training.set_wanted(None)
        else:
            self.training.set_wanted(wanted)

    def _show_preset(self, name: str) -> None:
        self.engine_form.show_settings(
            next(engine for preset, engine in self.kind.presets.items() if preset.value == name)
        )

    def _show_folder(self, _text: str = "") -> None:
        folder = self.run_folder
        text = folder_text(folder, self.kind.opened_in or "below")
        own = self._is_shown(folder)
        self.folder_note.setText("This is the run in step 3." if own else text)

    def _on_folder_edited(self, text: str) -> None:
        self._folder_chosen = bool(text.strip())

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the run", str(Path.home()))
        if chosen:
            self.use_folder(Path(chosen))


class EarlierRunRow(QWidget):
    """Which run is on hand, and a button to open another one."""

    def __init__(self, training: Training[Any, Any]) -> None:
        super().__init__()
        self.training = training
        self.note = Note()
        self.open = OpenRunButton(training, "To look at, train on, or make images with")
        fill_column(self, heading("Earlier run"), self.note, self.open)
        training.run_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        run = self.training.run
        self.note.setText("None yet." if run is None else str(run.folder))


def _holds_run(folder: Path) -> bool:
    try:
        return (folder / "config.json").is_file()
    except OSError:  # no permission to look, or no name for a folder
        return False
