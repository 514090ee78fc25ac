"""Short work in a thread: what it gives, or the error a person should read."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_superres.errors import (
    EngineError,
    OutOfMemoryError,
    OutputError,
    SuperResError,
    is_out_of_memory,
)

LEAST = 8
"""Threads of Qt's pool, which has as many as there are cores by itself: on a machine with one, a
training would keep all else waiting until it ends."""

JOB_NEEDS = ("", "Close other programs or layers, or take a part of the volume.")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a function gave, or the error that ended it.

    superqt raises an exception that a worker returns, so it is wrapped.
    """

    value: Any = None
    error: SuperResError | None = None


class _Attempt:
    """A function whose errors are returned, not raised: the caller waits for an outcome."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments

    def run(self) -> Outcome:
        try:
            return Outcome(self.function(*self.arguments))
        except Exception as error:  # the thread's boundary: everything is reported
            return Outcome(error=as_engine_error(error))


def as_engine_error(error: Exception, needs: tuple[str, str] = JOB_NEEDS) -> SuperResError:
    """Turn any failure in a thread into one of the project's errors.

    Parameters
    ----------
    needs : where memory is missing: what is needed, and what to do
    """
    if isinstance(error, SuperResError):
        return error
    if is_out_of_memory(error):
        wrapped: SuperResError = OutOfMemoryError("The device has no memory left.", *needs)
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        wrapped = OutputError(
            "The disk is full.",
            "",
            "Free some space; what was saved before is whole and can be continued.",
        )
    else:
        wrapped = EngineError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


def in_thread(function: Callable[..., Any], then: Callable[[Outcome], None], *args: Any) -> None:
    """Call `function` in napari's thread pool, then `then` with its outcome on the main thread.

    Parameters
    ----------
    then : a method of a QObject; it is not called once that is gone
    """
    worker = create_worker(_Attempt(function, args).run, _start_thread=False)
    worker.returned.connect(then)
    start_worker(worker)


def start_worker(worker: Any) -> None:
    """Start a worker of napari beside those that run."""
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(pool.maxThreadCount(), LEAST))
    worker.start()


class Latest(QObject):
    """One job at a time; of those asked for meanwhile, only the last is done.

    Parameters
    ----------
    eager : whether to emit the outcome of a job after which another was asked for

    Signals
    -------
    done : Outcome
    """

    done = Signal(object)

    def __init__(self, parent: QObject | None = None, eager: bool = False) -> None:
        super().__init__(parent)
        self.eager = eager
        self.busy = False
        self._next: tuple[Callable[..., Any], tuple[Any, ...]] | None = None

    def ask(self, function: Callable[..., Any], *args: Any) -> None:
        """Call `function` in a thread, now or after the job that is under way."""
        if self.busy:
            self._next = (function, args)
            return
        self.busy = True
        in_thread(function, self._on_outcome, *args)

    def forget(self) -> None:
        """Do nothing more of what was asked for; the outcome of the job under way is dropped."""
        if self.busy:
            self._next = (_nothing, ())

    def _on_outcome(self, outcome: Outcome) -> None:
        following, self._next = self._next, None
        self.busy = False
        if following is None or (self.eager and following[0] is not _nothing):
            self.done.emit(outcome)
        if following is not None and following[0] is not _nothing and not self.busy:
            self.ask(following[0], *following[1])


def _nothing() -> None:
    """Stand for no job at all."""
