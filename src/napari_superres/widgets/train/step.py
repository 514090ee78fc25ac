"""Step 2: how to train, for how long, and where it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_superres.config import (
    PRESETS,
    EngineSettings,
    Preset,
    TrainingSettings,
    describe,
    validated,
)
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.jobs.words import NONE, Changes, changes_text
from napari_superres.widgets.parts.layout import Note, heading
from napari_superres.widgets.parts.settings_form import SettingsForm
from napari_superres.widgets.run.command import train_command
from napari_superres.widgets.run.engine import DeviceChoice
from napari_superres.widgets.run.preferences import on_change
from napari_superres.widgets.run.preflight import folder_text, preflight_text
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.train.dials import TrainDials

IMAGING = (
    ("blurred: under-resolved, as X-ray CT", "blurred"),
    ("sampled: under-sampled, as SEM", "sampled"),
)
PATIENCE_MS = 400
MORE_DIALS = ("blur_kernel", "blur_sd", "one_sided", "rotations", "mirrors", "warm_start")


class TrainStep(TrainDials):
    """The few dials that matter, the rest folded away, and the run's folder."""

    model = TrainingSettings
    preset_texts = (
        ("quick: minutes on a laptop", "quick"),
        ("standard: for a GPU", "standard"),
        ("paper: networks and losses of the paper", "paper"),
    )
    usual_minutes = 5

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._devices_known = False  # before, an estimate would import torch for nothing
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(PATIENCE_MS)
        self._look.timeout.connect(self.look_ahead)
        self._ahead = Latest(self)
        self._make_dials()
        self._lay_out()
        self._take_preferences()
        self.session.inputs_changed.connect(self._propose_folder)
        self.session.inputs_changed.connect(self._on_dial)
        self.session.run_changed.connect(self._tell_folder)
        on_change(self._take_preferences)

    def _make_dials(self) -> None:
        super()._make_dials()
        tip = describe(TrainingSettings, "imaging")
        self.imaging = ComboBox(choices=IMAGING, label="Imaging model", tooltip=tip)
        self.blur = SettingsForm(TrainingSettings, MORE_DIALS)
        self.engine_form = SettingsForm(EngineSettings, above=self.blur)
        self.engine_form.show_settings(PRESETS[Preset.QUICK])
        self.advanced.addWidget(self.blur)
        self.folder_note, self.memory = Note(), MemoryRow()
        self._ahead.done.connect(self.memory.show_outcome)
        self.folder.textChanged.connect(self._tell_folder)
        self.memory.less_asked.connect(self.take_less)
        for dial in (self.preset, self.device):
            dial.changed.connect(self._on_dial)
        self.engine_form.changed.connect(self._on_dial)
        self.engine_form.changed.connect(self._share)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(self._form_of_dials(self.imaging))
        layout.addWidget(self.memory)
        layout.addWidget(heading("Run folder"))
        layout.addLayout(self._folder_row())
        layout.addWidget(self.folder_note)
        layout.addWidget(self.copy)
        layout.addWidget(self.advanced)
        layout.addStretch(1)

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
        return validated(
            TrainingSettings,
            {
                **self.blur.values(),
                "scale_factor": inputs.scale_factor,
                "phase_map": inputs.table.phase_map,
                "anisotropic": inputs.pair.high_res.anisotropic,
                "imaging": self.imaging.value,
                "preset": self.preset.value,
                "device": self.device.value,
                "seed": self.seed.value,
                "engine": engine,
            },
        )

    def take(self, settings: TrainingSettings, run_folder: Path, minutes: float) -> None:
        """Set the dials to these settings; the inputs stay those of the Data step."""
        self.imaging.value = settings.imaging.value
        self.preset.value = settings.preset.value
        self.engine_form.show_settings(settings.engine)
        self.blur.show_settings(settings)
        self.seed.value = settings.seed
        self.minutes.value = minutes
        self.use_folder(run_folder)

    def continue_run(self) -> None:
        """Train the current run for as long again."""
        self.session.continue_training(self.budget)

    def _begin(self, settings: TrainingSettings) -> None:
        self.session.start_training(settings, self.run_folder, self.budget)

    def set_device_choices(self, choices: list[DeviceChoice]) -> None:
        """Offer these devices besides auto, keeping the choice; from now on memory is estimated."""
        super().set_device_choices(choices)
        self._devices_known = True
        self._on_dial()

    def look_ahead(self) -> None:
        """Estimate, in a thread, the memory that these settings need."""
        try:
            settings = self.settings()
        except SuperResError:
            self._ahead.forget()
            self.memory.empty()  # Start tells what is wrong
            return
        self._ahead.ask(self.session.engine.preflight, settings)

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

    def command(self) -> str:
        """Return the command line of the run.

        Raises
        ------
        SettingsError
            As for `settings`.
        """
        settings, inputs = self.settings(), self.session.inputs
        assert inputs is not None
        return train_command(
            settings, self.budget, self.run_folder, inputs.low_res_path, inputs.high_res_paths
        )

    def _show_preset(self, name: str) -> None:
        self.engine_form.show_settings(PRESETS[Preset(name)])

    def _run_name(self) -> str:
        inputs = self.session.inputs
        return inputs.pair.low_res.name if inputs is not None else ""

    def _tell_folder(self, _text: str = "") -> None:
        session, folder = self.session, self.run_folder
        own = session.run is not None and session.run.folder == folder
        self.folder_note.setText("This is the run in step 3." if own else folder_text(folder))


class MemoryRow(QWidget):
    """The estimate as a sentence; below it, where there is no room, smaller settings to take.

    Signals
    -------
    less_asked : the settings, by name
    """

    less_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note, self.less = Note(), QPushButton()
        self.note.setToolTip("Estimated from the sizes of networks, crop and batch")
        self.less.setToolTip("Sets the advanced settings to what there is room for")
        self._changes: Changes = NONE
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.note)
        layout.addWidget(self.less)
        self.less.clicked.connect(self._on_less)
        self.empty()

    def empty(self) -> None:
        """Show nothing."""
        self.note.setText("")
        self._offer(NONE)

    def show_outcome(self, outcome: Outcome) -> None:
        """Show an estimate (a Preflight), or why there is none."""
        self.note.setText(str(outcome.error or preflight_text(outcome.value)))
        self._offer(NONE if outcome.error is not None else outcome.value.changes)

    def _offer(self, changes: Changes) -> None:
        self._changes = changes
        self.less.setText(f"Use {changes_text(changes)}")
        self.less.setVisible(bool(changes))

    def _on_less(self) -> None:
        changes = self._changes
        self._offer(NONE)
        self.less_asked.emit(changes)
