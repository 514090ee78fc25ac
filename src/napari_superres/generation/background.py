"""Long work in a thread, while whoever waits for it yields heartbeats.

A tile of a large network, a slow disk or a large file take many seconds, and a
stream of events must not fall silent meanwhile: it could be neither shown nor
stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

HEARTBEAT_S = 0.5
"""Longest wait without a sign of life."""


@contextmanager
def one_thread(name: str) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of one thread; at the end what waits is cancelled, what runs is awaited."""
    pool = ThreadPoolExecutor(1, name)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def until_done(future: Future[Any]) -> Iterator[None]:
    """Yield whenever `HEARTBEAT_S` has passed without the result; ends when it is there."""
    while not wait([future], HEARTBEAT_S).done:
        yield
