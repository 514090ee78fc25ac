"""Step 7: cut a box out of a generated volume and write it as TIFF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari.layers import Image, Labels
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QPushButton, QSpinBox, QWidget

from napari_superres.data.boxes import Box
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.widgets.export.plan import ExportPlan, border_of, plan_export, write_export
from napari_superres.widgets.jobs.job_row import guarded
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.layers.box_drawing import draw_on, drawn_layer, shown_axes, vertices_on
from napari_superres.widgets.layers.geometry import box_of_vertices
from napari_superres.widgets.layers.notes import SUPER_RES, is_map, role_of, same_layer
from napari_superres.widgets.layers.visibility import Visibility
from napari_superres.widgets.parts.layer_pickers import LayerCombo, on_layers
from napari_superres.widgets.parts.layout import Note, fill_step, heading, new_form, row_of
from napari_superres.widgets.parts.path_field import PathField
from napari_superres.widgets.parts.paths import FILTERS, typed_path
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step
from napari_superres.words import sizes

BOX_LAYER = "crop box"
FILE_NAME = "super-res.tif"
FLAVOURS = (("ImageJ TIFF", "imagej"), ("OME-TIFF", "ome"))


class ExportStep(Step):
    """Which volume, which box, which file."""

    title = "Export"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._writing = False
        self._build()
        self._lay_out()
        self.hidden_layers = HiddenLayers(self.viewer, BOX_LAYER, lambda: self.layer.layer)
        self._connect()
        on_layers(self.viewer, self._on_layers)
        self._on_layers()

    def _build(self) -> None:
        self.layer = LayerCombo()
        self.layer.setToolTip("Volumes generated in step 4")
        self.box_form = BoxForm()
        self.draw = QPushButton("Draw in the viewer")
        self.draw.setToolTip("Draw a rectangle on the shown slice; the third axis stays as typed")
        self.from_shape = QPushButton("From rectangle")
        self.from_shape.setToolTip("Take the last rectangle of the selected Shapes layer")
        self.whole = QPushButton("Whole volume")
        self.whole.setToolTip("Take no part: the whole volume again")
        self.border = QCheckBox("Drop one low-res voxel from each face")
        self.border.setChecked(True)
        self.border.setToolTip("At the faces the generator had no context (Dahari et al. 2022)")
        self.summary, self.status = Note(), Note()
        self.flavour = QComboBox()
        for text, flavour in FLAVOURS:
            self.flavour.addItem(text, flavour)
        self.flavour.setToolTip("ImageJ opens in Fiji at once; OME carries more metadata")
        self.file = PathField("Export as", "The file to write; .tif is added where it is left out")
        self.file.propose(FILE_NAME, FILTERS[".tif"])
        self.path = self.file.path
        self.path.setPlaceholderText(FILE_NAME)
        self.export = QPushButton("Export")
        self.export.setToolTip("Write the box, with voxel size, phase names and how it was made")

    def _lay_out(self) -> None:
        volume_form, file_form = new_form(), new_form()
        volume_form.addRow("Volume", self.layer)
        file_form.addRow("Format", self.flavour)
        fill_step(
            self,
            volume_form,
            heading("Crop box (voxels)"),
            self.box_form,
            row_of(self.draw, self.from_shape, self.whole),
            self.border,
            self.summary,
            heading("File"),
            file_form,
            self.file,
            self.export,
            self.status,
        )

    def _connect(self) -> None:
        self.box_form.changed.connect(self.refresh)
        self.layer.chosen.connect(self.reset_box)
        self.layer.chosen.connect(self.hidden_layers.refresh)
        self.whole.clicked.connect(self.reset_box)
        self.border.toggled.connect(self.refresh)
        self.draw.clicked.connect(self.start_drawing)
        self.from_shape.clicked.connect(self.take_rectangle)
        self.export.clicked.connect(guarded(self.start))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Hide again what covers the volume, if the box is still being drawn."""
        super().showEvent(event)
        self.hidden_layers.refresh()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  Qt's name
        """Let the layers be as before: another step is in view."""
        super().hideEvent(event)
        self.hidden_layers.restore()

    @property
    def box(self) -> Box:
        """The typed box."""
        return self.box_form.box

    def set_box(self, box: Box) -> None:
        """Show a box, cut to the volume."""
        layer = self.layer.layer
        if layer is not None:
            box = box.within(Box.whole(layer.data.shape))
        self.box_form.show_box(box)
        self.refresh()

    def reset_box(self) -> None:
        """Set the box to the whole volume."""
        layer = self.layer.layer
        if layer is None:
            self.refresh()
            return
        self.box_form.limit(layer.data.shape)
        self.set_box(Box.whole(layer.data.shape))

    def plan(self) -> ExportPlan:
        """Return what would be written; SettingsError where nothing can be."""
        layer = self.layer.layer
        if layer is None:
            raise SettingsError("There is no generated volume yet.", action="See step 4, Generate.")
        border = border_of(layer) if self.border.isChecked() else None
        return plan_export(layer, self.box, border, self.flavour.currentData())

    def refresh(self, _what: object = None) -> None:
        """Show how large the exported volume will be."""
        try:
            plan = self.plan()
        except SuperResError as error:
            self.summary.setText(str(error))
            self.export.setEnabled(False)
            return
        extent = ""
        if plan.voxel_size is not None:
            lengths = [n * size for n, size in zip(plan.box.shape, plan.voxel_size, strict=True)]
            extent = ", " + " × ".join(f"{length:.4g}" for length in lengths) + " µm"
        self.summary.setText(f"Gives {sizes(plan.box.shape)} voxels{extent}.")
        self.export.setEnabled(not self._writing)

    def start(self) -> None:
        """Write the file in a thread; raises what `plan` does."""
        plan = self.plan()
        if not self.path.text().strip():
            self.file.ask()
        path = self.path.text().strip()
        if not path:
            return
        self._writing = True
        self.export.setEnabled(False)
        self.status.setText("Writing …")
        in_thread(write_export, self._on_written, plan, typed_path(path))

    def _on_written(self, outcome: Outcome) -> None:
        self._writing = False
        self.refresh()
        if outcome.error is not None:
            self.status.setText(f"<b>Not written.</b> {outcome.error}")
            show_error(str(outcome.error))
            return
        self.status.setText(f"Written: {outcome.value}")
        show_info(f"Exported to {Path(outcome.value).name}.")

    def start_drawing(self) -> None:
        """Add a Shapes layer, or take the one there is, ready to draw a rectangle."""
        layer = self.layer.layer
        if layer is None:
            return
        placed = {
            "scale": layer.scale,
            "units": layer.units,
            "axis_labels": layer.axis_labels,
            "translate": layer.translate,
        }
        draw_on(self.viewer, BOX_LAYER, self.take_rectangle, edge_width=1, **placed)

    def take_rectangle(self) -> None:
        """Set the box from the last rectangle drawn on a slice of the volume."""
        layer = self.layer.layer
        shapes = drawn_layer(self.viewer)
        if layer is None or shapes is None:
            show_info("Draw a rectangle in a Shapes layer first.")
            return
        vertices = vertices_on(layer, shapes)
        self.set_box(box_of_vertices(vertices, self.box, shown_axes(self.viewer)))

    def _on_layers(self, _event: object = None) -> None:
        volumes = [
            layer
            for layer in reversed(self.viewer.layers)
            if isinstance(layer, Labels) and role_of(layer) == SUPER_RES
        ]
        self.layer.refill(volumes)
        if volumes and self.layer.layer is None:
            self.layer.choose(volumes[0])


class BoxForm(QWidget):
    """The first voxel, and one past the last, of each axis.

    Signals
    -------
    changed : a person typed another number

    Attributes
    ----------
    spins : (first, one past the last) of z, y and x
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spins = [[QSpinBox(), QSpinBox()] for _ in range(3)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, text in enumerate(("", "from", "up to")):
            grid.addWidget(QLabel(text), 0, column)
        for axis, name in enumerate("zyx"):
            grid.addWidget(QLabel(name), axis + 1, 0)
            for end, spin in enumerate(self.spins[axis]):
                spin.setToolTip(f"{name}: {'first voxel' if end == 0 else 'one past the last'}")
                spin.valueChanged.connect(self.changed)
                grid.addWidget(spin, axis + 1, end + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)

    @property
    def box(self) -> Box:
        """The typed box."""
        return Box.of_ranges((lo.value(), hi.value()) for lo, hi in self.spins)

    def show_box(self, box: Box) -> None:
        """Show a box, without a signal."""
        for pair, ends in zip(self.spins, box.ranges(), strict=True):
            for spin, value in zip(pair, ends, strict=True):
                with QSignalBlocker(spin):
                    spin.setValue(value)

    def limit(self, shape: Sequence[int]) -> None:
        """Allow boxes within a volume, without a signal."""
        for pair, size in zip(self.spins, shape, strict=True):
            for spin in pair:
                with QSignalBlocker(spin):
                    spin.setRange(0, size)


class HiddenLayers:
    """Shows the volume, not maps or other realisations, while the crop box is the selected layer.

    All are as before once another layer is selected, the crop box is removed, or `restore`
    is called. Other layers over the volume stay visible.

    Parameters
    ----------
    drawing : name of the Shapes layer of the box
    volume : returns the layer to be seen, None where there is none
    """

    def __init__(self, viewer: Any, drawing: str, volume: Callable[[], Any]) -> None:
        self.viewer, self.drawing, self.volume = viewer, drawing, volume
        self._visibility = Visibility(viewer)
        viewer.layers.selection.events.active.connect(self.refresh)

    def refresh(self, _event: object = None) -> None:
        """Hide or show, as the selected layer and the chosen volume require now."""
        self.restore()
        active, volume = self.viewer.layers.selection.active, self.volume()
        if active is None or active.name != self.drawing or volume is None:
            return
        for layer in self.viewer.layers:
            wanted = same_layer(layer, volume)
            if layer.visible != wanted and (wanted or covers(layer)):
                self._visibility.show(layer, wanted)

    def restore(self) -> None:
        """Show and hide again what was changed and is still there."""
        self._visibility.restore()


def covers(layer: Any) -> bool:
    """Whether a layer fills the place of a generated volume: a map of it, or another one."""
    return (isinstance(layer, Image) and is_map(layer)) or role_of(layer) == SUPER_RES
