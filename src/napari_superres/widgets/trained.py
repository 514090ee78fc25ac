"""What buttons ask of a session, and of its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from napari_superres.errors import SettingsError
from napari_superres.widgets.history import History
from napari_superres.widgets.preview_book import PreviewBook
from napari_superres.widgets.stream_runner import StreamRunner


class Trained(Protocol):
    """What the row drives: the session of a fusion, or one that learns from images.

    Attributes
    ----------
    training, generation : streams that work on the run
    run : the run on hand, with its `folder`; None for none
    offer, less : settings to go on with, or to start anew with, after a lack of memory
    inputs_changed, run_changed : signals
    """

    training: StreamRunner
    run: Any
    offer: Mapping[str, int | str]
    less: Mapping[str, int | str]
    inputs_changed: Any
    run_changed: Any

    @property
    def ready(self) -> bool:
        """Whether a training could start."""

    @property
    def missing(self) -> str:
        """What keeps a training from starting, as a sentence; empty for nothing."""

    @property
    def can_continue(self) -> bool:
        """Whether there is something learnt that could be trained further."""

    @property
    def generation(self) -> StreamRunner:
        """What makes volumes or images of the run."""

    def show_run(self, run: None, history: History, previews: PreviewBook, /) -> None:
        """Show no run any more."""


class Learning(Protocol):
    """A run, of which something may be learnt already."""

    @property
    def learnt(self) -> bool:
        """Whether there is a checkpoint."""


_Run = TypeVar("_Run", bound=Learning)


def learnt_run(run: _Run | None) -> _Run:
    """Return a run that results can be made with.

    Raises
    ------
    SettingsError
        There is none, or nothing is learnt yet.
    """
    if run is None or not run.learnt:
        raise SettingsError("There is no trained run yet.", action="Train, or open one.")
    return run
