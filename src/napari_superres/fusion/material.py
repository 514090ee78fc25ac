"""The inputs of a training on its device: low-res crops, real slices, statistics to match."""

from __future__ import annotations

import torch

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Box
from napari_superres.data.checks.inputs import InputReport
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.fusion.crops.low_res import LowResSampler
from napari_superres.fusion.crops.slices import SliceSampler, plane_symmetries
from napari_superres.fusion.losses.fraction_loss import (
    FractionLoss,
    pooled_fractions,
    wanted_fractions,
)
from napari_superres.fusion.losses.imaging import Imaging
from napari_superres.fusion.networks.generator import Generator
from napari_superres.training.frequencies.frequency_loss import FrequencyLoss, wanted_frequencies
from napari_superres.training.frequencies.statistics import usable_distances

AXES = range(3)


class Material:
    """The inputs of a training, on its device.

    Parameters
    ----------
    pair : the low-res volume, and the slices to train on
    settings, report : of the checked inputs
    generator : reads context around a crop
    device_name : where to train
    known : all slices where some are held back from the pair: of these, fractions count

    Attributes
    ----------
    phases : m and n
    out, crop_shape : a crop on the high-res grid, and its shape on the low-res grid
    low_res : draws low-res crops
    slices : draw real slices normal to z, y and x, as large as a crop's
    imaging : phase map, blur and down-sampling of a crop
    one_sided_M : whether a low-res phase may also appear elsewhere
    frequencies : the loss on the phase statistics of slices; None where it has no weight
    fractions : the loss on volume fractions
    """

    def __init__(
        self,
        pair: Pair,
        settings: TrainingSettings,
        report: InputReport,
        generator: Generator,
        device_name: str,
        known: SegmentedSlices | None = None,
    ) -> None:
        low_res, high_res = pair.low_res, pair.high_res
        self.device = device = torch.device(device_name)
        self.phases = (len(low_res.phases), len(high_res.phases))
        self.out, self.crop_shape = Box.whole(report.high_res_crop), report.low_res_crop
        self.low_res = LowResSampler(
            low_res.labels,
            len(low_res.phases),
            report.low_res_crop,
            generator.low_res_box(self.out, self.crop_shape),
            tuple(factor.denominator for factor in settings.scale_factor),  # type: ignore[arg-type]
            device,
            real_context=settings.engine.context,
            alike=settings.scale_factor if settings.engine.augment_low_res else None,
        )
        self.slices = _slice_samplers(high_res, settings, report, device)
        self.imaging = Imaging(
            settings,
            report.lr_of_hr.tolist(),
            len(low_res.phases),
            report.low_res_crop,
            report.high_res_crop,
            device,
        )
        self.one_sided_M = torch.tensor(
            [phase.value in settings.one_sided for phase in low_res.phases], device=device
        )
        self.frequencies = frequency_loss(high_res, settings, report, device)
        self.fractions = _fraction_loss(Pair(low_res, known or high_res), report, device)


def frequency_loss(
    high_res: SegmentedSlices, settings: TrainingSettings, report: InputReport, device: torch.device
) -> FrequencyLoss | None:
    """Return the loss that matches the phase statistics of generated slices to the real ones.

    None where it has no weight, and where the slices do not represent the volume: only
    patterns that are in neither could then match both.
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


def _slice_samplers(
    high_res: SegmentedSlices, settings: TrainingSettings, report: InputReport, device: torch.device
) -> list[SliceSampler]:
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


def _fraction_loss(pair: Pair, report: InputReport, device: torch.device) -> FractionLoss:
    low_res, high_res = pair.low_res, pair.high_res
    images = high_res.images
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
