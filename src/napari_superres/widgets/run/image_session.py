"""What the steps of a panel that learns from images share: the run, its history, its streams.

Synthesis and translation have one each in a viewer. They belong to the viewer's
session, which stops them when its last widget is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal

from napari_superres.config import Budget, validated
from napari_superres.errors import OutOfMemoryError, SettingsError
from napari_superres.events import (
    CheckpointSaved,
    ImagesReady,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.jobs.words import NONE, Changes, advice_text
from napari_superres.widgets.run.image_engine import ImageEngine, ImageInputs, OpenedRun
from napari_superres.widgets.run.image_history import ImageHistory
from napari_superres.widgets.run.session import Session


class ImageSession(QObject):
    """Inputs, run, history and streams of one panel; it never touches the viewer.

    Signals
    -------
    inputs_changed, run_changed, history_changed : look at `inputs`, `run`, `history`
    images_ready : ImagesReady
    """

    inputs_changed = Signal()
    run_changed = Signal()
    history_changed = Signal()
    images_ready = Signal(object)

    def __init__(self, session: Session, engine: ImageEngine) -> None:
        super().__init__(session)
        self.setObjectName(engine.kind)
        self.owner, self.engine = session, engine
        self.inputs: ImageInputs | None = None
        self.run: OpenedRun | None = None
        self.history = ImageHistory()
        self.shown: ImagesReady | None = None
        self.offer: Changes = NONE
        self.less: Changes = NONE
        self._tried: Any = None
        self.training = session.new_runner(told=False)
        self.work = session.new_runner()
        self._starting: OpenedRun | None = None
        self.training.event.connect(self._on_event)
        self.training.failed.connect(self._on_failure)

    @property
    def ready(self) -> bool:
        """Whether a training could start."""
        return self.inputs is not None

    @property
    def missing(self) -> str:
        """What keeps a training from starting, as a sentence; empty for nothing."""
        return "" if self.ready else "Choose images in step 1."

    @property
    def can_continue(self) -> bool:
        """Whether there is something learnt that could be trained further."""
        return self.run is not None and self.run.learnt and not self.training.active

    def set_inputs(self, inputs: ImageInputs | None) -> None:
        """Take another choice; a running training keeps its own."""
        self.inputs = inputs
        self.inputs_changed.emit()

    def forget_less(self) -> None:
        """Offer no smaller settings any more: others were chosen by hand."""
        if self.less:
            self.less = NONE
            self.run_changed.emit()

    @property
    def generation(self) -> StreamRunner:
        """What works on the run besides its training."""
        return self.work

    def show_run(self, run: OpenedRun | None, *_shown_before: object) -> None:
        """Show another run, or none, from its beginning."""
        self.history, self.shown, self.offer = ImageHistory(), None, NONE
        self.set_run(run)
        self.history_changed.emit()

    def set_run(self, run: OpenedRun | None) -> None:
        """Make another run the one to watch, continue and make images with."""
        self.run = run
        self.run_changed.emit()

    def start(self, settings: Any, run_folder: Path, budget: Budget) -> None:
        """Train a new run; pixels are read in its thread."""
        inputs = self.inputs
        if inputs is None or self.training.active:
            return
        self.offer, self.less, self._tried = NONE, NONE, settings
        train = self.engine.train

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            sets = tuple(chosen.read() for chosen in inputs.chosen)
            if inputs.prepare is not None:
                sets = inputs.prepare(sets)
            self._starting = OpenedRun(
                run_folder,
                sets[-1].phases,
                sets[-1].pixel_size,
                getattr(settings, "scale_factor", 1),
            )
            yield from train(sets, settings, run_folder, budget, stop)

        self.training.start(f"Training in {run_folder}", events)

    def resume(self, budget: Budget) -> None:
        """Train the current run further; after a lack of memory, with what was offered."""
        if self.run is None or self.training.active:
            return
        self._starting = self._tried = None
        folder, engine, batch = self.run.folder, self.engine, self.offer.get("batch")
        self.offer = NONE

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            self._tried = engine.adapt(folder, None if batch is None else int(batch))
            yield from engine.resume(folder, budget, stop)

        self.training.start(f"Training in {folder}", events)

    def open_run(self, folder: Path) -> None:
        """Make an earlier run the current one; reading happens in a thread."""
        in_thread(self.engine.open, self._on_opened, folder)

    def _on_opened(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            show_error(str(outcome.error))
            return
        if self.training.active:
            show_error("A training is running. Stop it before another run is opened.")
            return
        run: OpenedRun = outcome.value
        self.show_run(run)
        self.history.add_lines(run.lines)
        self.history_changed.emit()

    def _on_event(self, event: TrainingEvent) -> None:
        if isinstance(event, TrainingStarted):
            if self._starting is not None:
                # only now: inputs that are refused must not cost the run before
                self.history, self.shown, self.offer = ImageHistory(), None, NONE
                self.set_run(self._starting)
                self._starting = None
            for warning in event.warnings:
                show_info(warning)
        self.history.add(event)
        if isinstance(event, ImagesReady):
            self.shown = event
            self.images_ready.emit(event)
            return
        learnt = isinstance(event, CheckpointSaved | TrainingFinished)
        if learnt and self.run is not None and not self.run.learnt:
            self.set_run(replace(self.run, learnt=True))
        self.history_changed.emit()

    def _on_failure(self, error: Exception) -> None:
        if isinstance(error, OutOfMemoryError) and self._tried is not None:
            changes = smaller_batch(self._tried)
            if self._starting is None and self.run is not None and self.run.learnt:
                self.offer = changes
            else:
                self.less = changes
        show_error(advice_text(error, self.offer, self.less))


def smaller_batch(settings: Any) -> Changes:
    """Return the largest batch allowed of at most half the size; empty where there is none."""
    values = settings.model_dump()
    for batch in range(settings.engine.batch // 2, 0, -1):
        with suppress(SettingsError):
            validated(type(settings), values | {"engine": values["engine"] | {"batch": batch}})
            return {"batch": batch}
    return NONE


def image_session(session: Session, engine: ImageEngine) -> ImageSession:
    """Return the session's panel state of this kind, making it at the first call."""
    for child in session.children():
        if isinstance(child, ImageSession) and child.objectName() == engine.kind:
            return child
    return ImageSession(session, engine)
