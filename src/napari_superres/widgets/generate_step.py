"""Step 4: generate a volume from a run and lay it over the low-res layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
)

from napari_superres.config import GenerationSettings, describe, validated
from napari_superres.data.phases import Phase
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.earlier_runs import open_run
from napari_superres.widgets.generation_plan import plan_text, start_of
from napari_superres.widgets.geometry import parse_region
from napari_superres.widgets.input_roles import SUPER_RES, role_of
from napari_superres.widgets.layer_data import layer_phases
from napari_superres.widgets.layer_pickers import candidates
from napari_superres.widgets.phase_painter import paint_layer
from napari_superres.widgets.run_state import ACTIVE, RunState
from napari_superres.widgets.samples import phase_layer
from napari_superres.widgets.session import Generated, Session
from napari_superres.widgets.settings_form import SettingsForm
from napari_superres.widgets.step import Note, Step, heading, new_fold, new_form
from napari_superres.widgets.texts import progress_percent, sizes, status_line


class GenerateStep(Step):
    """Which run, which part, which seed; Generate, progress, Cancel."""

    title = "Generate"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._build()
        session = self.session
        session.run_changed.connect(self.refresh)
        session.training.state_changed.connect(self.refresh)
        session.generation.state_changed.connect(self._on_state)
        session.generation.event.connect(self._on_event)
        session.generation.failed.connect(self._on_failed)
        session.generated.connect(self.add_layer)
        self.refresh()

    def _build(self) -> None:
        asked = GenerationSettings
        tips = {name: describe(asked, name) for name in asked.model_fields}
        self.run_note = Note()
        self.open = QPushButton("Open an earlier run …")
        self.checkpoint, self.seed, self.region = QLineEdit("best"), QSpinBox(), QLineEdit()
        self.seed.setMaximum(2**31 - 1)
        self.region.setPlaceholderText("whole volume, or 0:32,0:64,8:40")
        self.crop_border = QCheckBox("Drop one low-res voxel from each face")
        self.advanced_form = SettingsForm(GenerationSettings, ("tile", "device", "precision"))
        self.advanced_form.show_settings(GenerationSettings())
        self.advanced = new_fold("Advanced settings")
        self.advanced.addWidget(self.advanced_form)
        self.hidden = QComboBox()
        self.hidden.setToolTip("Makes a phase transparent, to look into the volumes in 3D")
        self.hidden.addItem("none", None)
        self.estimate, self.status = Note(), Note()
        self.bar = QProgressBar()
        self.generate, self.cancel = QPushButton("Generate"), QPushButton("Cancel")
        for name, widget in (
            ("checkpoint", self.checkpoint),
            ("seed", self.seed),
            ("region", self.region),
            ("crop_border", self.crop_border),
        ):
            widget.setToolTip(tips[name])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(heading("Run"))
        layout.addWidget(self.run_note)
        layout.addWidget(self.open)
        layout.addWidget(heading("What to generate"))
        form = new_form()
        form.addRow("Checkpoint", self.checkpoint)
        form.addRow("Seed", self.seed)
        form.addRow("Region (low-res)", self.region)
        layout.addLayout(form)
        layout.addWidget(self.crop_border)
        layout.addWidget(self.estimate)
        layout.addWidget(self.advanced)
        buttons = QHBoxLayout()
        buttons.addWidget(self.generate)
        buttons.addWidget(self.cancel)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.status)
        layout.addWidget(heading("How to look at it"))
        look = new_form()
        look.addRow("Hide a phase", self.hidden)
        layout.addLayout(look)
        layout.addStretch(1)
        self.hidden.currentIndexChanged.connect(self._paint)
        self.open.clicked.connect(self._open_run)
        self.generate.clicked.connect(self.start)
        self.cancel.clicked.connect(self.session.generation.stop)
        self.region.textChanged.connect(self.refresh)
        self.crop_border.toggled.connect(self.refresh)

    def settings(self) -> GenerationSettings:
        """Return what the dials ask for.

        Raises
        ------
        SettingsError
            There is no run yet, or a dial holds something that is not allowed.
        """
        run = self.session.run
        if run is None or not run.learnt:
            raise SettingsError("There is no trained run yet.", action="Train, or open one.")
        values = self.advanced_form.values() | {
            "checkpoint": self.checkpoint.text().strip() or "best",
            "seed": self.seed.value(),
            "region": parse_region(self.region.text(), run.low_res_shape),
            "crop_border": self.crop_border.isChecked(),
        }
        return validated(GenerationSettings, values)

    def start(self) -> None:
        """Generate; what is wrong is told as a notification."""
        try:
            self.session.start_generation(self.settings())
        except SuperResError as error:
            show_error(str(error))

    def refresh(self, _what: object = None) -> None:
        """Show what can be done now and how much it would be."""
        run = self.session.run
        active = self.session.generation.state in ACTIVE
        learnt = run is not None and run.learnt
        self.generate.setEnabled(learnt and not active)
        self.cancel.setEnabled(active)
        self.run_note.setText(
            f"{run.folder}" if run is not None and learnt else "None yet: train, or open one."
        )
        try:
            self.estimate.setText(plan_text(run, self.settings()) if run and learnt else "")
        except SuperResError as error:
            self.estimate.setText(str(error))

    def add_layer(self, generated: Generated) -> None:
        """Lay a generated volume over the low-res layer, in the phases' colours."""
        run, settings = generated.run, generated.settings
        start = start_of(run, settings)
        data, arguments, _kind = phase_layer(
            generated.labels,
            run.phases,
            f"super-res, seed {settings.seed}",
            SUPER_RES,
            **run.placement.super_res(run.scale_factor, start),
        )
        self._offer_phases(run.phases)
        arguments["metadata"] = run.noted(arguments["metadata"], settings)
        for layer in candidates(self.viewer):
            if getattr(layer, "name", None) == run.name:
                layer.visible = False  # it lies in the same place
        self.viewer.add_labels(data, **arguments)
        self._paint(0)
        show_info(f"Generated {sizes(data.shape)} voxels.")

    def _offer_phases(self, phases: Sequence[Phase]) -> None:
        chosen = self.hidden.currentData()
        with QSignalBlocker(self.hidden):
            self.hidden.clear()
            self.hidden.addItem("none", None)
            for index, phase in enumerate(phases):
                self.hidden.addItem(phase.name, index)
            self.hidden.setCurrentIndex(max(self.hidden.findData(chosen), 0))

    def _paint(self, _index: int) -> None:
        for layer in candidates(self.viewer):
            if role_of(layer) == SUPER_RES:
                paint_layer(layer, layer_phases(layer) or (), self.hidden.currentData())

    def _on_state(self, state: RunState) -> None:
        if state is RunState.STARTING:
            self.bar.setRange(0, 0)
            self.status.setText("Preparing …")
        elif state not in ACTIVE:
            self.bar.setRange(0, 100)
            if state is not RunState.COMPLETED:
                self.bar.setValue(0)
        self.refresh()

    def _on_event(self, event: object) -> None:
        percent = progress_percent(event)
        if percent is not None:
            self.bar.setRange(0, 100)
            self.bar.setValue(percent)
        line = status_line(event)
        if line is not None:
            self.status.setText(line)

    def _on_failed(self, error: Exception) -> None:
        self.status.setText(f"<b>Generation failed.</b> {error}")

    def _open_run(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of an earlier run")
        if folder:
            open_run(self.session, folder)
