"""Generating volumes from the fusion on hand; its steps, in whatever dock, share the results."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from qtpy.QtCore import QObject, Signal

from napari_superres.config import GenerationSettings
from napari_superres.data.volumes import Labels
from napari_superres.events import GenerationEvent, GenerationFinished
from napari_superres.widgets.inputs.inputs import Inputs
from napari_superres.widgets.run.fusion import FusionEngine, FusionRun
from napari_superres.widgets.run.training import Training


@dataclass(frozen=True, eq=False)
class Generated:
    """A finished generation: phase indices, what it was asked for, and its run."""

    labels: Labels
    settings: GenerationSettings
    run: FusionRun


@dataclass(frozen=True, eq=False)
class Written:
    """A finished generation on disk: a file, or a folder of `count` files of a `kind`."""

    path: Path
    settings: GenerationSettings
    run: FusionRun
    count: int = 1
    kind: str = ""

    @property
    def seeds(self) -> range:
        """Of the realisations, one after the other."""
        return range(self.settings.seed, self.settings.seed + self.count)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the generation under way was asked for; `kind` is the ending of its files."""

    run: FusionRun
    settings: GenerationSettings
    count: int
    kind: str


class Generation(QObject):
    """One generation at a time from a run.

    Signals
    -------
    generated : Generated
    written : Written
    """

    generated = Signal(object)
    written = Signal(object)

    def __init__(self, training: Training[Inputs, FusionRun], engine: FusionEngine) -> None:
        super().__init__(training)
        self.training, self.engine, self.runner = training, engine, training.work
        self._asked: _Asked | None = None
        self._made = 0
        self._claimed: WeakSet[object] = WeakSet()
        self.runner.event.connect(self._on_event)

    def start(
        self, settings: GenerationSettings, count: int = 1, output: Path | None = None
    ) -> None:
        """Generate from the current run.

        Parameters
        ----------
        count : realisations, with seeds one after the other
        output : file to write; several go to the folder of that name without its
            ending. None to keep the volumes in memory

        Raises
        ------
        SettingsError
            The last seed is too large.
        """
        run = self.training.run
        if run is None or self.runner.active:
            return
        settings.replace(seed=settings.seed + count - 1)  # refused now, not after hours
        kind = output.suffix.lower() if output is not None else ""
        self._asked, self._made = _Asked(run, settings, count, kind), 0
        folder, engine = run.folder, self.engine

        def events(stop: threading.Event) -> Iterator[GenerationEvent]:
            if output is not None:
                yield from engine.generate_to_disk(folder, settings, count, output, stop)
                return
            for seed in range(settings.seed, settings.seed + count):
                yield from engine.generate(folder, settings.replace(seed=seed), stop)
                if stop.is_set():
                    return

        self.runner.start(f"Generating from {folder}", events)

    def claim(self, result: object) -> bool:
        """Whether a result is for the caller: the first, where several docks could show it."""
        fresh = result not in self._claimed
        self._claimed.add(result)
        return fresh

    def _on_event(self, event: GenerationEvent) -> None:
        if not isinstance(event, GenerationFinished) or self._asked is None:
            return
        asked = self._asked  # another run may be shown by now
        if event.labels is not None:
            settings = asked.settings.replace(seed=asked.settings.seed + self._made)
            self._made += 1
            self.generated.emit(Generated(event.labels, settings, asked.run))
        elif event.path is not None:
            written = Written(event.path, asked.settings, asked.run, asked.count, asked.kind)
            self.written.emit(written)
