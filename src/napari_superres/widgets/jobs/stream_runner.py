"""Run a stream of events in napari's thread pool; pause it, stop it, report how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, Signal

from napari_superres.events import FinishReason
from napari_superres.widgets.jobs.mesa import keep_triton_out
from napari_superres.widgets.jobs.run_state import ACTIVE, RunEvent, RunState, advance
from napari_superres.widgets.jobs.threads import as_engine_error, start_worker

Factory = Callable[[threading.Event], Iterator[Any]]
STREAM_NEEDS = (
    "A step or a tile must fit.",
    "Choose a smaller crop, batch or tile in the advanced settings, or the cpu.",
)


@dataclass(frozen=True)
class Failure:
    """The stream's last event when it failed."""

    error: Exception


class Paused:
    """The stream stands still; nothing is computed until resumed."""


class _Task:
    """A stream with the two switches that the panel holds."""

    def __init__(self, name: str, factory: Factory) -> None:
        self.name = name
        self.factory = factory
        self.stop = threading.Event()
        self.pause = threading.Event()

    def __str__(self) -> str:
        return self.name  # napari shows it when it asks whether to close

    def events(self) -> Iterator[Any]:
        """Yield the stream's events; a failure is the last of them, not raised.

        A `RuntimeError` leaving a generator worker is swallowed by superqt, and
        torch's out-of-memory error is one.
        """
        keep_triton_out()
        try:
            for event in self.factory(self.stop):
                yield event
                if self.pause.is_set() and not self.stop.is_set():
                    yield Paused()
                    while self.pause.is_set() and not self.stop.wait(0.05):
                        pass
        except Exception as error:  # the thread's boundary: everything is reported
            yield Failure(as_engine_error(error, STREAM_NEEDS))


class RunWorker(GeneratorWorker):
    """A worker whose quit() stops the stream the clean way.

    napari calls quit() when its window closes; superqt's own would abandon the
    generator without its last save. Here the stream is asked to stop, saves, and
    ends by itself, paused or not.
    """

    def __init__(self, task: _Task) -> None:
        super().__init__(task.events)
        self._task = task

    def quit(self) -> None:
        """Ask the stream to stop, keeping what it has."""
        self._task.stop.set()


class StreamRunner(QObject):
    """One stream at a time: its state, its events on the main thread.

    Signals
    -------
    state_changed : RunState
    event : an event of the stream, on the main thread
    failed : the SuperResError that ended the stream
    """

    state_changed = Signal(object)
    event = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = RunState.IDLE
        self._task: _Task | None = None
        self._end = RunEvent.STOPPED
        self._error: Exception | None = None

    @property
    def active(self) -> bool:
        """Whether a thread works or waits."""
        return self.state in ACTIVE

    def start(self, name: str, factory: Factory) -> None:
        """Start a stream; ignored while one is active.

        Parameters
        ----------
        name : shown by napari when it asks whether to close
        factory : called in the worker's thread with the stop event
        """
        if self.active:
            return
        self._task = _Task(name, factory)
        self._end, self._error = RunEvent.STOPPED, None
        self._advance(RunEvent.START)
        worker = create_worker(self._task, _worker_class=RunWorker, _start_thread=False)
        worker.yielded.connect(self._on_yield)
        worker.finished.connect(self._on_finished)
        start_worker(worker)

    def pause(self) -> None:
        """Stop asking for events after the next one."""
        if self._task is not None:
            self._task.pause.set()
            self._advance(RunEvent.PAUSE)

    def resume(self) -> None:
        """Go on after a pause."""
        if self._task is not None:
            self._task.pause.clear()
            self._advance(RunEvent.RESUME)

    def stop(self) -> None:
        """Ask the stream to end; it saves first."""
        if self._task is not None and self.active:
            self._task.stop.set()
            self._advance(RunEvent.STOP)

    def _advance(self, event: RunEvent) -> None:
        state = advance(self.state, event)
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)

    def _on_yield(self, item: object) -> None:
        if isinstance(item, Failure):
            self._end, self._error = RunEvent.FAILED, item.error
            return
        if isinstance(item, Paused):
            self._advance(RunEvent.PAUSED)
            return
        self._advance(RunEvent.EVENT)
        reason = getattr(item, "reason", None)
        if isinstance(reason, FinishReason):  # the last event, of whatever stream
            stopped = reason is FinishReason.STOPPED
            self._end = RunEvent.STOPPED if stopped else RunEvent.COMPLETED
        self.event.emit(item)

    def _on_finished(self) -> None:
        # the state changes here, not at the last event: a new stream may only
        # start once the thread is done with this one
        error, self._error, self._task = self._error, None, None
        self._advance(self._end)
        if error is not None:
            self.failed.emit(error)
