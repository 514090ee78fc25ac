"""What the row of buttons asks of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

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
