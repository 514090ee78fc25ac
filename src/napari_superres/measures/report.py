"""What a person is shown of a super-res volume: the comparison figure and the report."""

from __future__ import annotations

from napari_superres.measures.side_by_side import compare_figure

__all__ = ["compare_figure"]
