"""Step 1 of synthesis: which images, cut into which patches, and the grid to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QCheckBox, QPushButton

from napari_superres.config import describe, validated
from napari_superres.data.patches import PAPER_GRID
from napari_superres.errors import SuperResError
from napari_superres.synthesis.settings import RESOLUTIONS, SynthesisSettings
from napari_superres.widgets.images.engine import ImageInputs, ImageTraining
from napari_superres.widgets.images.pickers import ImagePicker
from napari_superres.widgets.layers.colours import readable, theme_colours
from napari_superres.widgets.layers.notes import KEY, role_of
from napari_superres.widgets.layers.placement import placement_of
from napari_superres.widgets.parts.layout import Note, fill_step, heading, new_form
from napari_superres.widgets.parts.settings_form import SettingsForm, add_dial
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.synthesis.patches_plan import (
    ImagePlan,
    PatchPlan,
    outline,
    plan_patches,
    rectangles,
)

DIALS = ("stride", "overlap", "count", "border", "held_out", "directed")
DEFAULTS = SynthesisSettings.model_validate({})


class PatchesStep(Step):
    """Layers, size, stride or overlap, hold-out; the grid as a Shapes layer."""

    title = "Patches"

    def __init__(self, napari_viewer: Any, training: ImageTraining) -> None:
        super().__init__(napari_viewer, training.session)
        self.training = training
        self.plan: PatchPlan | None = None
        self._make_dials()
        sizes = new_form()
        add_dial(sizes, self.side)
        fill_step(
            self,
            heading("Real images"),
            self.picker,
            heading("Patches"),
            sizes,
            self.form,
            self.paper,
            self.show_grid,
            self.summary,
            self.legend,
        )
        self._redraw = single_shot(self, self._draw, 200)
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
        self.summary = Note()
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
        self.plan, inputs, text = None, None, "Choose or open at least one image."
        chosen = self.picker.choice()
        if chosen is not None:
            try:
                values = self.values()
                settings = validated(SynthesisSettings, values)
                self.plan = plan_patches(chosen.shapes, settings)
                inputs, text = ImageInputs((chosen,), values), self.plan.describe()
            except SuperResError as error:
                text = f"<b>Not usable yet.</b> {error}"
        self.summary.setText(text)
        self.training.set_inputs(inputs)
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


TRAINING_COLOUR, HELD_OUT_COLOUR = "#2ee6a6", "#ff5fd2"
"""Neither is near a colour of phases, nor grey."""
ROLE = "patches"


def draw_patches(viewer: Any, layers: Sequence[Any], plan: PatchPlan) -> None:
    """Draw the grid on layers of images, in place of the one before."""
    pairs = zip(layers, plan.layers, strict=True)
    wanted = {f"patches of {layer.name}": (layer, part) for layer, part in pairs}
    clear_patches(viewer, keep=set(wanted))
    for name, (layer, part) in wanted.items():
        data, edges, faces = shapes_of(part, plan.grid.size)
        longest = max(part.learn.shape)
        width = max(1.0, plan.grid.size / 64, longest / 400)  # thinner, it is lost on a screen
        style = {"edge_color": edges, "face_color": faces, "edge_width": width}
        if name in viewer.layers:
            viewer.layers.remove(name)
        active = viewer.layers.selection.active
        viewer.add_shapes(
            data,
            shape_type="rectangle",
            name=name,
            metadata={KEY: {"role": ROLE}},
            **style,
            **placement_of(layer, 2).arguments,
        )
        viewer.layers.selection.active = active


def clear_patches(viewer: Any, keep: set[str] | None = None) -> None:
    """Take the grids away, all but those of these names."""
    for layer in list(viewer.layers):
        if role_of(layer) == ROLE and layer.name not in (keep or ()):
            viewer.layers.remove(layer)


def shapes_of(plan: ImagePlan, size: int) -> tuple[list[Any], list[str], list[str]]:
    """Return corners, edge colours and face colours: regions first, patches above them."""
    data, edges, faces = [outline(plan.learn)], [TRAINING_COLOUR], [TRAINING_COLOUR + "10"]
    if plan.hold is not None:
        data.append(outline(plan.hold))
        edges.append(HELD_OUT_COLOUR)
        faces.append(HELD_OUT_COLOUR + "40")
    for starts, colour in (
        (plan.drawn, TRAINING_COLOUR),
        (plan.drawn_held_out, HELD_OUT_COLOUR),
    ):
        data += list(np.asarray(rectangles(starts, size)))
        edges += [colour + "d0"] * len(starts)
        faces += ["#00000000"] * len(starts)
    return data, edges, faces
