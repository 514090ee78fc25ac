"""What config.json of a run folder holds."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import napari_superres
from napari_superres.config import FrozenModel, TrainingSettings
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import VoxelSize

FORMAT_VERSION = 1


class EngineChange(FrozenModel):
    """Engine settings that were changed when a run was resumed."""

    step: int
    before: dict[str, Any]
    after: dict[str, Any]


class RunConfig(FrozenModel):
    """What config.json holds."""

    format_version: int
    created: str
    settings: TrainingSettings
    low_res_name: str
    low_res_phases: tuple[Phase, ...]
    low_res_voxel_size: VoxelSize | None
    high_res_name: str
    high_res_phases: tuple[Phase, ...]
    high_res_voxel_size: VoxelSize | None
    high_res_images: tuple[int, ...]
    versions: dict[str, str]
    input_hashes: dict[str, str]
    changes: tuple[EngineChange, ...] = ()


def versions() -> dict[str, str]:
    """Return the versions of the packages that shape a run."""
    found = {"napari-superres-fusion": napari_superres.__version__}
    for name in ("torch", "numpy"):
        found[name] = metadata.version(name)
    return found
