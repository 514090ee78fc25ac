"""What is measured while training: the target from the slices, the averaged generator on crops.

Legend of shape suffixes: B crops, M low-res phases, N high-res phases, Z Y X voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.boxes import Box
from napari_superres.data.checks.held_back import Split
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, SegmentedSlices
from napari_superres.events import Measurement, MetricsMeasured, PreviewReady
from napari_superres.fusion import quick_measures as quick
from napari_superres.fusion.crops.low_res import representative_cells
from napari_superres.fusion.losses.voxel import voxel_mismatch
from napari_superres.fusion.networks.generator import RandomNoise
from napari_superres.fusion.step import FusionLearner
from napari_superres.measures.kinds.fractions import phase_counts
from napari_superres.measures.kinds.interfaces import face_counts
from napari_superres.measures.naming import pair_names, phase_names
from napari_superres.runs.previews import keep_preview, thumbnail
from napari_superres.training.frequencies.labels import first_largest, one_hot
from napari_superres.training.learner import Judgement, Preview

CROPS = 24
"""Crops measured, at most: the same places every time, with the same noise."""
SEED = 20221003
FRACTION_UNIT, AREA_UNIT, MISMATCH_UNIT = 0.005, 0.04, 0.02
"""An error of this size in fractions, relative areas or mismatch adds 1 to the score."""


class Evaluator:
    """Measures a learner's averaged generator on fixed crops.

    Attributes
    ----------
    target : measures of all high-res slices; where these do not represent the volume, with
        the fractions that the volume allows
    """

    def __init__(self, learner: FusionLearner, split: Split, low_phases: Sequence[Phase]) -> None:
        self.learner, self.material = learner, learner.material
        self.phases, self.low_phases = split.training.phases, low_phases
        self.distances = quick.usable_distances(
            self.material.out.shape, split.held_back or split.training
        )
        self.wanted_curves = quick.slice_curves(split.reference, self.distances)
        self.target = replace(
            measure_slices(split.all),
            volume_fractions=self._named(self.material.fractions.wanted.cpu().double().numpy()),
        )
        if split.held_back is not None:
            curves = quick.slice_curves(split.training, self.distances)
            chance = quick.two_point_rmse(curves, self.wanted_curves)
            self.target = replace(self.target, two_point_error=chance)
        random = torch.Generator().manual_seed(SEED)
        self.starts_B3 = representative_cells(self.material.low_res, CROPS, random)
        z, y, x = (
            first_largest(sampler.sample(1, random))[0].cpu().numpy()
            for sampler in self.material.slices
        )
        self.real: tuple[Labels, Labels, Labels] = (z, y, x)

    def measure(self) -> Judgement:
        """Return measures of the averaged generator and their score."""
        labels, mismatch = self._generate(self.starts_B3)
        volumes = list(labels)
        n = len(self.phases)
        shares = quick.face_shares(volumes, n)
        curves = quick.two_point_curves(volumes, n, self.distances)
        measurement = Measurement(
            self._by_phase(np.sum([phase_counts(volume, n) for volume in volumes], axis=0)),
            self._by_pair(shares, volumes[0].shape),
            mismatch,
            quick.two_point_rmse(curves, self.wanted_curves),
            quick.anisotropy(shares),
        )
        points = score(measurement, self.target)
        return Judgement(
            points,
            measurement.volume_fractions,
            asdict(measurement),
            lambda step, is_best: MetricsMeasured(step, measurement, points, is_best),
        )

    def picture(self) -> NDArray[np.uint8]:
        """Return a thumbnail, (rows, columns, 3) uint8, of what the average generates now."""
        return thumbnail(_middle(self._generate(self.starts_B3[:1])[0][0]), self.phases)

    def _by_phase(self, voxels: NDArray[np.int64]) -> dict[str, float]:
        return self._named(voxels / voxels.sum())

    def _named(self, fractions: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(phase_names(self.phases), fractions.tolist(), strict=True))

    def _by_pair(self, shares: quick.Faces, shape: Sequence[int]) -> dict[str, float]:
        faces = np.array([(side - 1) / side for side in shape])  # of a voxel, normal to each axis
        mean = (shares * (faces / faces.sum())[:, None, None]).sum(0)
        return {name: float(mean[a, b]) for (a, b), name in pair_names(self.phases).items()}

    def preview(self, step: int) -> PreviewReady:
        """Return the middle slices of one crop, beside real ones and the low-res."""
        start = self.starts_B3[:1]
        volume = self._generate(start)[0][0]
        low_res = self.material.low_res
        core = low_res.patches(start, Box.whole(low_res.core))[0].cpu().numpy()
        return PreviewReady(step, _middle(volume), self.real, _middle(core))

    def keep(self, run: Path, preview: Preview) -> None:
        """Write a preview into a run folder."""
        if isinstance(preview, PreviewReady):
            keep_preview(run, preview, self.phases, self.low_phases)

    @torch.no_grad()
    def _generate(self, starts_B3: Tensor) -> tuple[Labels, float]:
        """Return labels (B, Z, Y, X) of crops, and their mean mismatch."""
        learner, material, n = self.learner, self.material, len(self.phases)
        noise = RandomNoise(torch.Generator(learner.device).manual_seed(SEED))
        volumes, mismatches = [], []
        for starts in torch.split(starts_B3, 4):
            context_BMZYX, low_res_BMZYX = material.low_res.pair(starts)
            probabilities = learner.generate(learner.networks.average, context_BMZYX, noise)
            labels = first_largest(probabilities)
            down = material.imaging.soft(one_hot(labels, n))
            given_back = one_hot(first_largest(down), low_res_BMZYX.shape[1])
            wrong = voxel_mismatch(given_back, low_res_BMZYX, material.one_sided_M)
            mismatches.append(float(wrong) * len(starts))
            volumes.append(labels.cpu().numpy())
        return np.concatenate(volumes), sum(mismatches) / len(starts_B3)


def measure_slices(high_res: SegmentedSlices) -> Measurement:
    """Return the measures of all high-res slices together: what training aims at."""
    n = len(high_res.phases)
    images = high_res.images
    voxels = np.sum([phase_counts(image, n) for image in images], axis=0)
    by_axis = quick.slice_face_shares(high_res)
    if high_res.anisotropic:
        shares = by_axis.mean(0)  # as in a volume, however large the set of each axis is
    else:
        faces = [face_counts(image, n) for image in images]
        shares = np.sum([counts for counts, _ in faces], axis=0) / sum(total for _, total in faces)
    return Measurement(
        dict(zip(phase_names(high_res.phases), (voxels / voxels.sum()).tolist(), strict=True)),
        {name: float(shares[a, b]) for (a, b), name in pair_names(high_res.phases).items()},
        anisotropy=quick.anisotropy(by_axis),
    )


def score(measurement: Measurement, target: Measurement) -> float:
    """Return how far measures are from the target, in units of a good result.

    The mean error of the volume fractions over 0.005, plus the mean relative
    error of the interface areas over 0.04, plus the low-res mismatch over 0.02.
    """
    fractions = [
        abs(measurement.volume_fractions[name] - wanted)
        for name, wanted in target.volume_fractions.items()
    ]
    areas = [
        abs(measurement.interface_areas[name] - wanted) / wanted
        for name, wanted in target.interface_areas.items()
        if wanted > 0
    ]
    return float(
        np.mean(fractions) / FRACTION_UNIT
        + (np.mean(areas) / AREA_UNIT if areas else 0)
        + (measurement.low_res_mismatch or 0) / MISMATCH_UNIT
    )


def _middle(volume: Labels) -> tuple[Labels, Labels, Labels]:
    z, y, x = (size // 2 for size in volume.shape)
    return volume[z].copy(), volume[:, y].copy(), volume[:, :, x].copy()
