"""The dials of the Generate step: what to generate, and where to."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QSpinBox, QWidget

from napari_superres.config import GenerationSettings, describe, validated
from napari_superres.widgets.generate.plan import checkpoint_names, holds_realisations
from napari_superres.widgets.layers.geometry import parse_region
from napari_superres.widgets.parts.layout import Fold, fill_column, new_form, row_of
from napari_superres.widgets.parts.path_field import PathField
from napari_superres.widgets.parts.paths import (
    FILTERS,
    KINDS,
    TARGETS,
    Target,
    free_path,
    target_of,
)
from napari_superres.widgets.parts.settings_form import SettingsForm
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.preferences import on_change, preferences
from napari_superres.widgets.run.step import CheckpointCombo


class GenerateForm(QWidget):
    """Checkpoint, seeds, region, target, advanced settings.

    Signals
    -------
    changed : a dial was moved
    draw_asked : a region is to be drawn in the viewer
    """

    changed = Signal()
    draw_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._offered: Path | None = None
        self._make_dials()
        what, where = new_form(), new_form()
        what.addRow("Checkpoint", self.checkpoint)
        what.addRow("Seed", self.seed)
        what.addRow("Realisations", self.count)
        what.addRow("Region (low-res)", row_of(self.region, self.draw, stretch=(1, 0)))
        where.addRow("Where to", self.kind)
        where.addRow("", self.file)
        self.advanced = Fold("Advanced settings")
        self.advanced.addWidget(self.advanced_form)
        fill_column(self, what, self.crop_border, where, self.advanced)
        self._show_kind()

    def _make_dials(self) -> None:
        def tip(name: str) -> str:
            return describe(GenerationSettings, name)

        self.checkpoint, self.kind = CheckpointCombo(tip("checkpoint")), QComboBox()
        self.seed, self.count = QSpinBox(), QSpinBox()
        self.seed.setMaximum(2**31 - 1)
        self.seed.setToolTip(tip("seed"))
        self.count.setRange(1, 1000)
        self.count.setToolTip(
            "Volumes with the seeds Seed, Seed + 1, …; on disk also maps of where they agree, "
            "and how their measures spread."
        )
        self.region, self.draw = QLineEdit(), QPushButton("Draw")
        self.region.setPlaceholderText("whole volume, or 0:32,0:64,8:40")
        self.region.setToolTip(tip("region"))
        self.draw.setToolTip(
            "Draw a rectangle on the shown slice of the low-res volume; the axis across it stays "
            "as typed"
        )
        self.crop_border = QCheckBox("Drop one low-res voxel from each face")
        self.crop_border.setToolTip(tip("crop_border"))
        for text, kind in TARGETS:
            self.kind.addItem(text, kind)
        self.kind.setToolTip("Memory for what fits into it; the line below compares")
        tip_of_file = "A file; several realisations go to a folder of its name"
        self.file = PathField("Generate into", tip_of_file)
        self.path = self.file.path
        self.advanced_form = SettingsForm(
            GenerationSettings, ("tile", "device", "precision", "periodic_axes", "symmetry")
        )
        self.advanced_form.show_settings(GenerationSettings())
        self._preferred: str = self.advanced_form.dials["device"].value
        self._take_preferences()
        on_change(self._take_preferences)
        for signal in (
            self.region.textChanged,
            self.path.textChanged,
            self.crop_border.toggled,
            self.count.valueChanged,
        ):
            signal.connect(lambda *_: self.changed.emit())
        self.kind.currentIndexChanged.connect(self._show_kind)
        self.draw.clicked.connect(lambda: self.draw_asked.emit())

    def _take_preferences(self) -> None:
        # an absent device is reported when generating starts: torch is not imported here
        dial, before = self.advanced_form.dials["device"], self._preferred
        self._preferred = preferences().device
        if dial.value == before:  # else it is the step's own choice
            dial.value = self._preferred

    def offer_checkpoints(self, run: FusionRun | None) -> None:
        """Offer the checkpoints that are there, keeping what is chosen of this run."""
        names = checkpoint_names(run.folder) if run else ["best", "last"]
        chosen, folder = self.checkpoint.currentText(), run.folder if run else None
        if folder != self._offered and chosen not in ("best", "last"):
            chosen = "best"  # a step of another run
            self.checkpoint.setCurrentText(chosen)
        self._offered = folder
        if names == [self.checkpoint.itemText(row) for row in range(self.checkpoint.count())]:
            return
        if chosen not in names and f"{chosen}-left" in names:
            chosen = f"{chosen}-left"  # training was rolled back behind it
        with QSignalBlocker(self.checkpoint):
            self.checkpoint.clear()
            self.checkpoint.addItems(names)
            self.checkpoint.setCurrentText(chosen)

    def settings(self, run: FusionRun) -> GenerationSettings:
        """Return what the dials hold; SettingsError where one holds what is not allowed."""
        values = self.advanced_form.values() | {
            "checkpoint": self.checkpoint.name,
            "seed": self.seed.value(),
            "region": parse_region(self.region.text(), run.low_res_shape),
            "crop_border": self.crop_border.isChecked(),
        }
        return validated(GenerationSettings, values)

    def target(self, run: FusionRun) -> Target:
        """Return where the results go; without a path, under a new name into the run folder."""
        kind = self.kind.currentData()
        return target_of(self.count.value(), kind, self.path.text() or str(self._default(run)))

    def show_default(self, run: FusionRun | None) -> None:
        """Show which name is taken where none is typed."""
        usual = f"super-res{self.kind.currentData()}"
        name = usual if run is None else self._default(run).name
        self.path.setPlaceholderText(f"{name} in the run folder")

    def _default(self, run: FusionRun) -> Path:
        taken = holds_realisations if self.count.value() > 1 else Path.exists
        return free_path(run.folder / f"super-res{self.kind.currentData()}", taken)

    def _show_kind(self, _index: int = 0) -> None:
        kind = self.kind.currentData()
        self.file.setVisible(bool(kind))
        self.file.propose(f"super-res{kind}", FILTERS.get(kind, ""))
        with QSignalBlocker(self.path):
            path = Path(self.path.text())
            if kind and path.suffix.lower() in KINDS:
                self.path.setText(str(path.with_suffix(kind)))
        self.changed.emit()
