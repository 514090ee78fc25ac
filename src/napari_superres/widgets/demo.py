"""The demo in napari: every stage by itself, while the user watches."""

from __future__ import annotations

import time

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, QTimer, Signal

from napari_superres.data.examples.pair import Example
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import values_of
from napari_superres.data.volumes import Labels
from napari_superres.demo import GENERATION, DemoPlan, judge, prepare, verdict
from napari_superres.errors import SuperResError
from napari_superres.widgets.data.examples import example_layers
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.layers.notes import TRUTH
from napari_superres.widgets.layers.shown import add_layer, phase_layer
from napari_superres.widgets.run.generation import Generated


class DemoDriver(QObject):
    """Drives the panel through a `DemoPlan` as a person would.

    Signals
    -------
    finished : the verdict's text, or the SuperResError that ended the demo
    """

    finished = Signal(object)

    def __init__(self, dock: SuperResDock, plan: DemoPlan) -> None:
        super().__init__(dock)
        self.dock, self.plan = dock, plan
        self.example: Example | None = None
        self.seconds: dict[str, float] = {}
        self._since = 0.0
        self._over = False  # from then on the panel is the user's
        session = dock.session
        session.fusion.runner.state_changed.connect(self._on_training)
        session.generation.runner.failed.connect(self._on_failed)
        session.fusion.runner.failed.connect(self._on_failed)
        session.generation.generated.connect(self._on_generated)

    def start(self) -> None:
        """Make the example in a thread, then go on by itself."""
        self._since = time.monotonic()
        self._say("Making the example: a battery cathode …")
        in_thread(prepare, self._on_example, self.plan)

    def _on_example(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._end(outcome.error)
            return
        self._took("example")
        self.example = example = outcome.value
        self.dock.data.add_layers(example_layers(example))
        self.dock.train.take(example.settings, self.plan.run_folder, self.plan.minutes)
        # a moment to see the inputs
        QTimer.singleShot(1500, self._start_training)

    def _start_training(self) -> None:
        if not self.dock.closed:
            self._since = time.monotonic()
            self.dock.run_bar.start_asked.emit()

    def _on_training(self, state: RunState) -> None:
        ended = state in (RunState.COMPLETED, RunState.STOPPED)
        if self.example is None or not ended or self._over or self.dock.closed:
            return
        try:
            self.dock.session.fusion.trained_run()
        except SuperResError as error:  # stopped at once
            self._end(error)
            return
        self._took("training")
        self.dock.show_step(self.dock.generate)
        self.dock.session.generation.start(GENERATION)

    def _on_failed(self, error: SuperResError) -> None:
        if not self._over:
            self._over = True  # the steps have shown it
            self.finished.emit(error)

    def _on_generated(self, generated: Generated) -> None:
        if self.example is None or self._over or self.dock.closed:
            return
        self._took("generation")
        self._say("Measuring the volume against its truth …")
        labels, seconds = generated.labels, dict(self.seconds)
        in_thread(_finish, self._on_finished, self.plan, self.example, labels, seconds)

    def _on_finished(self, outcome: Outcome) -> None:
        if self._over or self.dock.closed:
            return
        if outcome.error is not None:
            self._end(outcome.error)
            return
        result = str(outcome.value)
        self._add_truth()
        self.dock.show_step(self.dock.export)
        lines = result.replace("\n", "<br>")
        self.dock.run_bar.status.setText(f"{lines}<br>All of it is in {self.plan.output}")
        self._end(result)

    def _add_truth(self) -> None:
        truth = self.example.truth if self.example is not None else None
        run = self.dock.session.fusion.run
        if truth is None or run is None:
            return
        placed = run.placement.super_res(run.scale_factor)
        layer = phase_layer(truth.labels, truth.phases, "truth", TRUTH, visible=False, **placed)
        add_layer(self.dock.viewer, layer)

    def _end(self, result: str | SuperResError) -> None:
        self._over = True
        if isinstance(result, SuperResError):
            self._say(f"<b>The demo ended.</b> {result}")
        else:
            show_info(f"The demo is done. Results: {self.plan.output}")
        self.finished.emit(result)

    def _say(self, text: str) -> None:
        self.dock.run_bar.status.setText(text)

    def _took(self, stage: str) -> None:
        self.seconds[stage] = time.monotonic() - self._since
        self._since = time.monotonic()


def _finish(plan: DemoPlan, example: Example, labels: Labels, seconds: dict[str, float]) -> str:
    """Write the volume, figure and numbers; returns the verdict."""
    phases = example.pair.high_res.phases
    write_labels_tiff(
        plan.super_res,
        values_of(labels, phases),
        voxel_size=example.pair.high_res.voxel_size,
        phases=phases,
        provenance={"run": str(plan.run_folder), "seed": str(GENERATION.seed)},
    )
    return verdict(judge(plan, example, labels, seconds))
