"""The controls of the Data step, without what they do."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QCheckBox, QPushButton, QVBoxLayout

from napari_superres.widgets.checks_view import ChecksView
from napari_superres.widgets.input_pickers import InputPickers
from napari_superres.widgets.open_row import OpenRow
from napari_superres.widgets.phase_table import PhaseTableView
from napari_superres.widgets.segment_fold import SegmentFold
from napari_superres.widgets.session import Session
from napari_superres.widgets.sizes_form import SizesForm
from napari_superres.widgets.step import Note, Step, heading


class DataForm(Step):
    """Which layers, their voxel sizes, their phases, and what is checked of them."""

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._build()
        self._lay_out()

    @property
    def high_res_layers(self) -> list[Any]:
        """The chosen high-res layers; three, in zyx order, for an anisotropic material."""
        return self.pickers.high_res_layers

    def _build(self) -> None:
        self.open_row = OpenRow()
        self.segment_fold = SegmentFold(self.viewer, self.session)
        self.segment = self.segment_fold.panel
        self.pickers = InputPickers(self.viewer)
        self.low_res, self.high_res = self.pickers.low_res, self.pickers.high_res
        self.anisotropic, self.axes = self.pickers.anisotropic, self.pickers.axes
        self.sizes = SizesForm()
        self.low_size, self.high_size = self.sizes.low, self.sizes.high
        self.scale_factor = self.sizes.scale_factor
        self.message, self.shares = Note(), Note()
        self.segment_it = QPushButton("Segment it …")
        self.segment_it.setToolTip("Open the thresholds above for the greyscale layer")
        self.segment_it.hide()
        self.phases = PhaseTableView()
        self.checks = ChecksView(self.session, self.viewer)
        self.colour_layers = QCheckBox("Show the layers in these colours")
        self.colour_layers.setToolTip("Low-res, high-res and super-res layers share the colours")
        self.colour_layers.setChecked(True)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        for widget in (
            self.open_row,
            self.segment_fold,
            self.pickers,
            self.message,
            self.segment_it,
            heading("Voxel sizes"),
            self.sizes,
            heading("Phases of the high-res slices"),
            self.phases,
            self.shares,
            self.colour_layers,
            heading("Checks"),
            self.checks,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
