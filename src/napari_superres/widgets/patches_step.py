"""Step 1 of synthesis: which images, cut into which patches, and the grid to look at."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox
from napari.utils.notifications import show_error
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QPushButton, QVBoxLayout

from napari_superres.config import describe, validated
from napari_superres.data.patches import PAPER_GRID
from napari_superres.errors import SuperResError
from napari_superres.synthesis.settings import RESOLUTIONS, SynthesisSettings
from napari_superres.widgets.colours import readable
from napari_superres.widgets.image_engine import ImageInputs
from napari_superres.widgets.image_pickers import ImagePicker
from napari_superres.widgets.image_session import ImageSession
from napari_superres.widgets.patches_plan import PatchPlan, plan_patches
from napari_superres.widgets.patches_view import (
    HELD_OUT_COLOUR,
    TRAINING_COLOUR,
    clear_patches,
    draw_patches,
)
from napari_superres.widgets.settings_form import SettingsForm, add_dial
from napari_superres.widgets.step import Note, Step, heading, new_form
from napari_superres.widgets.theme import theme_colours

DIALS = ("stride", "overlap", "count", "border", "held_out", "directed")
DEFAULTS = SynthesisSettings.model_validate({})


class PatchesStep(Step):
    """Layers, size, stride or overlap, hold-out; the grid as a Shapes layer."""

    title = "Patches"

    def __init__(self, napari_viewer: Any, images: ImageSession) -> None:
        super().__init__(napari_viewer, images.owner)
        self.images = images
        self.plan: PatchPlan | None = None
        self._make_dials()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(heading("Real images"))
        layout.addWidget(self.picker)
        layout.addWidget(heading("Patches"))
        sizes = new_form()
        add_dial(sizes, self.side)
        layout.addLayout(sizes)
        layout.addWidget(self.form)
        layout.addWidget(self.paper)
        layout.addWidget(self.show_grid)
        layout.addWidget(self.told)
        layout.addWidget(self.legend)
        layout.addStretch(1)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(200)
        self._redraw.timeout.connect(self._draw)
        self.picker.chosen.connect(self.refresh)
        self.side.changed.connect(self.refresh)
        for dial in self.form.dials.values():
            dial.changed.connect(self.refresh)
        self.show_grid.toggled.connect(self._redraw.start)
        self.paper.clicked.connect(self.take_paper)
        self.refresh()

    def _make_dials(self) -> None:
        self.picker = ImagePicker(self.viewer, "Layers")
        self.side = ComboBox(
            choices=[(f"{size} × {size}", size) for size in RESOLUTIONS],
            value=DEFAULTS.size,
            label="Size",
            tooltip=describe(SynthesisSettings, "size"),
        )
        self.form = SettingsForm(SynthesisSettings, DIALS)
        self.form.show_settings(DEFAULTS)
        for name, text in (("stride", "size / 8"), ("overlap", "follows"), ("count", "all")):
            self.form.dials[name].native.setPlaceholderText(text)
        self.paper = QPushButton("The paper's grid: 1024, stride 500")
        self.paper.setToolTip("Liu & Mukerji 2022: patches of 1024 × 1024, 51 % overlap")
        self.show_grid = QCheckBox("Show the grid in the viewer")
        self.show_grid.setChecked(True)
        self.told = Note()
        self.legend = Note()
        self._tell_colours()
        self.viewer.events.theme.connect(self._tell_colours)

    def _tell_colours(self, _event: object = None) -> None:
        background = theme_colours(self.viewer).background
        train, held = (readable(one, background) for one in (TRAINING_COLOUR, HELD_OUT_COLOUR))
        self.legend.setText(
            f'<span style="color:{train}">■</span> to train on &nbsp; '
            f'<span style="color:{held}">■</span> held out: a whole region of each '
            "image, as patches overlap"
        )

    def values(self) -> dict[str, Any]:
        """Return what the dials say of patches."""
        return {"size": self.side.value, **self.form.values()}

    def take_paper(self) -> None:
        """Set size and stride to those of the paper."""
        self.side.value = PAPER_GRID.size
        self.form.dials["stride"].value = str(PAPER_GRID.stride)
        self.form.dials["overlap"].value = ""

    def refresh(self, _what: object = None) -> None:
        """Plan the patches again, share the choice, draw the grid soon."""
        self.plan, inputs, told = None, None, "Choose or open at least one image."
        chosen = self.picker.choice()
        if chosen is not None:
            try:
                values = self.values()
                settings = validated(SynthesisSettings, values)
                self.plan = plan_patches(chosen.shapes, settings)
                inputs, told = ImageInputs((chosen,), values), self.plan.describe()
            except SuperResError as error:
                told = f"<b>Not usable yet.</b> {error}"
        self.told.setText(told)
        self.images.set_inputs(inputs)
        self._redraw.start()

    def _draw(self) -> None:
        layers = self.picker.layers
        if self.plan is None or not self.show_grid.isChecked():
            clear_patches(self.viewer)
        elif len(layers) == len(self.plan.layers):
            try:
                draw_patches(self.viewer, layers, self.plan)
            except SuperResError as error:
                show_error(str(error))
