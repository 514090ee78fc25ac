"""The seam between panel and engine: functions that return streams of events.

The real ones are imported when first called, in the worker's thread, so that
opening the panel imports no torch. Tests pass others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_superres.config import Budget, EngineSettings, GenerationSettings, TrainingSettings
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.events import GenerationEvent, TrainingEvent
from napari_superres.widgets.run.preflight import Preflight, estimate


@dataclass(frozen=True)
class DeviceChoice:
    """A device to offer: `name` as settings want it, `text` for people."""

    name: str
    text: str


Train = Callable[[Pair, TrainingSettings, Path, Budget, threading.Event], Iterator[TrainingEvent]]
Resume = Callable[[Path, Budget, threading.Event, Mapping[str, int | str]], Iterator[TrainingEvent]]
Generate = Callable[
    [Path, GenerationSettings, SegmentedVolume | None, threading.Event], Iterator[GenerationEvent]
]
GenerateToDisk = Callable[
    [Path, GenerationSettings, int, Path, threading.Event], Iterator[GenerationEvent]
]


def _train(
    pair: Pair,
    settings: TrainingSettings,
    run_folder: Path,
    budget: Budget,
    stop: threading.Event,
) -> Iterator[TrainingEvent]:
    from napari_superres.fusion.training import train

    return train(pair, settings, run_folder, budget, stop)


def _resume(
    run_folder: Path, budget: Budget, stop: threading.Event, changes: Mapping[str, int | str]
) -> Iterator[TrainingEvent]:
    from napari_superres.fusion.training import resume

    return resume(run_folder, budget, stop, changes)


def _generate(
    run_folder: Path,
    settings: GenerationSettings,
    low_res: SegmentedVolume | None,
    stop: threading.Event,
) -> Iterator[GenerationEvent]:
    from napari_superres.generation.render import generate

    return generate(run_folder, settings, low_res, stop=stop)


def _generate_to_disk(
    run_folder: Path, settings: GenerationSettings, count: int, output: Path, stop: threading.Event
) -> Iterator[GenerationEvent]:
    from napari_superres.generation.render import generate, generate_many

    if count == 1:
        return generate(run_folder, settings, output=output, stop=stop)
    folder = output.with_suffix("")
    return generate_many(
        run_folder, settings, count, folder, stop=stop, suffix=output.suffix.lower()
    )


def _devices() -> Sequence[DeviceChoice]:
    from napari_superres.runs.device import device_report

    choices = []
    for info in device_report():
        free = "" if info.free_bytes is None else f", {info.free_bytes / 2**30:.1f} GiB free"
        choices.append(DeviceChoice(info.name, f"{info.name}: {info.description}{free}"))
    return choices


def _smaller(engine: EngineSettings) -> Mapping[str, int | str]:
    from napari_superres.training.failures import smaller

    return smaller(engine)


@dataclass(frozen=True)
class Engine:
    """Everything that the panel asks of the engine."""

    train: Train = _train
    resume: Resume = _resume
    generate: Generate = _generate
    generate_to_disk: GenerateToDisk = _generate_to_disk
    devices: Callable[[], Sequence[DeviceChoice]] = _devices
    preflight: Callable[[TrainingSettings], Preflight] = estimate
    smaller: Callable[[EngineSettings], Mapping[str, int | str]] = _smaller
