"""How a training on images is set up: preset, device, minutes, seed, folder; the rest folded."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from qtpy.QtWidgets import QFileDialog, QPushButton, QVBoxLayout

from napari_superres.config import validated
from napari_superres.errors import SettingsError
from napari_superres.widgets.parts.layout import Note, heading
from napari_superres.widgets.parts.settings_form import SettingsForm
from napari_superres.widgets.run.image_session import ImageSession
from napari_superres.widgets.run.preferences import on_change
from napari_superres.widgets.train.dials import TrainDials


class ImageTrainStep(TrainDials):
    """The few dials that matter; synthesis and translation say which settings they fill.

    Attributes
    ----------
    presets : engine of each preset
    """

    presets: Mapping[Any, BaseModel]
    usual_minutes = 10

    def __init__(self, napari_viewer: Any, images: ImageSession) -> None:
        super().__init__(napari_viewer, images.owner, images)
        self.images = images
        self._make_dials()
        self._lay_out()
        self._take_preferences()
        images.inputs_changed.connect(self._propose_folder)
        images.run_changed.connect(self._show_run)
        on_change(self._take_preferences)
        self._show_run()

    def _make_dials(self) -> None:
        super()._make_dials()
        first = next(iter(self.presets.values()))
        self.engine_form = SettingsForm(type(first))
        self.engine_form.show_settings(first)
        self.advanced.addWidget(self.engine_form)
        self.open = QPushButton("Open an earlier run …")
        self.open.setToolTip("To look at, train on, or make images with")
        self.run_note = Note()
        self.engine_form.changed.connect(self.images.forget_less)
        self.open.clicked.connect(self._ask_run)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addLayout(self._form_of_dials())
        layout.addWidget(heading("Run folder"))
        layout.addLayout(self._folder_row())
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

    def continue_run(self) -> None:
        """Train the current run for as long again."""
        self.images.resume(self.budget)

    def _begin(self, settings: Any) -> None:
        self.images.start(settings, self.run_folder, self.budget)

    def _run_name(self) -> str:
        inputs, kind = self.images.inputs, self.images.engine.kind
        return f"{kind}-{inputs.chosen[-1].name}" if inputs is not None else kind

    def _preset(self, name: str) -> StrEnum:
        found: StrEnum = next(preset for preset in self.presets if preset.value == name)
        return found

    def _show_preset(self, name: str) -> None:
        self.engine_form.show_settings(self.presets[self._preset(name)])

    def _show_run(self) -> None:
        run = self.images.run
        self.run_note.setText("None yet." if run is None else str(run.folder))

    def _ask_run(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of an earlier run")
        if chosen:
            self.images.open_run(Path(chosen))
