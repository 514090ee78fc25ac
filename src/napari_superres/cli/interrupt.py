"""Ctrl-C and SIGTERM: the first asks the engine to stop and save, the second kills."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

INTERRUPTED = 130
"""Exit status."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""SIGTERM is what batch systems send some seconds before they kill a job."""


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C or SIGTERM sets.

    Outside the main thread, where signals cannot be caught, the event is never set.

    Yields
    ------
    threading.Event
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        # the terminal may be gone, or be written to just now: saving matters more
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            print(
                "\nStopping after this step, then saving (Ctrl-C again to kill).",
                file=sys.stderr,
                flush=True,
            )

    before = {one: signal.signal(one, ask_to_stop) for one in SIGNALS}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
