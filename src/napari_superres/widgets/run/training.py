"""The training of one kind in one viewer: its inputs, run, history, and what comes next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from weakref import WeakMethod

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, Signal

from napari_superres.config import Budget
from napari_superres.data.phases import Phase
from napari_superres.errors import OutOfMemoryError, SettingsError
from napari_superres.events import (
    CheckpointSaved,
    ImagesReady,
    PreviewReady,
    RolledBack,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.widgets.jobs.threads import Latest, Outcome, in_thread
from napari_superres.widgets.jobs.words import (
    NONE,
    Changes,
    advice_text,
    second_run_text,
)
from napari_superres.widgets.run.engine import Engine
from napari_superres.widgets.run.history import History, PreviewBook
from napari_superres.words import line_of

if TYPE_CHECKING:
    from napari_superres.widgets.run.session import Session


class ShownRun(Protocol):
    """A run as the panel shows it; each kind adds what placing its results takes."""

    @property
    def folder(self) -> Path:
        """Where it is kept."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Phases of what it makes; empty for grey values."""

    @property
    def trained(self) -> bool:
        """Whether there is a checkpoint."""


AnyRun = TypeVar("AnyRun", bound=ShownRun)
AnyInputs = TypeVar("AnyInputs")


class Training(QObject, Generic[AnyInputs, AnyRun]):
    """Inputs, run, history and threads of one kind; it never touches the viewer.

    Attributes
    ----------
    session : of the viewer
    runner : of the training
    work : of what is made from the run
    offer, less : settings to continue with, or to start again with, after a lack of memory
    wanted : engine settings of the next training, None while they are not valid

    Signals
    -------
    inputs_changed, run_changed, history_changed, wanted_changed : look at the attribute
    preview_ready : PreviewReady or ImagesReady; all of them are in `previews`
    checkpoint_chosen : by its name, to make results from
    """

    inputs_changed = Signal()
    run_changed = Signal()
    history_changed = Signal()
    wanted_changed = Signal()
    preview_ready = Signal(object)
    checkpoint_chosen = Signal(str)

    def __init__(self, engine: Engine, session: Session) -> None:
        super().__init__(session)
        self.engine, self.session = engine, session
        self.runner, self.work = session.new_runner(show_errors=False), session.new_runner()
        self.inputs: AnyInputs | None = None
        self.run: AnyRun | None = None
        self.history, self.previews = History(), PreviewBook()
        self.offer: Changes = NONE
        self.less: Changes = NONE
        self.wanted: Any = None
        self.reader: WeakMethod[Callable[..., object]] | None = None
        self._problem = ""
        self._folder: Path | None = None  # of the training under way
        self._tried: Any = None
        self._starting: tuple[AnyRun, Any] | None = None  # and what was read for it
        self._begun = False
        self._opening = Latest(self)
        self._opening.done.connect(self._on_opened)
        self.runner.event.connect(self.take_event)
        self.runner.failed.connect(self._on_failed)

    @property
    def ready(self) -> bool:
        """Whether a training could start."""
        return not self.missing

    @property
    def missing(self) -> str:
        """What keeps a training from starting, as a sentence; empty for nothing."""
        return self.engine.missing(self.inputs, self._problem)

    @property
    def can_continue(self) -> bool:
        """Whether there are weights that could be trained further."""
        return self.trained is not None and not self.runner.active

    @property
    def trained(self) -> AnyRun | None:
        """The run, once it has a checkpoint."""
        return self.run if self.run is not None and self.run.trained else None

    def trained_run(self) -> AnyRun:
        """Return the run, to make results from.

        Raises
        ------
        SettingsError
            There is none, or it has no checkpoint yet.
        """
        if self.trained is None:
            raise SettingsError("There is no trained run yet.", action="Train, or open one.")
        return self.trained

    def set_inputs(self, inputs: AnyInputs | None, problem: str = "") -> None:
        """Take other inputs, or why there are none; a running training keeps its own."""
        self.inputs, self._problem = inputs, problem
        self.inputs_changed.emit()

    def read_again(self, then: Callable[[], None]) -> None:
        """Call `then` once the first step has read its layers as they are now.

        They may have been painted since; `reader` is set by the step that shares its inputs.
        """
        read = self.reader() if self.reader is not None else None
        if read is None:
            then()
        else:
            read(then=then)

    def set_wanted(self, wanted: Any) -> None:
        """Take the engine settings of the next training; smaller ones are offered no more."""
        self.wanted = wanted
        self.wanted_changed.emit()
        if self.less:
            self.less = NONE
            self.run_changed.emit()

    def set_run(self, run: AnyRun | None) -> None:
        """Make another run the one to watch, continue and make results from."""
        self.run = run
        self.run_changed.emit()

    def show_run(
        self,
        run: AnyRun | None,
        history: History | None = None,
        previews: PreviewBook | None = None,
    ) -> None:
        """Show another run with what is known of it, or none."""
        self.history, self.previews = history or History(), previews or PreviewBook()
        self.offer = NONE
        self.set_run(run)
        self.history_changed.emit()

    def open(self, folder: str | Path) -> None:
        """Show an earlier run; what is wrong is shown as a notification.

        It is read in a thread; of several asked for meanwhile, the last is shown. While a
        training goes on it is refused.
        """
        if self.runner.active:
            show_error(second_run_text(self._folder))
            return
        self._opening.ask(self.engine.open, Path(folder))

    def start(self, settings: Any, run_folder: Path, budget: Budget) -> None:
        """Train a new run on the chosen inputs; refused while another one trains."""
        inputs, engine = self.inputs, self.engine
        if inputs is None or self._refused():
            return
        self.offer, self.less, self._tried, self._folder = NONE, NONE, settings, run_folder
        self._starting, self._begun = None, False

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            data = engine.read(inputs)
            self._starting = engine.shown(run_folder, inputs, data, settings), data
            yield from engine.train(data, settings, run_folder, budget, stop)

        self.runner.start(f"Training in {run_folder}", events)

    def resume(self, budget: Budget) -> None:
        """Train the current run further; after a lack of memory, with what was offered."""
        if self.run is None or self._refused():
            return
        folder, resume, changes = self.run.folder, self.engine.resume, self.offer
        self.offer, self._tried, self._folder = NONE, None, folder
        self._starting, self._begun = None, True

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            return resume(folder, budget, stop, changes)

        self.runner.start(f"Training in {folder}", events)

    def take_event(self, event: TrainingEvent) -> None:
        """Keep what an event of the training reports."""
        if isinstance(event, TrainingStarted):
            self._on_started(event)
        self.history.add(event)
        if isinstance(event, PreviewReady | ImagesReady):
            self.previews.add(event)
            self.preview_ready.emit(event)
            return
        if isinstance(event, RolledBack):
            self.previews.drop_after(event.to_step)
            show_warning(str(line_of(event)))
        if isinstance(event, CheckpointSaved | TrainingFinished):
            self._mark_trained()
        self.history_changed.emit()

    def _on_started(self, event: TrainingStarted) -> None:
        if self._starting is not None:
            # only now: inputs that are refused must not cost the run before
            (run, data), self._starting = self._starting, None
            self.show_run(run)
            if self.engine.bands is not None:
                in_thread(_with_history, self._on_bands, self.history, self.engine.bands, data)
        self._begun = True
        self.previews.drop_after(event.step)  # a killed run goes on from its last checkpoint
        for warning in event.warnings:
            show_info(warning)

    def _on_bands(self, outcome: Outcome) -> None:
        if outcome.error is None and outcome.value[0] is self.history:
            self.history.bands = outcome.value[1]
            self.history_changed.emit()

    def _on_opened(self, outcome: Outcome) -> None:
        if outcome.error is not None or self.runner.active:
            show_error(str(outcome.error or second_run_text(self._folder)))
            return
        self.show_run(outcome.value.run, outcome.value.history, outcome.value.previews)

    def _mark_trained(self) -> None:
        if self.run is not None and not self.run.trained:
            self.set_run(replace(self.run, trained=True))  # type: ignore[type-var]

    def _refused(self) -> bool:
        """Whether a training goes on already, which is shown."""
        if self.runner.active:
            show_warning(second_run_text(self._folder))
        return self.runner.active

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, OutOfMemoryError):
            self._offer_smaller(error)
        show_error(advice_text(error, self.offer, self.less))

    def _offer_smaller(self, error: OutOfMemoryError) -> None:
        """Offer settings that need less memory: to continue with, else to start again with."""
        if error.changes and self._begun and self.run is not None:
            self.offer = error.changes  # the error comes with the weights saved
            self._mark_trained()
        elif self._tried is not None:
            changes = self._tried.less_memory()
            if self._begun and self.trained is not None:
                self.offer = changes  # an earlier checkpoint of this run is whole
            else:
                self.less = changes


def _with_history(history: History, bands: Callable[[Any], Any], data: Any) -> tuple[History, Any]:
    return history, bands(data)
