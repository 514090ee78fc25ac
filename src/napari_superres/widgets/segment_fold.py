"""Thresholds for greyscale layers, folded away: most people bring segmented ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_superres.widgets.fold import Fold
from napari_superres.widgets.layer_pickers import grey_layers, same
from napari_superres.widgets.segment_panel import SegmentPanel
from napari_superres.widgets.session import Session


class SegmentFold(Fold):
    """The segment panel in a fold; closed, it looks at nothing."""

    def __init__(self, viewer: Any, session: Session) -> None:
        super().__init__("Segment greyscale layers")
        self.button.setToolTip("For images with grey values rather than phases")
        self.panel = SegmentPanel(viewer, session)
        self.panel.layout().setContentsMargins(0, 0, 0, 0)
        self.addWidget(self.panel)
        self.toggled.connect(self.panel.look)

    def open_for(self, layers: Sequence[Any]) -> None:
        """Unfold it, with the first greyscale layer among these chosen."""
        self.expand()
        for layer in grey_layers(self.panel.viewer):
            if any(same(layer, one) for one in layers):
                self.panel.choose(layer)
                break
        self.panel.form.layer.setFocus()
