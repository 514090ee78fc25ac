"""Measuring several volumes step by step, so that one can watch and stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_superres.data.volumes import Segmented, SegmentedSlices, SegmentedVolume
from napari_superres.events import Done, FinishReason, Progress
from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.kinds.transport import efficiency
from napari_superres.measures.naming import as_json, axis_names, by_axis, phase_names
from napari_superres.measures.summary import (
    MEASURES,
    Summary,
    measure_item,
    sized_as,
)

TRANSPORT = "transport_efficiency"


@dataclass(frozen=True, eq=False)
class Subject:
    """What is to be measured; read only when its turn comes.

    Attributes
    ----------
    name : for tables and progress
    read : returns the volume or the slices
    """

    name: str
    read: Callable[[], Segmented]


@dataclass(frozen=True, eq=False)
class Measured:
    """Summaries of one volume or more, and of what they are compared with.

    Attributes
    ----------
    found : a summary of each volume
    reference : the reference's summary, where one was asked for
    """

    found: tuple[Summary, ...]
    reference: Summary | None = None


def measure_subjects(
    subjects: Sequence[Subject],
    reference: Subject | None,
    measures: Collection[str],
    stop: threading.Event,
) -> Iterator[Progress | Done[Measured]]:
    """Measure volumes and their reference; stops between two measures.

    Transport, the slowest, is measured phase by phase and axis by axis. Of a
    reference that is slices, representativity is measured too: tolerances need it.

    Parameters
    ----------
    subjects : at least one; slices of unknown pixel size have that of the first volume
    measures : names out of `MEASURES`
    stop : looked at before each measure

    Yields
    ------
    Progress, then Done with what was measured
    """
    wanted = [name for name in MEASURES if name in measures]
    everything = [*subjects, *([reference] if reference is not None else [])]
    summaries: list[Summary] = []
    grid: SegmentedVolume | None = None
    for done, subject in enumerate(everything):
        yield Progress(f"{subject.name}: reading", done / len(everything))
        item = subject.read()
        if isinstance(item, SegmentedVolume):
            grid = grid or item
        elif grid is not None:
            item = sized_as(item, grid)
        names = wanted
        if subject is reference and isinstance(item, SegmentedSlices):
            names = list(dict.fromkeys([*wanted, "representativity"]))
        summary: Summary = {}
        for text, share, part in _one_by_one(item, names):
            if stop.is_set():
                yield Done(reason=FinishReason.STOPPED)
                return
            _merge(summary, part)
            yield Progress(f"{subject.name}: {text}", (done + share) / len(everything))
        summaries.append(summary | {"name": subject.name})
    found = tuple(summaries[: len(subjects)])
    last = summaries[-1] if reference is not None else None
    yield Done(Measured(found, last))


def _merge(summary: Summary, part: Summary) -> None:
    units = summary.get("units", {}) | part.get("units", {})
    summary.update(part)
    summary["units"] = units


def _one_by_one(item: Segmented, measures: Sequence[str]) -> Iterator[tuple[str, float, Summary]]:
    """Yield what comes next, the share done, and the part of the summary just measured."""
    head = measure_item(item, [])
    for index, name in enumerate(measures):
        text = SCALARS[name].title if name in SCALARS else name.replace("_", " ")
        yield text, index / len(measures), head
        if name == TRANSPORT and isinstance(item, SegmentedVolume):
            yield from _transport(item, index, len(measures))
        else:
            yield text, (index + 1) / len(measures), measure_item(item, [name])


def _transport(
    volume: SegmentedVolume, index: int, total: int
) -> Iterator[tuple[str, float, Summary]]:
    sizes = np.ones(3) if volume.voxel_size is None else np.array(volume.voxel_size)
    names, axes = phase_names(volume.phases), axis_names(3)
    values = np.zeros((len(names), len(axes)))
    steps = [(phase, axis) for phase in range(len(names)) for axis in range(len(axes))]
    for done, (phase, axis) in enumerate(steps):
        share = (index + done / len(steps)) / total
        yield f"transport efficiency of {names[phase]} along {axes[axis]}", share, {}
        values[phase, axis] = efficiency(volume.labels == phase, axis, sizes)
    part = {TRANSPORT: as_json(by_axis(names, values)), "units": {TRANSPORT: ""}}
    yield "transport efficiency", (index + 1) / total, part
