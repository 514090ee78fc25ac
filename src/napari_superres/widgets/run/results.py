"""A run and what was generated from it, as the steps hand them to each other; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres import __version__
from napari_superres.config import GenerationSettings
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels
from napari_superres.scale_factor import ScaleFactor, format_scale_factor
from napari_superres.widgets.layers.notes import KEY
from napari_superres.widgets.layers.placement import Placement


@dataclass(frozen=True, eq=False)
class FusionRun:
    """A run folder and what placing its results over the low-res layer takes."""

    folder: Path
    scale_factor: ScaleFactor
    phases: tuple[Phase, ...]
    low_res_phases: tuple[Phase, ...]
    low_res_shape: tuple[int, int, int]
    placement: Placement
    trained: bool = False
    name: str = ""

    def noted(self, metadata: dict[str, Any], settings: GenerationSettings) -> dict[str, Any]:
        """Return a result's layer metadata with where it comes from added."""
        border = {"border dropped": "yes"} if settings.crop_border else {}
        more = {
            "scale_factor": format_scale_factor(self.scale_factor),
            "border_dropped": settings.crop_border,
            "provenance": border
            | {
                "software": f"napari-superres-fusion {__version__}",
                "run": str(self.folder),
                "checkpoint": settings.checkpoint,
                "seed": str(settings.seed),
                "scale factor": format_scale_factor(self.scale_factor),
            },
        }
        return {**metadata, KEY: {**metadata[KEY], **more}}


@dataclass(frozen=True, eq=False)
class Generated:
    """A finished generation: phase indices, what it was asked for, and its run."""

    labels: Labels
    settings: GenerationSettings
    run: FusionRun


@dataclass(frozen=True, eq=False)
class Written:
    """A finished generation on disk: a file, or a folder of `count` files of a `kind`."""

    path: Path
    settings: GenerationSettings
    run: FusionRun
    count: int = 1
    kind: str = ""

    @property
    def seeds(self) -> range:
        """Of the realisations, one after the other."""
        return range(self.settings.seed, self.settings.seed + self.count)
