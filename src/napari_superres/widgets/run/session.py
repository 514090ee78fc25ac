"""What the steps of one viewer share: inputs, the training of a run, and its history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakMethod, WeakSet

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, Signal

from napari_superres.config import Budget, EngineSettings, GenerationSettings, TrainingSettings
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import OutOfMemoryError, SettingsError
from napari_superres.events import (
    CheckpointSaved,
    GenerationEvent,
    GenerationFinished,
    PreviewReady,
    RolledBack,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.widgets.inputs.inputs import Inputs, missing_text
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from napari_superres.widgets.jobs.threads import Latest, Outcome, in_thread
from napari_superres.widgets.jobs.words import advice_text, rolled_back_text, second_run_text
from napari_superres.widgets.layers.notes import unwrapped
from napari_superres.widgets.run.engine import Engine
from napari_superres.widgets.run.history import History, PreviewBook, bands_or_none
from napari_superres.widgets.run.results import Generated, Run, Written


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the generation under way was asked for; `kind` is the ending of its files."""

    run: Run
    settings: GenerationSettings
    count: int
    kind: str


class RunSession(QObject):
    """The run on hand, its generation, and all streams that go on.

    Signals
    -------
    run_changed : look at `run`
    generated : Generated
    written : Written
    """

    run_changed = Signal()
    generated = Signal(object)
    written = Signal(object)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.run: Run | None = None
        self._asked: _Asked | None = None
        self._made = 0
        self._claimed: WeakSet[object] = WeakSet()
        self._runners: list[StreamRunner] = []
        self.generation = self.new_runner()
        self.generation.event.connect(self._on_generation_event)

    def set_run(self, run: Run | None) -> None:
        """Tell of a change of the run to watch, continue and generate from."""
        self.run = run
        self.run_changed.emit()

    def start_generation(
        self, settings: GenerationSettings, count: int = 1, output: Path | None = None
    ) -> None:
        """Generate from the current run.

        Parameters
        ----------
        count : realisations, with seeds one after the other
        output : file to write; several go to the folder of that name without its
            ending. None to keep the volumes in memory

        Raises
        ------
        SettingsError
            The last seed is too large.
        """
        if self.run is None or self.generation.active:
            return
        settings.replace(seed=settings.seed + count - 1)  # refused now, not after hours
        kind = output.suffix.lower() if output is not None else ""
        self._asked, self._made = _Asked(self.run, settings, count, kind), 0
        folder, engine = self.run.folder, self.engine

        def events(stop: threading.Event) -> Iterator[GenerationEvent]:
            if output is not None:
                yield from engine.generate_to_disk(folder, settings, count, output, stop)
                return
            for seed in range(settings.seed, settings.seed + count):
                yield from engine.generate(folder, settings.replace(seed=seed), None, stop)
                if stop.is_set():
                    return

        self.generation.start(f"Generating from {folder}", events)

    def claim(self, result: object) -> bool:
        """Whether a result is for whoever asks: the first, where several docks could show it."""
        fresh = result not in self._claimed
        self._claimed.add(result)
        return fresh

    def shut_down(self) -> None:
        """Ask everything that works to stop; what was learnt is kept."""
        for runner in self._runners:
            runner.stop()

    def new_runner(self, told: bool = True) -> StreamRunner:
        """Return a runner for a step's own work, shut down with the others; `told` shows errors."""
        runner = StreamRunner(self)
        if told:
            runner.failed.connect(self._on_failure)
        self._runners.append(runner)
        return runner

    def _on_generation_event(self, event: GenerationEvent) -> None:
        if not isinstance(event, GenerationFinished) or self._asked is None:
            return
        asked = self._asked  # another run may be shown by now
        if event.labels is not None:
            settings = asked.settings.replace(seed=asked.settings.seed + self._made)
            self._made += 1
            self.generated.emit(Generated(event.labels, settings, asked.run))
        elif event.path is not None:
            written = Written(event.path, asked.settings, asked.run, asked.count, asked.kind)
            self.written.emit(written)

    def _on_failure(self, error: Exception) -> None:
        show_error(str(error))


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
            inputs.pair.high_res.phases,
            inputs.pair.low_res.phases,
            inputs.pair.low_res.shape,
            inputs.placement,
            name=inputs.pair.low_res.name,
        )
        self.offer, self.less, self._tried = {}, {}, settings.engine
        train, pair = self.engine.train, inputs.pair
        self._high_res = pair.high_res

        def events(stop: threading.Event) -> Iterator[TrainingEvent]:
            return train(pair, settings, run_folder, budget, stop)

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


_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


def session_of(viewer: Any) -> Session:
    """Return the session of a viewer, making it at the first call."""
    raw = unwrapped(viewer)
    if raw not in _sessions:
        _sessions[raw] = Session()
    return _sessions[raw]
