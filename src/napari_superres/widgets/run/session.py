"""What the docks and steps of one viewer share: a training of each kind, and their threads."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject

from napari_superres.widgets.inputs.inputs import Inputs
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from napari_superres.widgets.layers.notes import unwrapped
from napari_superres.widgets.run.engine import Engine
from napari_superres.widgets.run.fusion import FusionEngine, FusionRun
from napari_superres.widgets.run.generation import Generation
from napari_superres.widgets.run.training import Training


class Session(QObject):
    """The shared state of one viewer's panels; it never touches the viewer.

    Attributes
    ----------
    fusion : the training of a fusion
    generation : of volumes from it
    """

    def __init__(self, engine: FusionEngine | None = None) -> None:
        super().__init__()
        self._runners: list[StreamRunner] = []
        self._trainings: dict[str, Training[Any, Any]] = {}
        self._widgets: WeakSet[Any] = WeakSet()
        engine = engine or FusionEngine()
        self.fusion: Training[Inputs, FusionRun] = self.training(engine)
        self.generation = Generation(self.fusion, engine)

    def training(self, engine: Engine) -> Training[Any, Any]:
        """Return the training of the engine's kind, making it at the first call."""
        if engine.kind not in self._trainings:
            self._trainings[engine.kind] = Training(engine, self)
        return self._trainings[engine.kind]

    def new_runner(self, show_errors: bool = True) -> StreamRunner:
        """Return a runner for a step's own work, stopped with the others."""
        runner = StreamRunner(self)
        if show_errors:
            runner.failed.connect(self._on_failure)
        self._runners.append(runner)
        return runner

    def attach(self, widget: QObject) -> None:
        """Count a widget that uses this session."""
        self._widgets.add(widget)

    def detach(self, widget: QObject) -> None:
        """Forget a closed widget; when it was the last, everything stops and is kept."""
        self._widgets.discard(widget)
        if self._widgets:
            return
        for training in self._trainings.values():
            if training.runner.active and training.run is not None:
                folder = training.run.folder
                show_info(f"The panel was closed: training stops and is kept in {folder}.")
        self.shut_down()

    def shut_down(self) -> None:
        """Ask everything that works to stop; the weights are kept."""
        for runner in self._runners:
            runner.stop()

    def _on_failure(self, error: Exception) -> None:
        show_error(str(error))


_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


def session_of(viewer: Any) -> Session:
    """Return the session of a viewer, making it at the first call."""
    raw = unwrapped(viewer)
    if raw not in _sessions:
        _sessions[raw] = Session()
    return _sessions[raw]
