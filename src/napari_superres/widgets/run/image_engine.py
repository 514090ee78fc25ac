"""The seam between a panel that learns from images and its engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.phases import Phase
from napari_superres.events import TrainingEvent
from napari_superres.runs.config import Kind
from napari_superres.widgets.layers.images import ChosenImages
from napari_superres.widgets.run.engine import DeviceChoice, Engine

Sets = tuple[ImageSet, ...]


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A run folder and what showing its results takes.

    Attributes
    ----------
    phases : of the images that are made; empty for grey values
    pixel_size : µm of these, None when unknown
    scale_factor : of a translation
    lines : of metrics.jsonl
    """

    folder: Path
    phases: tuple[Phase, ...] = ()
    pixel_size: float | None = None
    scale_factor: int = 1
    learnt: bool = False
    lines: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class ImageInputs:
    """What a training learns from.

    Attributes
    ----------
    chosen : one choice of layers, or low-res and high-res
    values : settings that the inputs' step holds, such as size and stride
    prepare : what is done to the images once they are read, None for nothing
    """

    chosen: tuple[ChosenImages, ...]
    values: Mapping[str, Any]
    prepare: Callable[[Sets], Sets] | None = None


def _devices() -> Sequence[DeviceChoice]:
    return Engine().devices()


@dataclass(frozen=True)
class ImageEngine:
    """What a panel asks of an engine that learns from images; tests pass others.

    Attributes
    ----------
    kind : "synthesis" or "translation"
    train : (sets of images, settings, run folder, budget, stop) to events
    resume : (run folder, budget, stop) to events
    open : reads a run folder
    adapt : (run folder, batch or None to leave it) to the run's settings, with that batch
    """

    kind: str
    train: Callable[[Sets, Any, Path, Budget, threading.Event], Iterator[TrainingEvent]]
    resume: Callable[[Path, Budget, threading.Event], Iterator[TrainingEvent]]
    open: Callable[[Path], OpenedRun]
    adapt: Callable[[Path, int | None], Any]
    devices: Callable[[], Sequence[DeviceChoice]] = _devices


def adapted(folder: Path, kind: Kind[Any], batch: int | None) -> Any:
    """Return the settings of a run of images, from now on with another batch unless None."""
    from napari_superres.runs.run import Run, change_engine

    changes = {} if batch is None else {"batch": batch}
    run = change_engine(folder, kind, changes) if changes else Run.open(folder, kind)
    return run.settings
