"""What the steps that train share: preset, device, minutes, seed, and the run's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, FloatSpinBox, SpinBox
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from pydantic import BaseModel
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QPushButton

from napari_superres.config import Budget, describe
from napari_superres.errors import SuperResError
from napari_superres.widgets.jobs.threads import start_worker
from napari_superres.widgets.jobs.words import default_runs_folder, free_run_folder
from napari_superres.widgets.parts.layout import Fold, new_form
from napari_superres.widgets.parts.paths import typed_path
from napari_superres.widgets.parts.settings_form import SettingsForm, add_dial
from napari_superres.widgets.run.engine import DeviceChoice
from napari_superres.widgets.run.image_session import ImageSession
from napari_superres.widgets.run.preferences import preferences, preferred_device
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step


class TrainDials(Step):
    """Dials, run folder, start and command; subclasses say what is trained.

    Parameters
    ----------
    trained : whose training is set up here

    Attributes
    ----------
    model : class of the settings
    preset_texts : how the presets are offered, (text, name)
    usual_minutes : a first proposal
    engine_form : the advanced settings, made by subclasses
    """

    title = "Train"
    model: type[BaseModel]
    preset_texts: tuple[tuple[str, str], ...]
    usual_minutes: float
    engine_form: SettingsForm

    def __init__(
        self, napari_viewer: Any, session: Session | None, trained: ImageSession | None = None
    ) -> None:
        super().__init__(napari_viewer, session)
        self.trained: Session | ImageSession = trained or self.session
        self._folder_chosen = False
        self._begun: Path | None = None
        self._preferred = "auto"

    def settings(self) -> Any:
        """Return the settings of the dials and of the chosen inputs.

        Raises
        ------
        SettingsError
            A dial holds something that is not allowed, or an input is missing.
        """
        raise NotImplementedError

    def command(self) -> str:
        """Return the command line of the run.

        Raises
        ------
        SettingsError
            As for `settings`.
        """
        raise NotImplementedError

    def _begin(self, settings: Any) -> None:
        """Start a run with these settings."""
        raise NotImplementedError

    def _run_name(self) -> str:
        """Return what the next run's folder is called after."""
        raise NotImplementedError

    def _show_preset(self, name: str) -> None:
        """Show the advanced settings of a preset."""
        raise NotImplementedError

    def _make_dials(self) -> None:
        def tip(name: str) -> str:
            return describe(self.model, name)

        self.preset = ComboBox(choices=self.preset_texts, label="Preset", tooltip=tip("preset"))
        self.device = ComboBox(choices=[("auto", "auto"), ("cpu", "cpu")], label="Device")
        self.device.tooltip = tip("device")
        self.minutes = FloatSpinBox(
            value=self.usual_minutes, min=0.01, max=100_000, step=0.5, label="Minutes"
        )
        self.minutes.tooltip = describe(Budget, "minutes")
        self.seed = SpinBox(max=2**31 - 1, label="Seed", tooltip=tip("seed"))
        self.advanced = Fold("Advanced settings")
        self.folder = QLineEdit()
        self.folder.setToolTip("Everything the run learns is kept here")
        self.choose, self.copy = QPushButton("Choose …"), QPushButton("Copy as command")
        self.choose.setToolTip("Choose a new or empty folder")
        self.copy.setToolTip("The same run for a terminal, without napari")
        self.preset.changed.connect(self._show_preset)
        self.choose.clicked.connect(self._choose_folder)
        self.folder.textEdited.connect(self._on_folder_edited)
        self.copy.clicked.connect(self.copy_command)

    def _form_of_dials(self, *first: Any) -> QFormLayout:
        form = new_form()
        for dial in (*first, self.preset, self.device, self.minutes, self.seed):
            add_dial(form, dial)
        return form

    def _folder_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        return row

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

    def start(self) -> None:
        """Start a run; what is wrong is told as a notification."""
        if self.trained.less:  # the last one found no room
            self.engine_form.take(self.trained.less)
            self._propose_folder()
        try:
            settings = self.settings()
        except SuperResError as error:
            show_error(str(error))
            return
        self._begun = None if _holds_run(self.run_folder) else self.run_folder
        self._begin(settings)

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
        look = self.trained.engine.devices
        worker = create_worker(look, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self.set_device_choices)
        start_worker(worker)

    def set_device_choices(self, choices: list[DeviceChoice]) -> None:
        """Offer these devices besides auto, keeping the choice."""
        before, known = self.device.value, [str(name) for name in self.device.choices]
        offered = [("auto: the fastest there is", "auto")]
        offered += [(choice.text, choice.name) for choice in choices]
        self.device.choices = offered
        names = [name for _text, name in offered]
        wanted = preferred_device(preferences().device, names)
        found = before == "auto" and wanted not in known  # it could not be taken before
        self.device.value = wanted if found or before not in names else before

    def _take_preferences(self) -> None:
        names = [str(name) for name in self.device.choices]
        before, self._preferred = self._preferred, preferences().device
        if self.device.value == preferred_device(before, names):  # else it is the step's own choice
            self.device.value = preferred_device(self._preferred, names)
        self._propose_folder()

    def _propose_folder(self) -> None:
        if self.trained.training.active or (self._folder_chosen and not self._taken):
            return
        self._folder_chosen = False
        parent = preferences().runs_folder or default_runs_folder(Path.home())
        self.folder.setText(str(free_run_folder(parent, self._run_name(), datetime.now())))
        self.folder.setCursorPosition(0)

    @property
    def _taken(self) -> bool:
        """Whether a run that was started here lies in the folder: the next one needs another."""
        run, folder = self.trained.run, self.run_folder
        shown = run is not None and run.folder == folder
        return shown or (folder == self._begun and _holds_run(folder))

    def _on_folder_edited(self, text: str) -> None:
        self._folder_chosen = bool(text.strip())

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the run", str(Path.home()))
        if chosen:
            self.use_folder(Path(chosen))


def _holds_run(folder: Path) -> bool:
    try:
        return (folder / "config.json").is_file()
    except OSError:  # no permission to look, or no name for a folder
        return False
