"""Writing to a sink in a thread of its own, so that a slow disk delays no event."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_superres.data.volumes import Labels
from napari_superres.events import PartAssembled
from napari_superres.writing.sink import Sink

BLOCKS_WAITING = 2
"""Blocks that may wait to be written; more would only hide a slow disk, in memory."""
HEARTBEAT_S = 0.5
"""Longest wait between two events."""


class BackgroundWriter:
    """Writes to a sink in a thread; its methods yield while they wait.

    Attributes
    ----------
    finished : what the sink returned at the end, None before
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.finished: tuple[Labels | None, Path | None] | None = None
        self._thread = one_thread("superres-writer")
        self._closing = threading.Event()
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> BackgroundWriter:
        self._pool = self._thread.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._thread.__exit__(None, None, None)

    def write(self, index: int, labels: Labels) -> Iterator[None]:
        """Write a block once there is room among those that wait."""
        yield from self.wait(BLOCKS_WAITING - 1)
        self._waiting.append(self._pool.submit(self.sink.write, index, labels))

    def wait(self, leaving: int = 0) -> Iterator[None]:
        """Wait until at most `leaving` blocks are left to write."""
        while len(self._waiting) > leaving:
            oldest = self._waiting.popleft()
            yield from until_done(oldest)
            oldest.result()

    def finish(self, stop: threading.Event | None) -> Iterator[PartAssembled]:
        """Complete the result; without `finished` after it, it was stopped."""
        latest: PartAssembled | None = None

        def assembled(done: int, parts: int) -> None:
            nonlocal latest
            latest = PartAssembled(done, parts)
            if is_set(stop) or self._closing.is_set():
                raise _Stopped

        under_way = self._pool.submit(self.sink.finish, assembled)
        for _ in until_done(under_way):
            yield latest or PartAssembled(0, 1)
        with suppress(_Stopped):
            self.finished = under_way.result()
            if latest is not None:
                yield PartAssembled(latest.parts, latest.parts)


class _Stopped(Exception):  # noqa: N818  nothing went wrong
    """Ends the assembling of a file on request."""


def is_set(stop: threading.Event | None) -> bool:
    """Whether a stop was requested."""
    return stop is not None and stop.is_set()


@contextmanager
def one_thread(name: str) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of one thread; at the end what waits is cancelled, what runs is awaited."""
    pool = ThreadPoolExecutor(1, name)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def until_done(future: Future[Any]) -> Iterator[None]:
    """Yield whenever `HEARTBEAT_S` has passed without the result; ends when it is there."""
    while not wait([future], HEARTBEAT_S).done:
        yield
