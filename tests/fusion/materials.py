"""A tiny pair that trains in a second: stripes and specks, scale factor 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_superres.config import PRESETS, Preset, TrainingSettings
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.runs.config import FUSION, HIGH_RES, LOW_RES
from napari_superres.runs.run import Run

TINY = PRESETS[Preset.QUICK].replace(
    channels=4,
    max_channels=8,
    discriminator_channels=(4, 8),
    crop=16,
    slices_per_axis=4,
    measure_every=2,
    preview_seconds=0.0,
    precision="float32",
)


def tiny_pair(seed: int = 0) -> Pair:
    rng = np.random.default_rng(seed)
    low_res = (rng.random((14, 13, 12)) < 0.5).astype(np.uint8)
    slices = np.kron(rng.integers(0, 2, (20, 20)), np.ones((2, 2))).astype(np.uint8)
    slices[rng.random((40, 40)) < 0.1] = 2
    return Pair(
        SegmentedVolume.from_labels(low_res, (0.2, 0.2, 0.2)),
        SegmentedSlices.from_labels([[slices]], (0.1, 0.1, 0.1)),
    )


def new_run(
    path: Path, low_res: SegmentedVolume, high_res: SegmentedSlices, settings: TrainingSettings
) -> Run[TrainingSettings]:
    return Run.create(path, FUSION, settings, {LOW_RES: low_res, HIGH_RES: high_res})


def tiny_settings(**changes: object) -> TrainingSettings:
    values = {"scale_factor": 2, "phase_map": {0: 0, 1: 1, 2: 0}, "device": "cpu", "engine": TINY}
    return TrainingSettings(**(values | changes))  # type: ignore[arg-type]
