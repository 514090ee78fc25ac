"""Choosing what to measure, and what to compare it with: nothing, the slices, or a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QWidget

from napari_superres.data.volumes import SegmentedSlices
from napari_superres.measures.measuring import Subject
from napari_superres.widgets.layers.notes import HIGH_RES, role_of, same_layer, unwrapped
from napari_superres.widgets.layers.view import view_of
from napari_superres.widgets.measure.plan import (
    default_reference,
    default_subjects,
    subject_of,
    subject_of_slices,
    ticked_layers,
)
from napari_superres.widgets.parts.layer_pickers import LayerChecklist, candidates
from napari_superres.widgets.run.session import Session

NOTHING, SLICES = "nothing", "slices"
USER = Qt.ItemDataRole.UserRole


class ReferenceCombo(QComboBox):
    """A drop-down list of references: nothing, the high-res slices, layers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setToolTip("Values of these stand beside, with the difference")
        self._by_hand: Any = None  # what a person chose, as long as it could come back
        self.activated.connect(self._on_activated)

    def _on_activated(self, index: int) -> None:
        self._by_hand = self.itemData(index)

    @property
    def layer(self) -> Any | None:
        """The chosen layer, None for slices and nothing."""
        data = self.currentData()
        return None if isinstance(data, str) else data

    @property
    def slices(self) -> bool:
        """Whether the high-res slices are chosen."""
        data = self.currentData()
        return isinstance(data, str) and data == SLICES

    def refill(self, layers: Sequence[Any], has_slices: bool) -> None:
        """Offer other layers; what a person chose stays, else the truth or the slices are."""
        if not isinstance(self._by_hand, str) and not any(
            same_layer(one, self._by_hand) for one in layers
        ):
            self._by_hand = None
        self.clear()
        self.addItem("nothing", NOTHING)
        if has_slices:
            self.addItem("high-res slices", SLICES)
        for layer in layers:
            self.addItem(str(layer.name), layer)
        usual = default_reference(layers)
        if usual is None:
            usual = SLICES if has_slices else NOTHING
        at = -1 if self._by_hand is None else self._find(self._by_hand)
        self.setCurrentIndex(at if at >= 0 else max(self._find(usual), 0))

    def choose(self, wanted: Any) -> None:
        """Choose a layer, `SLICES` or `NOTHING`."""
        self._by_hand = wanted
        self.setCurrentIndex(max(self._find(wanted), 0))

    def _find(self, wanted: Any) -> int:
        for index in range(self.count()):
            data = self.itemData(index)
            if isinstance(data, str) or isinstance(wanted, str):
                if data is wanted or (isinstance(data, str) and data == wanted):
                    return index
            elif same_layer(data, wanted):
                return index
        return -1


def refill_ticked(
    checklist: LayerChecklist,
    layers: Sequence[Any],
    usual: Callable[[Sequence[Any]], list[Any]] = default_subjects,
) -> None:
    """Show other layers in a list with ticks, 4 to 9 lines high; see `ticked_layers`."""
    checklist.show_lines(min(max(len(layers), 4), 9))
    before = [unwrapped(checklist.item(row).data(USER)) for row in range(checklist.count())]
    ticked = [unwrapped(layer) for layer in checklist.layers]
    wanted = ticked_layers(before, ticked, [unwrapped(layer) for layer in layers], usual)
    checklist.refill(layers)
    checklist.choose([layer for layer in layers if unwrapped(layer) in wanted])


def slice_layers(viewer: Any) -> list[Any]:
    """Return the viewer's high-res layers, in the order they were added."""
    return [layer for layer in reversed(candidates(viewer)) if role_of(layer) == HIGH_RES]


def has_slices(viewer: Any, session: Session) -> bool:
    """Whether there are high-res slices to compare with."""
    return bool(session.fusion.inputs is not None or _run_folder(session) or slice_layers(viewer))


def _run_folder(session: Session) -> Path | None:
    """Return the run's folder if its slices are kept there; a generator may be imported without."""
    run = session.fusion.run
    kept = run is not None and any((run.folder / "inputs").glob("high_res-*"))
    return run.folder if run is not None and kept else None


def slices_subject(viewer: Any, session: Session) -> Subject | None:
    """Return the high-res slices: those of the Data step, of the run, or all layers of them."""
    if session.fusion.inputs is not None:
        high_res = session.fusion.inputs.pair.high_res
        return Subject("high-res slices", lambda: high_res)
    folder = _run_folder(session)
    if folder is not None:
        return Subject("high-res slices", lambda: _slices_of_run(folder))
    layers = slice_layers(viewer)
    return subject_of_slices([view_of(layer) for layer in layers]) if layers else None


def _slices_of_run(folder: Path) -> SegmentedSlices:
    from napari_superres.runs.config import FUSION
    from napari_superres.runs.run import Run

    return Run.open(folder, FUSION).high_res()


def reference_subject(
    combo: ReferenceCombo, viewer: Any, session: Session, box_of: Any = None
) -> Subject | None:
    """Return what is chosen as something to measure, of a layer the box that `box_of` returns."""
    if combo.slices:
        return slices_subject(viewer, session)
    layer = combo.layer
    if layer is None:
        return None
    box = box_of(layer) if box_of is not None and layer.ndim == 3 else None
    return subject_of(view_of(layer, box))
