"""Step 4: generate volumes from a run and lay them over the low-res layer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QPushButton

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.errors import SettingsError, SuperResError
from napari_superres.events import FinishReason, GenerationFinished
from napari_superres.widgets.generate.form import GenerateForm
from napari_superres.widgets.generate.layers import (
    HiddenPhase,
    lay_over,
    read_written,
    shown_volume,
)
from napari_superres.widgets.generate.plan import plan_text
from napari_superres.widgets.jobs.job_row import JobRow, guarded
from napari_superres.widgets.jobs.threads import Outcome, in_thread
from napari_superres.widgets.layers.box_drawing import drawn_region, start_drawing
from napari_superres.widgets.layers.files import check_not_shown
from napari_superres.widgets.layers.geometry import format_region, parse_region
from napari_superres.widgets.layers.shown import LayerTuple
from napari_superres.widgets.parts.layout import Note, fill_step, heading, new_form
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.generation import Generated, Written
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import OpenRunButton, Step
from napari_superres.words import line_of, sizes

AT_ONCE = 2**26
"""Voxels of a volume that becomes a layer without a thread: some 20 ms."""


class GenerateStep(Step):
    """Which run, which part, which seeds, where to; Generate, progress, Cancel."""

    title = "Generate"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        self._build()
        session = self.session
        session.fusion.run_changed.connect(self.refresh)
        session.fusion.runner.state_changed.connect(self.refresh)
        self.job.changed.connect(self.refresh)
        session.generation.generated.connect(self.add_layer)
        session.generation.written.connect(self.open_written)
        session.fusion.checkpoint_chosen.connect(self.use_checkpoint)
        self.refresh()

    def _build(self) -> None:
        self.run_note = Note()
        tip = "A run folder, to generate from its checkpoints"
        self.open = OpenRunButton(self.session.fusion, tip)
        self.form = GenerateForm()
        self.hidden = HiddenPhase(self.viewer)
        self.estimate = Note()
        self.generate = QPushButton("Generate")
        self.generate.setToolTip("Make what the line above says, from the checkpoint above")
        self.job = JobRow(
            self.session.generation.runner,
            (self.generate,),
            failed="Generation failed.",
            cancel_tip="Stop after this tile; on disk, what is done is kept",
            line=_line,
        )
        hiding = new_form()
        hiding.addRow("Hide a phase", self.hidden)
        fill_step(
            self,
            heading("Run"),
            self.run_note,
            self.open,
            heading("What to generate"),
            self.form,
            self.estimate,
            self.job,
            heading("How to look at it"),
            hiding,
        )
        self.generate.clicked.connect(guarded(self.start))
        self.form.changed.connect(self.refresh)
        self.form.draw_asked.connect(self.start_drawing)

    def settings(self) -> GenerationSettings:
        """Return what the dials hold; SettingsError without a run, or with a wrong value."""
        return self.form.settings(self.session.fusion.trained_run())

    def start(self) -> None:
        """Generate; raises what `settings` does, and where a layer reads from the file."""
        target = self.form.target(self.session.fusion.trained_run())
        check_not_shown(self.viewer.layers, [target.place])
        self.session.generation.start(self.settings(), target.count, target.output)

    def refresh(self, _what: object = None) -> None:
        """Show what can be done now and how much it would be."""
        run = self.session.fusion.run
        trained = self.session.fusion.trained
        self.generate.setEnabled(trained is not None and not self.job.active)
        self.form.draw.setEnabled(run is not None)
        self.form.offer_checkpoints(run)
        self.form.show_default(trained)
        self.run_note.setText(
            f"{trained.folder}" if trained is not None else "None yet: train, or open one."
        )
        try:
            text = plan_text(trained, self.settings(), self.form.target(trained)) if trained else ""
        except SuperResError as error:
            text = str(error)
        self.estimate.setText(text)

    def use_checkpoint(self, name: str) -> None:
        """Generate from this checkpoint from now on."""
        self.refresh()
        self.form.checkpoint.setCurrentText(name)

    def start_drawing(self) -> None:
        """Let the user draw the region on the low-res volume."""
        run = self.session.fusion.run
        if run is not None:
            start_drawing(self.viewer, run.placement, self.take_drawn)

    def take_drawn(self) -> None:
        """Take the last rectangle as the region; the axis across the slice stays as typed."""
        run = self.session.fusion.run
        if run is None:
            return
        whole = Box.whole(run.low_res_shape)
        try:
            typed = parse_region(self.form.region.text(), run.low_res_shape)
        except SettingsError:
            typed = None
        box = drawn_region(self.viewer, Box.of_ranges(typed or whole.ranges()), whole)
        if box is None:
            show_info("Draw a rectangle on the low-res volume.")
        else:
            self.form.region.setText(format_region(box))

    def add_layer(self, generated: Generated) -> None:
        """Lay a generated volume over the low-res layer, in the phases' colours."""
        if self.closed or not self.session.generation.claim(generated):
            return
        if generated.labels.size <= AT_ONCE:
            self._on_shown(Outcome(shown_volume(generated)))
        else:
            in_thread(shown_volume, self._on_shown, generated)

    def _on_shown(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.job.status.setText(
                f"<b>Generated, but not shown.</b> {escape(str(outcome.error))}"
            )
            return
        generated, layer = outcome.value
        run, settings = generated.run, generated.settings
        layer[1]["metadata"] = run.noted(layer[1]["metadata"], settings)
        self._add([layer], run, settings)
        show_info(f"Generated {sizes(layer[0].shape)} voxels.")

    def open_written(self, written: Written) -> None:
        """Open what was written to disk; large volumes stay there."""
        if self.closed or not self.session.generation.claim(written):
            return
        self.job.status.setText(f"Written: {written.path}. Opening it …")
        in_thread(read_written, self._on_read, written)

    def _on_read(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.job.status.setText(f"<b>Written, but not opened.</b> {escape(str(outcome.error))}")
            return
        written, layers = outcome.value
        if isinstance(layers, SuperResError):
            what = escape(f"{written.path}: {layers}")
            self.job.status.setText(f"<b>Written, but not opened.</b> {what}")
            return
        self._add(layers, written.run, written.settings)
        self.job.status.setText(f"Written: {written.path}")

    def _add(
        self, layers: Sequence[LayerTuple], run: FusionRun, settings: GenerationSettings
    ) -> None:
        """Lay results over the low-res layer; of several, the last is shown."""
        self.hidden.offer(run.phases)
        lay_over(self.viewer, layers, run, settings)
        self.hidden.paint()


def _line(event: object) -> str | None:
    """Return the status line for an event of a generation, None to leave it."""
    if isinstance(event, GenerationFinished) and event.path is not None:
        return None  # the path is shown already
    line = line_of(event)
    if isinstance(event, GenerationFinished) and event.reason is FinishReason.STOPPED:
        return f"{line} On disk, Generate with the same dials goes on with it."
    return line
