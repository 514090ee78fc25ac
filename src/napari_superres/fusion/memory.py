"""How much memory a training step needs, estimated before it starts.

The constants were measured by benchmarks/training_memory.py.
"""

from __future__ import annotations

from math import prod

import torch

from napari_superres.config import EngineSettings, TrainingSettings
from napari_superres.data.checks.inputs import InputReport
from napari_superres.runs.device import GIB, arithmetic, device_info

BASE_BYTES = 0.45 * GIB
"""Memory of torch and the program itself."""
GENERATOR_BYTES = {"light": 31.0, "paper": 17.0}
DISCRIMINATOR_BYTES = {"light": 20.0, "paper": 5.0}
"""Bytes in bfloat16 for each voxel or pixel of a step and each channel at the high-res grid."""
FLOAT32 = 1.7
"""Memory in float32 relative to bfloat16."""
PAPER_CHANNELS = 64


def training_bytes(settings: TrainingSettings, report: InputReport, device: str = "cpu") -> int:
    """Return the bytes that a training step takes at its peak, within about a fifth.

    Two terms beside a constant: the generator's activations, crop volume × channels ×
    batch, and the discriminator's, slices × pixels × first channels.
    """
    engine = settings.engine
    half = GENERATOR_BYTES[engine.generator] * generator_load(engine, report)
    half += DISCRIMINATOR_BYTES[engine.generator] * discriminator_load(engine, report)
    wide = arithmetic(engine.precision, device) is torch.float32
    return int(BASE_BYTES + half * (FLOAT32 if wide else 1.0))


def generator_load(engine: EngineSettings, report: InputReport) -> int:
    """Return batch × voxels of a crop × channels at the high-res grid."""
    channels = PAPER_CHANNELS if engine.generator == "paper" else engine.channels
    return engine.batch * prod(report.high_res_crop) * channels


def discriminator_load(engine: EngineSettings, report: InputReport) -> int:
    """Return slices of a step × their pixels × channels of the first layer, a quarter each."""
    sides = report.high_res_crop
    slices = [(engine.slices_per_axis or side) * prod(sides) // side for side in sides]
    return engine.batch * sum(slices) * engine.discriminator_channels[0] // 4


def memory_warning(settings: TrainingSettings, report: InputReport, device: str) -> str | None:
    """Return a warning when the estimate exceeds what is free on the device."""
    free = device_info(device).free_bytes
    needed = training_bytes(settings, report, device)
    if needed <= free:
        return None
    return (
        f"A training step needs about {needed / GIB:.1f} GiB, and {device} has "
        f"{free / GIB:.1f} GiB free: a smaller batch or crop needs less."
    )
