"""Generated volumes as layers over the low-res layer, and the phase that is hidden in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox

from napari_superres.config import GenerationSettings
from napari_superres.data.phases import Phase
from napari_superres.errors import FileError, SuperResError
from napari_superres.widgets.generate.plan import result_files, start_of
from napari_superres.widgets.layers.box_drawing import REGION_LAYER
from napari_superres.widgets.layers.colours import paint_layer
from napari_superres.widgets.layers.files import read_result
from napari_superres.widgets.layers.notes import SUPER_RES, layer_phases, role_of
from napari_superres.widgets.layers.shown import LayerTuple, add_layer, phase_layer
from napari_superres.widgets.parts.layer_pickers import candidates
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.generation import Generated, Written


class HiddenPhase(QComboBox):
    """Which phase of the results is transparent."""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.setToolTip("Makes a phase transparent, to look into the volumes in 3D")
        self.addItem("none", None)
        self.currentIndexChanged.connect(self.paint)

    def offer(self, phases: Sequence[Phase]) -> None:
        """Offer the phases of a run, keeping the choice."""
        chosen = self.currentData()
        with QSignalBlocker(self):
            self.clear()
            self.addItem("none", None)
            for index, phase in enumerate(phases):
                self.addItem(phase.name, index)
            self.setCurrentIndex(max(self.findData(chosen), 0))

    def paint(self, _index: int = 0) -> None:
        """Show all results in their phases' colours but the hidden one."""
        for layer in candidates(self._viewer):
            if role_of(layer) == SUPER_RES:
                paint_layer(layer, layer_phases(layer) or (), self.currentData())


def lay_over(
    viewer: Any, layers: Sequence[LayerTuple], run: FusionRun, settings: GenerationSettings
) -> None:
    """Add results over the low-res layer; of those in one place, only the last is visible."""
    placed = run.placement.super_res(run.scale_factor, start_of(run, settings))
    for layer in viewer.layers:
        if layer.name in (run.name, REGION_LAYER) or _in_the_place(layer, placed, layers):
            layer.visible = False
    for number, (data, arguments, kind) in enumerate(layers, 1):
        more = {**placed, "visible": number == len(layers)}
        add_layer(viewer, (data, {**arguments, **more}, kind))


def _in_the_place(layer: Any, placed: Mapping[str, Any], layers: Sequence[LayerTuple]) -> bool:
    """Whether a layer is an earlier result in the place of new ones."""
    return (
        role_of(layer) == SUPER_RES
        and any(_shape(layer.data) == _shape(data) for data, _, _ in layers)
        and np.allclose(layer.translate, placed["translate"])
        and np.allclose(layer.scale, placed["scale"])
    )


def _shape(data: Any) -> tuple[int, ...]:
    finest = data if hasattr(data, "shape") else data[0]
    return tuple(finest.shape)


def shown_volume(generated: Generated) -> tuple[Generated, LayerTuple]:
    """Return a generated volume with its layer: a copy, which takes a while where it is large."""
    name = f"super-res, seed {generated.settings.seed}"
    return generated, phase_layer(generated.labels, generated.run.phases, name, SUPER_RES)


def read_written(written: Written) -> tuple[Written, list[LayerTuple] | SuperResError]:
    """Read what a generation wrote, in a thread; several may be read at once."""
    try:
        files = result_files(written.path, written.seeds, written.kind)
        return written, [read_result(file) for file in files]
    except SuperResError as error:
        return written, error
    except OSError as error:
        return written, FileError(f"{error.strerror}.", action="Open it from where it was written.")
