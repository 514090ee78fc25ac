"""All the numbers of a report: measured once, kept as JSON, drawn from there."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from napari_superres.data.volumes import Segmented, SegmentedVolume
from napari_superres.errors import SettingsError
from napari_superres.events import Done, Progress
from napari_superres.measures.comparison import FORMAT_VERSION, differences_of
from napari_superres.measures.inputs import ReportInputs, on_one_grid
from napari_superres.measures.protocol import (
    COUNT,
    PROTOCOL_MEASURES,
    SIDE,
    SubVolumeMeasured,
    describe_values,
    measure_sub_volumes,
    stack_values,
)
from napari_superres.measures.summary import (
    MEASURES,
    WITHOUT_TRANSPORT,
    Summary,
    measure_item,
)

PACKAGES = ("napari-superres-fusion", "numpy", "scipy", "torch", "matplotlib")


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
    options, inputs = options or ReportOptions(), on_one_grid(inputs)
    named: dict[str, Segmented] = {**inputs.volumes()}
    if inputs.high_res is not None:
        named["high_res"] = inputs.high_res
    whole = [*named.values(), *inputs.super_res[1:]]
    sampled = {"super_res": inputs.super_res} | ({"truth": (inputs.truth,)} if inputs.truth else {})
    # sub-volumes take about four times as long as a volume
    total = len(whole) + 4 * len(sampled)
    summaries: list[Summary] = []
    for item in whole:
        yield Progress(f"measuring {item.name}", len(summaries) / total)
        summaries.append(measure_item(item, options.measures, options.device))
    items = dict(zip(named, summaries, strict=False))
    sub_volumes: dict[str, Any] = {}
    for index, (name, volumes) in enumerate(sampled.items()):
        measured = []
        for one in _sub_volumes(volumes, options):
            measured.append(one)
            done = len(whole) + 4 * (index + one.done / one.total)
            yield Progress(f"sub-volumes of {volumes[0].name}", done / total)
        sub_volumes[name] = describe_values(stack_values(measured), volumes[0].phases)
    numbers = _about(inputs, options) | {
        "items": items,
        "realisations": summaries[len(named) :],
        "differences": differences_of(items),
        "sub_volumes": sub_volumes,
    }
    if (mismatch := inputs.low_res_mismatch()) is not None:
        numbers["low_res_mismatch"] = mismatch
    yield Done(numbers)


def _sub_volumes(
    volumes: Sequence[SegmentedVolume], options: ReportOptions
) -> Iterator[SubVolumeMeasured]:
    return measure_sub_volumes(
        [volume.labels for volume in volumes],
        len(volumes[0].phases),
        volumes[0].voxel_size,
        options.side,
        options.count,
        options.seed,
        options.sub_volume_measures,
        options.threads,
        options.device,
    )


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
