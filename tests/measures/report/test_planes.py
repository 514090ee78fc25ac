from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import OutputError
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report import side_by_side

SUPER_RES = SegmentedVolume.from_labels(np.arange(2).repeat(12 * 24**2).reshape(24, 24, 24))


def low_res() -> SegmentedVolume:
    return SegmentedVolume.from_labels(SUPER_RES.labels[::4, ::4, ::4])


def inputs(*beside: Any) -> ReportInputs:
    return ReportInputs((SUPER_RES,), *beside)


def test_there_is_a_row_for_each_plane_and_a_column_for_each_item(tmp_path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(side_by_side, "draw_panel", lambda axes, panel: drawn.append(panel.labels))
    slices = SegmentedSlices.from_labels([[np.eye(10, dtype=np.uint8)]])
    side_by_side.planes_figure(inputs(low_res(), slices), tmp_path / "p.png")
    assert [labels.shape for labels in drawn] == [(6, 6), (10, 10), (24, 24)] * 3


def test_low_res_and_super_res_show_the_same_place(tmp_path, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(side_by_side, "_show", lambda axes, *window: shown.append(window))
    side_by_side.planes_figure(inputs(low_res()), tmp_path / "p.png", side=8)
    assert shown == [([12.0, 12.0], [8.0, 8.0])] * 6


def test_a_small_slice_is_shown_at_its_own_middle(tmp_path, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(side_by_side, "_show", lambda axes, *window: shown.append(window))
    slices = SegmentedSlices.from_labels([[np.eye(10, dtype=np.uint8)]])
    side_by_side.planes_figure(inputs(None, slices), tmp_path / "p.png")
    assert shown[0] == ([5.0, 5.0], [24.0, 24.0])


def test_both_phases_are_seen_where_the_volume_has_both(tmp_path: Path) -> None:
    side_by_side.planes_figure(inputs(), tmp_path / "p.png")
    picture = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"))
    middle = picture[picture.shape[0] // 2]  # the plane normal to y: phase 0 above phase 1
    assert len(np.unique(middle.reshape(-1, 3), axis=0)) > 1


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        side_by_side.planes_figure(inputs(), tmp_path / "p.docx")
