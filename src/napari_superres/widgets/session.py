"""What the steps of one viewer share: inputs, the training of a run, and its history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakMethod, WeakSet

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, Signal

from napari_superres.config import Budget, EngineSettings, TrainingSettings
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import OutOfMemoryError
from napari_superres.events import (
    CheckpointSaved,
    PreviewReady,
    RolledBack,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.widgets.engine import Engine
from napari_superres.widgets.history import History
from napari_superres.widgets.input_reader import Inputs, missing_text
from napari_superres.widgets.latest import Latest
from napari_superres.widgets.preview_book import PreviewBook
from napari_superres.widgets.results import Run
from napari_superres.widgets.run_session import RunSession
from napari_superres.widgets.target_bands import bands_or_none
from napari_superres.widgets.texts import advice_text, rolled_back_text, second_run_text
from napari_superres.widgets.threads import Outcome, in_thread


class Session(RunSession):
    """The shared state of one viewer's panel; it never touches the viewer.

    Signals
    -------
    inputs_changed : look at `inputs`
    wanted_changed : look at `wanted`, the engine settings of the next training
    preview_ready : PreviewReady; all of them are in `previews`
    history_changed : look at `history`
    checkpoint_chosen : how the Generate step calls it
    """

    inputs_changed = Signal()
    wanted_changed = Signal()
    preview_ready = Signal(object)
    history_changed = Signal()
    checkpoint_chosen = Signal(str)

    def __init__(self, engine: Engine | None = None) -> None:
        super().__init__(engine or Engine())
        self.inputs: Inputs | None = None
        self.history = History()
        self.previews = PreviewBook()
        self.training = self.new_runner(told=False)
        self.offer: Mapping[str, int | str] = {}
        self.less: Mapping[str, int | str] = {}
        self.wanted: EngineSettings | None = None
        self.reader: WeakMethod[Callable[..., object]] | None = None
        self._problem = ""
        self._tried: EngineSettings | None = None
        self._high_res: SegmentedSlices | None = None
        self._starting: Run | None = None
        self._bands_of: History | None = None
        self._widgets: WeakSet[Any] = WeakSet()
        self.opening = Latest(self)  # reads earlier runs
        self.opening.done.connect(self.take_earlier)
        self.training.event.connect(self._on_training_event)
        self.training.failed.connect(self._on_training_failure)

    @property
    def preview(self) -> PreviewReady | None:
        """The latest preview."""
        return self.previews.last

    @property
    def ready(self) -> bool:
        """Whether a training could start."""
        return not self.missing

    @property
    def missing(self) -> str:
        """What keeps a training from starting, as a sentence; empty for nothing."""
        return missing_text(self.inputs, self._problem)

    @property
    def can_continue(self) -> bool:
        """Whether there is something learnt that could be trained further."""
        return self.run is not None and self.run.learnt and not self.training.active

    def set_inputs(self, inputs: Inputs | None, problem: str = "") -> None:
        """Take the Data step's choice, or why there is none; a running training keeps its own."""
        self.inputs, self._problem = inputs, problem
        self.inputs_changed.emit()

    def read_again(self, then: Callable[[], None]) -> None:
        """Call `then` once the Data step has read its layers as they are now, if there is one.

        They may have been painted since; `reader` is set by the step that shares its inputs.
        """
        read = self.reader() if self.reader is not None else None
        if read is None:
            then()
        else:
            read(then=then)

    def set_wanted(self, wanted: EngineSettings | None) -> None:
        """Take the settings of the next training; smaller ones are offered no more."""
        self.wanted = wanted
        self.wanted_changed.emit()
        if self.less:
            self.less = {}
            self.run_changed.emit()

    def show_run(self, run: Run | None, history: History, previews: PreviewBook) -> None:
        """Make another run, with what it has told so far, the one to watch; None for none."""
        self.history, self.previews, self.offer = history, previews, {}
        self.set_run(run)
        self.history_changed.emit()

    def take_earlier(self, outcome: Outcome) -> None:
        """Show an earlier run that was read in a thread, or what is wrong with it."""
        if outcome.error is not None or self.training.active:
            show_error(str(outcome.error or self._refusal()))
            return
        self.show_run(outcome.value.run, outcome.value.history, outcome.value.previews)

    def start_training(self, settings: TrainingSettings, run_folder: Path, budget: Budget) -> None:
        """Start a new run with the chosen inputs; refused while another one trains."""
        inputs = self.inputs
        if inputs is None or self._refused():
            return
        self._starting = Run(
            run_folder,
            settings.scale_factor,
            inputs.high_res.phases,
            inputs.low_res.phases,
            inputs.low_res.shape,
            inputs.placement,
            name=inputs.low_res.name,
        )
        self.offer, self.less, self._tried = {}, {}, settings.engine
        train, low_res, high_res = self.engine.train, inputs.low_res, inputs.high_res
        self._high_res = high_res

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            return train(low_res, high_res, settings, run_folder, budget, stop)

        self.training.start(f"Training in {run_folder}", events)

    def continue_training(self, budget: Budget) -> None:
        """Train the current run further; after a lack of memory, with what was offered."""
        if self.run is None or self._refused():
            return
        self._starting = self._tried = None
        folder, resume, changes = self.run.folder, self.engine.resume, self.offer
        self.offer = {}

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            return resume(folder, budget, stop, changes)

        self.training.start(f"Training in {folder}", events)

    def attach(self, widget: QObject) -> None:
        """Count a widget that uses this session."""
        self._widgets.add(widget)

    def detach(self, widget: QObject) -> None:
        """Forget a closed widget; when it was the last, everything stops and is kept."""
        self._widgets.discard(widget)
        if not self._widgets:
            if self.training.active and self.run is not None:
                show_info(f"The panel was closed: training stops and is kept in {self.run.folder}.")
            self.shut_down()

    def _on_training_event(self, event: TrainingEvent) -> None:
        if isinstance(event, TrainingStarted) and self._starting is not None:
            # only now: inputs that are refused must not cost the run before
            started, self._starting = self._starting, None
            self.show_run(started, History(), PreviewBook())
            self._bands_of = self.history
            in_thread(bands_or_none, self._take_bands, self._high_res)
        self.history.add(event)
        if isinstance(event, PreviewReady):
            self.previews.add(event)
            self.preview_ready.emit(event)
            return
        if isinstance(event, TrainingStarted):
            self.previews.drop_after(event.step)  # a killed run goes on from its last checkpoint
            for warning in event.warnings:
                show_info(warning)
        if isinstance(event, RolledBack):
            self.previews.drop_after(event.to_step)
            show_warning(rolled_back_text(event))
        learnt = isinstance(event, CheckpointSaved | TrainingFinished)
        if learnt and self.run is not None and not self.run.learnt:
            self.set_run(replace(self.run, learnt=True))
        self.history_changed.emit()

    def _take_bands(self, outcome: Outcome) -> None:
        if self._bands_of is self.history and outcome.error is None:
            self.history.bands = outcome.value
            self.history_changed.emit()

    def _refusal(self) -> str:
        run = self._starting or self.run
        return second_run_text(run.folder if run is not None else None)

    def _refused(self) -> bool:
        """Whether a training goes on already, which is told."""
        if self.training.active:
            show_warning(self._refusal())
        return self.training.active

    def _on_training_failure(self, error: Exception) -> None:
        if isinstance(error, OutOfMemoryError):
            self._ease(error)
        show_error(advice_text(error, self.offer, self.less))

    def _ease(self, error: OutOfMemoryError) -> None:
        """Offer settings that need less memory: to go on with, else to start anew with."""
        run, changes = self.run, error.changes
        if changes and run is not None:
            self.offer = changes  # it comes with what was learnt saved
            self.set_run(replace(run, learnt=True))
        elif self._tried is not None:
            changes = self.engine.smaller(self._tried)
            if self._starting is None and run is not None and run.learnt:
                self.offer = changes  # an earlier checkpoint of this run is whole
            else:
                self.less = changes
