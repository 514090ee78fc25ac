"""The seam between panel and engine: what the panel asks of each kind of run.

The real functions import torch when they are first called, in a worker's thread, so that
opening the panel imports none. Tests pass others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_superres.config import Budget
from napari_superres.events import TrainingEvent
from napari_superres.widgets.jobs.words import Changes
from napari_superres.widgets.run.history import Band, History, PreviewBook
from napari_superres.widgets.run.preflight import Preflight


@dataclass(frozen=True)
class DeviceChoice:
    """A device to offer: `name` as settings want it, `text` for people."""

    name: str
    text: str


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """A run as it lies on disk: how to show its results, and what it measured."""

    run: Any
    history: History = field(default_factory=History)
    previews: PreviewBook = field(default_factory=PreviewBook)


def devices() -> Sequence[DeviceChoice]:
    """Return the devices of this machine. Imports torch: call it in a thread."""
    from napari_superres.runs.device import device_report

    choices = []
    for info in device_report():
        free = "" if info.free_bytes is None else f", {info.free_bytes / 2**30:.1f} GiB free"
        choices.append(DeviceChoice(info.name, f"{info.name}: {info.description}{free}"))
    return choices


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A kind of run as functions; what else a kind can do, its subclass adds.

    Attributes
    ----------
    kind : "fusion", "synthesis" or "translation"
    missing : (inputs or None, problem) to what keeps a training from starting; empty for nothing
    read : inputs of the panel to what `train` takes; called in the thread
    shown : (run folder, inputs, what was read, settings) to the run as the panel shows it
    train : (what was read, settings, run folder, budget, stop) to events
    resume : (run folder, budget, stop, changes of the engine's settings) to events
    open : run folder to an earlier run; called in a thread
    preflight : settings to the memory that a step needs; None where it is not known
    bands : what was read to where the material's own fractions lie; None where it is not known
    devices : what can be trained on
    """

    kind: str
    missing: Callable[[Any, str], str]
    read: Callable[[Any], Any]
    shown: Callable[[Path, Any, Any, Any], Any]
    train: Callable[[Any, Any, Path, Budget, threading.Event], Iterator[TrainingEvent]]
    resume: Callable[[Path, Budget, threading.Event, Changes], Iterator[TrainingEvent]]
    open: Callable[[Path], EarlierRun]
    preflight: Callable[[Any], Preflight] | None = None
    bands: Callable[[Any], Mapping[str, Band]] | None = None
    devices: Callable[[], Sequence[DeviceChoice]] = devices
