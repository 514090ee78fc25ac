"""Step 2: how to train, for how long, and where it is kept."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, FloatSpinBox, SpinBox
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
)

from napari_superres.config import (
    PRESETS,
    Budget,
    EngineSettings,
    Preset,
    TrainingSettings,
    describe,
    validated,
)
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.engine import DeviceChoice
from napari_superres.widgets.memory_row import MemoryRow
from napari_superres.widgets.preferences import on_change, preferences, preferred_device
from napari_superres.widgets.preflight import folder_text
from napari_superres.widgets.session import Session
from napari_superres.widgets.settings_form import SettingsForm, add_dial
from napari_superres.widgets.step import Note, Step, heading, new_fold, new_form
from napari_superres.widgets.texts import (
    Changes,
    default_runs_folder,
    free_run_folder,
    train_command,
)
from napari_superres.widgets.threads import in_thread

IMAGING = (
    ("blurred: under-resolved, as X-ray CT", "blurred"),
    ("sampled: under-sampled, as SEM", "sampled"),
)
PRESET_TEXTS = (
    ("quick: minutes on a laptop", "quick"),
    ("standard: for a GPU", "standard"),
    ("paper: networks and losses of the paper", "paper"),
)


PATIENCE_MS = 400
MORE_DIALS = ("blur_kernel", "blur_sd", "one_sided", "rotations", "mirrors", "warm_start")


class TrainStep(Step):
    """The few dials that matter, the rest folded away, and the run's folder."""

    title = "Train"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._folder_chosen = False
        self._devices_known = False  # before, an estimate would import torch for nothing
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(PATIENCE_MS)
        self._look.timeout.connect(self.look_ahead)
        self._build()
        self._take_preferences()
        self.session.inputs_changed.connect(self._propose_folder)
        self.session.inputs_changed.connect(self._on_dial)
        self.session.run_changed.connect(self._tell_folder)
        on_change(self._take_preferences)

    def _build(self) -> None:
        tips = {name: describe(TrainingSettings, name) for name in TrainingSettings.model_fields}
        self.imaging = ComboBox(choices=IMAGING, label="Imaging model", tooltip=tips["imaging"])
        self.preset = ComboBox(choices=PRESET_TEXTS, label="Preset", tooltip=tips["preset"])
        self.device = ComboBox(choices=[("auto", "auto"), ("cpu", "cpu")], label="Device")
        self.device.tooltip = tips["device"]
        self.minutes = FloatSpinBox(value=5, min=0.01, max=100_000, step=0.5, label="Minutes")
        self.minutes.tooltip = describe(Budget, "minutes")
        self.seed = SpinBox(max=2**31 - 1, label="Seed", tooltip=tips["seed"])
        dials = new_form()
        for dial in (self.imaging, self.preset, self.device, self.minutes, self.seed):
            add_dial(dials, dial)
        self.blur = SettingsForm(TrainingSettings, MORE_DIALS)
        self.engine_form = SettingsForm(EngineSettings, above=self.blur)
        self.engine_form.show_settings(PRESETS[Preset.QUICK])
        self.advanced = new_fold("Advanced settings")
        self.advanced.addWidget(self.blur)
        self.folder = QLineEdit()
        self.folder.setToolTip("Everything the run learns is kept here")
        self.choose = QPushButton("Choose …")
        self.choose.setToolTip("Choose a new or empty folder")
        self.copy = QPushButton("Copy as command")
        self.copy.setToolTip("The same run for a terminal, without napari")
        self.folder_note, self.memory = Note(), MemoryRow()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(dials)
        layout.addWidget(self.memory)
        layout.addWidget(heading("Run folder"))
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        layout.addLayout(row)
        layout.addWidget(self.folder_note)
        layout.addWidget(self.copy)
        layout.addWidget(self.advanced)
        layout.addStretch(1)
        self.preset.changed.connect(self._on_preset)
        self.choose.clicked.connect(self._choose_folder)
        self.folder.textEdited.connect(self._on_folder_edited)
        self.folder.textChanged.connect(self._tell_folder)
        self.copy.clicked.connect(self.copy_command)
        self.memory.less_asked.connect(self.take_less)
        for dial in (self.preset, self.device):
            dial.changed.connect(self._on_dial)
        self.engine_form.changed.connect(self._on_dial)
        self.engine_form.changed.connect(self._share)

    def settings(self) -> TrainingSettings:
        """Return the settings of the dials and of the chosen inputs.

        Raises
        ------
        SettingsError
            A dial holds something that is not allowed, or an input is missing.
        """
        inputs = self.session.inputs
        if inputs is None or inputs.scale_factor is None:
            raise SettingsError("The inputs are not complete.", action="See step 1, Data.")
        engine = validated(EngineSettings, self.engine_form.values())
        values = self.blur.values()
        one_sided = values.pop("one_sided")
        if one_sided is None:
            one_sided = ()
        elif not isinstance(one_sided, tuple):
            one_sided = (one_sided,)
        if values["warm_start"] is not None:  # a folder may be called 12
            values["warm_start"] = self.blur.dials["warm_start"].value.strip()
        return validated(
            TrainingSettings,
            {
                **values,
                "one_sided": one_sided,
                "scale_factor": inputs.scale_factor,
                "phase_map": inputs.table.phase_map,
                "anisotropic": inputs.high_res.anisotropic,
                "imaging": self.imaging.value,
                "preset": self.preset.value,
                "device": self.device.value,
                "seed": self.seed.value,
                "engine": engine,
            },
        )

    @property
    def budget(self) -> Budget:
        """The minutes to train."""
        return Budget(minutes=self.minutes.value, steps=None)

    @property
    def run_folder(self) -> Path:
        """The folder of the next run."""
        return Path(self.folder.text()).expanduser()

    def take(self, settings: TrainingSettings, run_folder: Path, minutes: float) -> None:
        """Set the dials to these settings; the inputs stay those of the Data step."""
        self.imaging.value = settings.imaging.value
        self.preset.value = settings.preset.value
        self.engine_form.show_settings(settings.engine)
        self.blur.show_settings(settings)
        self.seed.value = settings.seed
        self.minutes.value = minutes
        self.use_folder(run_folder)

    def use_folder(self, folder: Path) -> None:
        """Keep the next run in this folder rather than in the one proposed."""
        self._folder_chosen = True
        self.folder.setText(str(folder))

    def start(self) -> None:
        """Start a run; what is wrong is told as a notification."""
        if self.session.less:  # the last one found no room
            self.engine_form.take(self.session.less)
            self._propose_folder()
        try:
            settings = self.settings()
        except SuperResError as error:
            show_error(str(error))
            return
        self.session.start_training(settings, self.run_folder, self.budget)
        self._folder_chosen = False

    def continue_run(self) -> None:
        """Train the current run for as long again."""
        self.session.continue_training(self.budget)

    def set_device_choices(self, choices: list[DeviceChoice]) -> None:
        """Offer these devices besides auto, keeping the choice."""
        before = self.device.value
        offered = [("auto: the fastest there is", "auto")]
        offered += [(choice.text, choice.name) for choice in choices]
        self.device.choices = offered
        names = [name for _text, name in offered]
        kept = before != "auto" and before in names
        self.device.value = before if kept else preferred_device(preferences().device, names)
        self._devices_known = True
        self._on_dial()

    def look_ahead(self) -> None:
        """Estimate, in a thread, the memory that these settings need."""
        try:
            settings = self.settings()
        except SuperResError:
            self.memory.empty()  # Start tells what is wrong
            return
        in_thread(self.session.engine.preflight, self.memory.show_outcome, settings)

    def take_less(self, changes: Changes) -> None:
        """Set the advanced settings to those with which there is room."""
        self.engine_form.take(changes)
        self.advanced.expand()  # where it can be seen what was changed

    def _share(self) -> None:
        """Let the checks of step 1 know what is to be trained with."""
        try:
            wanted = validated(EngineSettings, self.engine_form.values())
        except SettingsError:  # told at Start
            wanted = None
        self.session.set_wanted(wanted)

    def _on_dial(self, _value: object = None) -> None:
        if self._devices_known:
            self._look.start()

    def find_devices(self) -> None:
        """Look for devices and their free memory in a thread: it imports torch."""
        look = self.session.engine.devices
        worker = create_worker(look, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self.set_device_choices)
        worker.start()

    def copy_command(self) -> None:
        """Put the command of this run on the clipboard."""
        try:
            settings = self.settings()
        except SuperResError as error:
            show_error(str(error))
            return
        inputs = self.session.inputs
        assert inputs is not None
        command = train_command(
            settings, self.budget, self.run_folder, inputs.low_res_path, inputs.high_res_paths
        )
        QGuiApplication.clipboard().setText(command)
        show_info(f"Copied: {command}")

    def _on_preset(self, preset: str) -> None:
        self.engine_form.show_settings(PRESETS[Preset(preset)])

    def _take_preferences(self) -> None:
        names = [str(name) for name in self.device.choices]
        self.device.value = preferred_device(preferences().device, names)
        self._propose_folder()

    def _propose_folder(self) -> None:
        if self._folder_chosen or self.session.training.active:
            return
        inputs = self.session.inputs
        name = inputs.low_res.name if inputs is not None else ""
        parent = preferences().runs_folder or default_runs_folder(Path.home())
        self.folder.setText(str(free_run_folder(parent, name, datetime.now())))
        self.folder.setCursorPosition(0)

    def _tell_folder(self, _text: str = "") -> None:
        session, folder = self.session, self.run_folder
        own = session.run is not None and session.run.folder == folder
        self.folder_note.setText("This is the run in step 3." if own else folder_text(folder))

    def _on_folder_edited(self, text: str) -> None:
        self._folder_chosen = bool(text.strip())

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the run", str(Path.home()))
        if chosen:
            self.use_folder(Path(chosen))
