"""What the inputs ask of the generator: real slices to look like, frequencies, fractions."""

from __future__ import annotations

import torch

from napari_superres.config import TrainingSettings
from napari_superres.data.checks.inputs import InputReport
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.fusion.crops.slices import SliceSampler, plane_symmetries
from napari_superres.fusion.losses.fraction_loss import (
    FractionLoss,
    pooled_fractions,
    wanted_fractions,
)
from napari_superres.training.frequencies.frequency_loss import FrequencyLoss, wanted_frequencies
from napari_superres.training.frequencies.statistics import usable_distances

AXES = range(3)


def slice_samplers(
    high_res: SegmentedSlices,
    settings: TrainingSettings,
    report: InputReport,
    device: torch.device,
) -> list[SliceSampler]:
    """Return where real slices normal to z, y and x come from, as large as a crop's."""
    samplers = []
    margin = 2 * settings.engine.crop_margin
    for axis in AXES:
        rows, columns = (size - margin for a, size in enumerate(report.high_res_crop) if a != axis)
        rotate, mirror = _symmetries(high_res, settings, axis)
        samplers.append(
            SliceSampler(
                high_res.normal_to(axis),
                len(high_res.phases),
                (rows, columns),
                device,
                rotate=rotate,
                mirror=mirror,
            )
        )
    return samplers


def frequency_loss(
    high_res: SegmentedSlices,
    settings: TrainingSettings,
    report: InputReport,
    device: torch.device,
) -> FrequencyLoss | None:
    """Return the loss on the frequencies of the slices, or None where nothing is asked.

    That is where it has no weight, and where the slices do not represent the volume:
    their frequencies and the low-res volume could then be had together only by
    patterns that are in neither.
    """
    if settings.engine.frequency_weight == 0 or not report.fractions_agree:
        return None
    phases = len(high_res.phases)
    distances = usable_distances(min(report.high_res_crop) - 2 * settings.engine.crop_margin)
    wanted = []
    for axis in AXES:
        turned, mirrored = _symmetries(high_res, settings, axis)
        images = high_res.normal_to(axis)
        wanted.append(
            wanted_frequencies(images, phases, distances, turned=turned, mirrored=mirrored)
        )
    return FrequencyLoss(torch.stack(wanted).to(device), phases, distances)


def fraction_loss(
    low_res: SegmentedVolume, high_res: SegmentedSlices, report: InputReport, device: torch.device
) -> FractionLoss:
    """Return the loss on the volume fractions, which knows what is wanted."""
    images = [image for images in high_res.sets for image in images]
    fine = pooled_fractions(images, len(high_res.phases))
    coarse = pooled_fractions([low_res.labels], len(low_res.phases))
    lr_of_hr = report.lr_of_hr.tolist()
    wanted = wanted_fractions(fine, coarse, lr_of_hr, agree=report.fractions_agree)
    return FractionLoss(wanted, coarse, lr_of_hr, device)


def _symmetries(
    high_res: SegmentedSlices, settings: TrainingSettings, axis: int
) -> tuple[bool, tuple[bool, bool]]:
    return plane_symmetries(
        settings.rotations, settings.mirrors, axis, anisotropic=high_res.anisotropic
    )
