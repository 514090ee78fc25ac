"""What `measure` is asked: volumes, and what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from napari_superres.cli.segmented import Segmented
from napari_superres.config import TrainingSettings
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be measured, and against what, all over the same phases.

    Attributes
    ----------
    found : one volume or set of slices; or several realisations
    high_res, truth : to compare with; None for none
    low_res, settings : for the low-res mismatch; None for none
    """

    found: tuple[Segmented, ...]
    high_res: SegmentedSlices | None = None
    truth: SegmentedVolume | None = None
    low_res: SegmentedVolume | None = None
    settings: TrainingSettings | None = None

    @property
    def references(self) -> dict[str, Segmented]:
        """What there is to compare with, by item name."""
        both = {"high_res": self.high_res, "truth": self.truth}
        return {name: item for name, item in both.items() if item is not None}
