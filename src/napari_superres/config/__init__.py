"""Settings, each written once with its description.

The descriptions feed the tooltips, ``--help`` and the documentation. Settings
are frozen: change them with ``settings.replace(name=value)``, which validates.
Everything is imported from here.
"""

from napari_superres.config.engine import PRESETS, EngineSettings, Preset
from napari_superres.config.generation import GenerationSettings
from napari_superres.config.model import (
    FrozenModel,
    PresetSettings,
    describe,
    validated,
    without_none,
)
from napari_superres.config.shared import SAFE_FOR_ALL, Annealing, Device, Patience, Precision, Seed
from napari_superres.config.text import as_text, from_text, to_text
from napari_superres.config.training import Budget, ImagingModel, TrainingSettings

__all__ = [
    "PRESETS",
    "SAFE_FOR_ALL",
    "Annealing",
    "Budget",
    "Device",
    "EngineSettings",
    "FrozenModel",
    "GenerationSettings",
    "ImagingModel",
    "Patience",
    "Precision",
    "Preset",
    "PresetSettings",
    "Seed",
    "TrainingSettings",
    "as_text",
    "describe",
    "from_text",
    "to_text",
    "validated",
    "without_none",
]
