"""Step 1 of translation: low-res and high-res images that need not show the same place."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox, ComboBox
from qtpy.QtWidgets import QFileDialog, QLineEdit, QPushButton, QSpinBox

from napari_superres.config import describe, validated
from napari_superres.errors import SuperResError
from napari_superres.translation.settings import SCALE_FACTORS, TranslationSettings
from napari_superres.widgets.images.engine import ImageInputs, ImageTraining, Sets
from napari_superres.widgets.images.pickers import ImagePicker
from napari_superres.widgets.layers.data import slices_voxel_size
from napari_superres.widgets.layers.images import ChosenImages
from napari_superres.widgets.parts.layout import Note, fill_step, heading, new_form, row_of
from napari_superres.widgets.parts.paths import typed_path
from napari_superres.widgets.parts.settings_form import add_dial
from napari_superres.widgets.run.step import Step

CLOSE = 0.02
"""Relative difference of a ratio of pixel sizes from a scale factor that is let pass."""


class TranslationImagesStep(Step):
    """Two sets of layers, the scale factor, and synthetic images to add."""

    title = "Images"

    def __init__(
        self,
        napari_viewer: Any,
        training: ImageTraining,
        augment: Callable[[Sets, Path, int], Sets],
    ) -> None:
        super().__init__(napari_viewer, training.session)
        self.training, self.augment = training, augment
        self._make_dials()
        form = new_form()
        add_dial(form, self.scale_factor)
        form.addRow("", self.directed.native)
        form.addRow("Add synthetic", row_of(self.run, self.choose, self.count))
        fill_step(
            self, heading("Low-res"), self.low, heading("High-res"), self.high, form, self.summary
        )
        for signal in (self.low.chosen, self.high.chosen):
            signal.connect(self._on_layers)
        for changed in (self.scale_factor.changed, self.directed.changed):
            changed.connect(self.refresh)
        self.run.textChanged.connect(self.refresh)
        self.count.valueChanged.connect(self.refresh)
        self.choose.clicked.connect(self._ask)
        self.refresh()

    def _make_dials(self) -> None:
        self.low = ImagePicker(self.viewer, "Layers")
        self.high = ImagePicker(self.viewer, "Layers")
        self.scale_factor = ComboBox(
            choices=list(SCALE_FACTORS),
            value=4,
            label="Scale factor",
            tooltip=describe(TranslationSettings, "scale_factor"),
        )
        self.directed = CheckBox(
            text="Directed material", tooltip=describe(TranslationSettings, "directed")
        )
        self.run, self.choose, self.count = QLineEdit(), QPushButton("Choose …"), QSpinBox()
        self.run.setPlaceholderText("run of synthesis, or none")
        self.run.setToolTip("Where high-res images are few: its samples join them")
        self.count.setRange(1, 10_000)
        self.count.setValue(64)
        self.choose.setToolTip("Choose the run folder of a synthesis")
        self.count.setToolTip("Synthetic images that join the high-res ones")
        self.summary = Note()

    def values(self) -> dict[str, Any]:
        """Return what the dials say."""
        return {"scale_factor": self.scale_factor.value, "directed": self.directed.value}

    def refresh(self, _what: object = None) -> None:
        """Share the choice, and say what it is."""
        low, high, inputs = self.low.choice(), self.high.choice(), None
        text = "Choose low-res and high-res images. They need not show the same place."
        if low is not None and high is not None:
            try:
                values = self.values()
                validated(TranslationSettings, values)
                text = f"{_counted(low)} low-res, {_counted(high)} high-res. " + self._sizes()
                inputs = ImageInputs((low, high), values, *self._synthetic())
            except SuperResError as error:
                text = f"<b>Not usable yet.</b> {escape(str(error))}"
        self.summary.setText(text)
        self.training.set_inputs(inputs)

    def _synthetic(self) -> tuple[Callable[[Sets], Sets] | None, tuple[str, ...]]:
        """Return what adds synthetic images, and the options that do so in a terminal."""
        text, count, augment = self.run.text().strip(), self.count.value(), self.augment
        if not text:
            return None, ()

        def add(sets: Sets) -> Sets:
            return augment(sets, typed_path(text), count)

        return add, ("--augment-with", text, "--augment-count", str(count))

    def _ratio(self) -> float | None:
        """Return low-res over high-res pixel size, None when one is not known."""
        sizes = [slices_voxel_size(picker.layers) for picker in (self.low, self.high)]
        if sizes[0] is None or sizes[1] is None:
            return None
        return sizes[0][-1] / sizes[1][-1]

    def _sizes(self) -> str:
        ratio = self._ratio()
        if ratio is None:
            return "The layers do not tell their pixel sizes: choose the scale factor."
        factor = self.scale_factor.value
        if abs(ratio - factor) <= CLOSE * factor:
            return "The scale factor is that of the pixel sizes."
        return f"<b>The pixel sizes say {ratio:.3g}.</b>"

    def _on_layers(self) -> None:
        try:
            ratio = self._ratio()
        except SuperResError:
            ratio = None
        close = [f for f in SCALE_FACTORS if ratio is not None and abs(ratio - f) <= CLOSE * f]
        if close:
            self.scale_factor.value = close[0]
        self.refresh()

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a run of synthesis")
        if folder:
            self.run.setText(folder)


def _counted(chosen: ChosenImages) -> str:
    count = sum(shape[0] for shape in chosen.shapes)
    return "1 image" if count == 1 else f"{count:,} images"
