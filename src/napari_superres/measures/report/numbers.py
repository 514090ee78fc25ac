"""Everything a report tells in numbers: measured once, kept as JSON, drawn from there."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.common_phases import common_phases, slices_with_phases, volume_with_phases
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError
from napari_superres.events import Done, Progress
from napari_superres.measures.comparison import FORMAT_VERSION, compare_summaries
from napari_superres.measures.kinds.mismatch import mismatch_of
from napari_superres.measures.protocol import (
    COUNT,
    PROTOCOL_MEASURES,
    SIDE,
    describe_values,
    measure_sub_volumes,
    stack_values,
)
from napari_superres.measures.summary import (
    MEASURES,
    WITHOUT_TRANSPORT,
    Summary,
    measure_slices,
    measure_volume,
    sized_as,
)

PACKAGES = ("napari-superres-fusion", "numpy", "scipy", "torch", "matplotlib")


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """What a report is about; whatever is None is left out.

    Attributes
    ----------
    super_res : realisations of one volume; the first is shown and compared
    low_res, high_res : what it was made from
    truth : the 3D truth, on the grid of the whole super-res volume
    settings : of the training; needed for the low-res mismatch
    offset : first low-res voxel that `super_res` covers, zyx (1, 1, 1 with `crop_border`)
    """

    super_res: tuple[SegmentedVolume, ...]
    low_res: SegmentedVolume | None = None
    high_res: SegmentedSlices | None = None
    truth: SegmentedVolume | None = None
    settings: TrainingSettings | None = None
    offset: Triple = (0, 0, 0)

    def volumes(self) -> dict[str, SegmentedVolume]:
        """Return the volumes by item name: low_res, super_res, truth."""
        found = {"low_res": self.low_res, "super_res": self.super_res[0], "truth": self.truth}
        return {name: volume for name, volume in found.items() if volume is not None}


@dataclass(frozen=True)
class ReportOptions:
    """How much a report measures.

    Attributes
    ----------
    side, count, seed : of the random sub-volumes
    transport : whether to measure transport efficiencies, which take the longest
    threads : to work with; None for one a processor
    device : cpu, or a torch device for transport efficiencies
    """

    side: int = SIDE
    count: int = COUNT
    seed: int = 0
    transport: bool = False
    threads: int | None = None
    device: str = "cpu"

    @property
    def measures(self) -> tuple[str, ...]:
        """Measures of whole volumes and slices."""
        return MEASURES if self.transport else WITHOUT_TRANSPORT

    @property
    def sub_volume_measures(self) -> tuple[str, ...]:
        """Measures of the sub-volumes."""
        return (*PROTOCOL_MEASURES, *(("transport_efficiency",) if self.transport else ()))


def on_one_grid(inputs: ReportInputs) -> ReportInputs:
    """Return inputs whose high-res parts have the same phases and, where unknown, voxel size.

    Label values tell which phases are the same; names are those of the first super-res
    volume, as is a voxel size that the others lack.
    """
    first, slices, truth = inputs.super_res[0], inputs.high_res, inputs.truth
    others = [item for item in (slices, truth) if item is not None]
    phases = common_phases([*others, *reversed(inputs.super_res)])
    return replace(
        inputs,
        super_res=tuple(
            sized_as(volume_with_phases(one, phases), first) for one in inputs.super_res
        ),
        high_res=slices and sized_as(slices_with_phases(slices, phases), first),
        truth=truth and sized_as(volume_with_phases(truth, phases), first),
    )


def measure_report(
    inputs: ReportInputs, options: ReportOptions | None = None
) -> Iterator[Progress | Done[dict[str, Any]]]:
    """Measure everything a report shows.

    Yields
    ------
    Progress
        At each stage.
    Done
        Last. Its result is JSON-able: ``format_version``, ``created``, ``versions``, ``options``,
        ``settings``; ``items`` (a summary each of low_res, high_res, super_res,
        truth) and ``realisations`` (of the further ones); ``differences``
        (super_res_high_res, super_res_truth) and ``low_res_mismatch``;
        ``sub_volumes`` of super_res (all realisations) and truth.

    Raises
    ------
    SettingsError
        No super-res volume.
    PhaseError
        Volumes without a label value in common.
    """
    if not inputs.super_res:
        raise SettingsError("There is no super-res volume.", "A report needs at least one.")
    asked, inputs = options or ReportOptions(), on_one_grid(inputs)
    items: dict[str, Summary] = {}
    stages = len(inputs.volumes()) + (inputs.high_res is not None) + len(inputs.super_res) - 1
    samples = 1 + (inputs.truth is not None)
    total = stages + 4 * samples  # sub-volumes take about four times as long as a volume
    for name, volume in inputs.volumes().items():
        yield Progress(f"measuring {volume.name}", len(items) / total)
        items[name] = measure_volume(volume, asked.measures, device=asked.device)
    if inputs.high_res is not None:
        yield Progress(f"measuring {inputs.high_res.name}", len(items) / total)
        items["high_res"] = measure_slices(inputs.high_res, asked.measures)
    realisations: list[Summary] = []
    for volume in inputs.super_res[1:]:
        yield Progress(f"measuring {volume.name}", (len(items) + len(realisations)) / total)
        realisations.append(measure_volume(volume, asked.measures, device=asked.device))
    sub_volumes: dict[str, Any] = {}
    sampled = {"super_res": inputs.super_res, "truth": (inputs.truth,) if inputs.truth else ()}
    for index, (name, volumes) in enumerate((k, v) for k, v in sampled.items() if v):
        for event in _sub_volumes(name, volumes, asked):
            if isinstance(event, Progress):
                done = stages + 4 * (index + event.share)
                yield Progress(event.text, done / total)
            else:
                sub_volumes[name] = event
    numbers = _about(inputs, asked) | {
        "items": items,
        "realisations": realisations,
        "differences": _differences(items),
        "sub_volumes": sub_volumes,
    }
    if inputs.settings and inputs.low_res and inputs.high_res:
        numbers["low_res_mismatch"] = mismatch_of(
            inputs.low_res, inputs.high_res, inputs.super_res[0], inputs.settings, inputs.offset
        )
    yield Done(numbers)


def _differences(items: Mapping[str, Summary]) -> dict[str, Any]:
    return {
        f"super_res_{name}": compare_summaries(items["super_res"], items[name])
        for name in ("high_res", "truth")
        if name in items
    }


def _sub_volumes(
    name: str, volumes: Sequence[SegmentedVolume], options: ReportOptions
) -> Iterator[Progress | dict[str, Any]]:
    """Yield progress from 0 to 1, then the described values."""
    first = volumes[0]
    measured = []
    for one in measure_sub_volumes(
        [volume.labels for volume in volumes],
        len(first.phases),
        first.voxel_size,
        options.side,
        options.count,
        options.seed,
        options.sub_volume_measures,
        options.threads,
        options.device,
    ):
        measured.append(one)
        yield Progress(f"sub-volumes of {first.name}", one.done / one.total)
    yield describe_values(stack_values(measured), first.phases)


def _about(inputs: ReportInputs, options: ReportOptions) -> dict[str, Any]:
    settings = inputs.settings
    return {
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version()} | _versions(),
        "options": {
            "sub_volume_side": int(np.min([options.side, *inputs.super_res[0].shape])),
            "sub_volumes": options.count,
            "seed": options.seed,
            "transport": options.transport,
        },
        "settings": None if settings is None else settings.model_dump(mode="json"),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
