"""Short jobs of one kind in a thread, of which only the newest matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_superres.widgets.threads import Outcome, in_thread


class Latest(QObject):
    """One job at a time; of those asked for meanwhile, only the last is done.

    Parameters
    ----------
    eager : whether to tell the outcome of a job after which another was asked for

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
        """Do nothing more of what was asked for; the job under way ends untold."""
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
