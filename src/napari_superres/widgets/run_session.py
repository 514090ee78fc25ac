"""What the steps of one viewer share of a run: which it is, and what is generated from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from napari_superres.config import GenerationSettings
from napari_superres.events import GenerationEvent, GenerationFinished
from napari_superres.widgets.engine import Engine
from napari_superres.widgets.results import Generated, Run, Written
from napari_superres.widgets.stream_runner import StreamRunner


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the generation under way was asked for; `kind` is the ending of its files."""

    run: Run
    settings: GenerationSettings
    count: int
    kind: str


class RunSession(QObject):
    """The run on hand, its generation, and all streams that go on.

    Signals
    -------
    run_changed : look at `run`
    generated : Generated
    written : Written
    """

    run_changed = Signal()
    generated = Signal(object)
    written = Signal(object)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.run: Run | None = None
        self._asked: _Asked | None = None
        self._made = 0
        self._claimed: WeakSet[object] = WeakSet()
        self._runners: list[StreamRunner] = []
        self.generation = self.new_runner()
        self.generation.event.connect(self._on_generation_event)

    def set_run(self, run: Run | None) -> None:
        """Tell of a change of the run to watch, continue and generate from."""
        self.run = run
        self.run_changed.emit()

    def start_generation(
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
        if self.run is None or self.generation.active:
            return
        settings.replace(seed=settings.seed + count - 1)  # refused now, not after hours
        kind = output.suffix.lower() if output is not None else ""
        self._asked, self._made = _Asked(self.run, settings, count, kind), 0
        folder, engine = self.run.folder, self.engine

        def events(stop: threading.Event) -> Iterator[GenerationEvent]:
            if output is not None:
                yield from engine.generate_to_disk(folder, settings, count, output, stop)
                return
            for seed in range(settings.seed, settings.seed + count):
                yield from engine.generate(folder, settings.replace(seed=seed), None, stop)
                if stop.is_set():
                    return

        self.generation.start(f"Generating from {folder}", events)

    def claim(self, result: object) -> bool:
        """Whether a result is for whoever asks: the first, where several docks could show it."""
        fresh = result not in self._claimed
        self._claimed.add(result)
        return fresh

    def shut_down(self) -> None:
        """Ask everything that works to stop; what was learnt is kept."""
        for runner in self._runners:
            runner.stop()

    def new_runner(self, told: bool = True) -> StreamRunner:
        """Return a runner for a step's own work, shut down with the others; `told` shows errors."""
        runner = StreamRunner(self)
        if told:
            runner.failed.connect(self._on_failure)
        self._runners.append(runner)
        return runner

    def _on_generation_event(self, event: GenerationEvent) -> None:
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

    def _on_failure(self, error: Exception) -> None:
        show_error(str(error))
