"""How a training on images is set up: preset, device, minutes, seed, folder; the rest folded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, FloatSpinBox, SpinBox
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from pydantic import BaseModel
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from napari_superres.config import Budget, describe, validated
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.engine import DeviceChoice
from napari_superres.widgets.image_session import ImageSession
from napari_superres.widgets.preferences import on_change, preferences, preferred_device
from napari_superres.widgets.settings_form import SettingsForm, add_dial
from napari_superres.widgets.step import Note, Step, heading, new_fold, new_form
from napari_superres.widgets.texts import default_runs_folder, free_run_folder


class ImageTrainStep(Step):
    """The few dials that matter; synthesis and translation say which settings they fill.

    Attributes
    ----------
    model : class of the settings
    presets : engine of each preset
    preset_texts : how the presets are offered, (text, name)
    """

    title = "Train"
    model: type[BaseModel]
    presets: Mapping[Any, BaseModel]
    preset_texts: tuple[tuple[str, str], ...]

    def __init__(self, napari_viewer: Any, images: ImageSession) -> None:
        super().__init__(napari_viewer, images.owner)
        self.images = images
        self._folder_chosen = False
        self._make_dials()
        self._lay_out()
        self._take_preferences()
        images.inputs_changed.connect(self._propose_folder)
        images.run_changed.connect(self._show_run)
        on_change(self._take_preferences)
        self._show_run()

    def _make_dials(self) -> None:
        def tip(name: str) -> str:
            return describe(self.model, name)

        self.preset = ComboBox(choices=self.preset_texts, label="Preset", tooltip=tip("preset"))
        self.device = ComboBox(choices=[("auto", "auto"), ("cpu", "cpu")], label="Device")
        self.device.tooltip = tip("device")
        self.minutes = FloatSpinBox(value=10, min=0.01, max=100_000, step=0.5, label="Minutes")
        self.minutes.tooltip = describe(Budget, "minutes")
        self.seed = SpinBox(max=2**31 - 1, label="Seed", tooltip=tip("seed"))
        first = next(iter(self.presets.values()))
        self.engine_form = SettingsForm(type(first))
        self.engine_form.show_settings(first)
        self.advanced = new_fold("Advanced settings")
        self.advanced.addWidget(self.engine_form)
        self.folder = QLineEdit()
        self.folder.setToolTip("Everything the run learns is kept here")
        self.choose, self.copy = QPushButton("Choose …"), QPushButton("Copy as command")
        self.copy.setToolTip("The same run for a terminal, without napari")
        self.choose.setToolTip("Choose a new or empty folder")
        self.open = QPushButton("Open an earlier run …")
        self.open.setToolTip("To look at, train on, or make images with")
        self.run_note = Note()
        self.preset.changed.connect(self._on_preset)
        self.engine_form.changed.connect(self.images.forget_less)
        self.choose.clicked.connect(self._choose_folder)
        self.folder.textEdited.connect(self._on_folder_edited)
        self.copy.clicked.connect(self.copy_command)
        self.open.clicked.connect(self._ask_run)

    def _lay_out(self) -> None:
        dials = new_form()
        for dial in (self.preset, self.device, self.minutes, self.seed):
            add_dial(dials, dial)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(dials)
        layout.addWidget(heading("Run folder"))
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        layout.addLayout(row)
        layout.addWidget(Note("Must not exist yet, or be empty."))
        layout.addWidget(self.copy)
        layout.addWidget(heading("Earlier run"))
        layout.addWidget(self.run_note)
        layout.addWidget(self.open)
        layout.addWidget(self.advanced)
        layout.addStretch(1)

    def settings(self) -> Any:
        """Return the settings of the dials and of the chosen inputs.

        Raises
        ------
        SettingsError
            A dial holds something that is not allowed, or an input is missing.
        """
        inputs = self.images.inputs
        if inputs is None:
            raise SettingsError("The inputs are not complete.", action="See step 1.")
        preset = self._preset(self.preset.value)
        engine = validated(type(self.presets[preset]), self.engine_form.values())
        values = {"preset": preset, "device": self.device.value, "seed": self.seed.value}
        return validated(self.model, {**inputs.values, **values, "engine": engine})

    def command(self) -> str:
        """Return the command line of the run; subclasses know its words."""
        raise NotImplementedError

    @property
    def budget(self) -> Budget:
        """The minutes to train."""
        return Budget(minutes=self.minutes.value, steps=None)

    @property
    def run_folder(self) -> Path:
        """The folder of the next run."""
        return Path(self.folder.text()).expanduser()

    def use_folder(self, folder: Path) -> None:
        """Keep the next run in this folder rather than in the one proposed."""
        self._folder_chosen = True
        self.folder.setText(str(folder))

    def start(self) -> None:
        """Start a run; what is wrong is told as a notification."""
        if self.images.less:  # the last one found no room
            self.engine_form.take(self.images.less)
            self._propose_folder()
        try:
            settings = self.settings()
        except SuperResError as error:
            show_error(str(error))
            return
        self.images.start(settings, self.run_folder, self.budget)
        self._folder_chosen = False

    def continue_run(self) -> None:
        """Train the current run for as long again."""
        self.images.resume(self.budget)

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
        """Look for devices in a thread: it imports torch."""
        worker = create_worker(self.images.engine.devices, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self.set_device_choices)
        worker.start()

    def set_device_choices(self, choices: list[DeviceChoice]) -> None:
        """Offer these devices besides auto, keeping the choice."""
        before = self.device.value
        offered = [("auto: the fastest there is", "auto")]
        offered += [(choice.text, choice.name) for choice in choices]
        self.device.choices = offered
        names = [name for _text, name in offered]
        kept = before != "auto" and before in names
        self.device.value = before if kept else preferred_device(preferences().device, names)

    def _preset(self, name: str) -> StrEnum:
        found: StrEnum = next(preset for preset in self.presets if preset.value == name)
        return found

    def _on_preset(self, name: str) -> None:
        self.engine_form.show_settings(self.presets[self._preset(name)])

    def _take_preferences(self) -> None:
        names = [str(name) for name in self.device.choices]
        self.device.value = preferred_device(preferences().device, names)
        self._propose_folder()

    def _propose_folder(self) -> None:
        if self._folder_chosen or self.images.training.active:
            return
        inputs = self.images.inputs
        kind = self.images.engine.kind
        name = f"{kind}-{inputs.chosen[-1].name}" if inputs is not None else kind
        parent = preferences().runs_folder or default_runs_folder(Path.home())
        self.folder.setText(str(free_run_folder(parent, name, datetime.now())))
        self.folder.setCursorPosition(0)

    def _show_run(self) -> None:
        run = self.images.run
        self.run_note.setText("None yet." if run is None else str(run.folder))

    def _on_folder_edited(self, text: str) -> None:
        self._folder_chosen = bool(text.strip())

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the run", str(Path.home()))
        if chosen:
            self.use_folder(Path(chosen))

    def _ask_run(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of an earlier run")
        if chosen:
            self.images.open_run(Path(chosen))
