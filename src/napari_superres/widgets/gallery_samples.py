"""Samples of a synthesis to look at and to pick from: new ones, new noise, new styles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QVBoxLayout

from napari_superres.errors import SettingsError
from napari_superres.events import GenerationFinished
from napari_superres.widgets.gallery_form import GalleryForm
from napari_superres.widgets.gallery_plan import Picks, new_noise, new_samples, new_styles
from napari_superres.widgets.gallery_results import Pixels
from napari_superres.widgets.image_engine import OpenedRun
from napari_superres.widgets.image_jobs import JobRow, guarded
from napari_superres.widgets.image_session import ImageSession
from napari_superres.widgets.preferences import preferences
from napari_superres.widgets.step import Note, Step
from napari_superres.widgets.synthesis_engine import SynthesisEngine
from napari_superres.widgets.trained import learnt_run


class GallerySamples(Step):
    """Thumbnails, and the one job at a time that works in a thread."""

    def __init__(self, napari_viewer: Any, images: ImageSession) -> None:
        super().__init__(napari_viewer, images.owner)
        assert isinstance(images.engine, SynthesisEngine)
        self.images, self.engine = images, images.engine
        self.shown: Picks | None = None
        self.samples: Pixels | None = None
        self._filled: Path | None = None
        self._build()
        images.run_changed.connect(self._on_run)
        self.jobs.changed.connect(self._show_buttons)
        self._on_run()

    def _build(self) -> None:
        self.form, self.run_note = GalleryForm(), Note()
        self.jobs = JobRow(self.images.work)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.run_note)
        layout.addWidget(self.form, 1)
        layout.addWidget(self.jobs)
        form = self.form
        form.thumbnails.itemSelectionChanged.connect(self._show_picked)
        for button, does in (
            (form.new, self.make_new),
            (form.noise, self.vary_noise),
            (form.style_button, self.vary_style),
        ):
            button.clicked.connect(guarded(does))

    def fill(self) -> None:
        """Show the first samples of a run that none were shown of."""
        run = self.images.run
        if run is not None and run.learnt and self._filled != run.folder:
            guarded(self.make_new)()

    def make_new(self) -> None:
        """Show samples of new styles and new noise."""
        form, run = self.form, self._run()
        before = self.shown if self._filled == run.folder else None
        self._show(
            new_samples(before, form.count.value(), form.truncation.value(), self._checkpoint())
        )

    def vary_noise(self) -> None:
        """Show new noise of the picked sample's style."""
        self._show(new_noise(*self._picks(), self.form.count.value()))

    def vary_style(self) -> None:
        """Show new styles with the picked sample's noise."""
        self._show(new_styles(*self._picks(), self.form.count.value()))

    def _show(self, picks: Picks) -> None:
        run = self._run()

        def made(event: GenerationFinished) -> None:
            assert event.labels is not None
            if self.images.run is None or self.images.run.folder != run.folder:
                self.jobs.status.setText("")
                return  # another run was opened meanwhile
            self.shown, self.samples, self._filled = picks, event.labels, run.folder
            self.form.thumbnails.show_images(event.labels, picks.names(), run.phases)
            self._show_picked()
            self.jobs.status.setText("")

        self._work("Making samples", self.engine.sample, made, run, picks, None)

    def _work(
        self,
        name: str,
        job: Callable[..., Iterator[Any]],
        then: Callable[[Any], None],
        run: OpenedRun,
        *arguments: Any,
    ) -> None:
        """Do a job in the thread; `then` gets its last event if it was not stopped."""
        device = preferences().device
        self.jobs.start(name, lambda stop: job(run.folder, *arguments, device, stop), then)

    def _run(self) -> OpenedRun:
        return learnt_run(self.images.run)

    def _picks(self) -> tuple[Picks, list[int]]:
        if self.shown is None:
            raise SettingsError("No samples are shown yet.", action="Press New samples.")
        return self.shown, self.form.thumbnails.picked

    def _picked_or_all(self) -> Picks:
        shown, picked = self._picks()
        return shown.some(picked) if picked else shown

    def _checkpoint(self) -> str:
        return self.form.checkpoint.currentText().strip() or "best"

    def _show_picked(self) -> None:
        names = self.shown.names() if self.shown is not None else []
        picked = [names[place] for place in self.form.thumbnails.picked]
        told = "Click samples to pick them." if names else ""
        self.form.picked.setText(f"Picked: {'; '.join(picked)}" if picked else told)

    def _on_run(self) -> None:
        run = self.images.run
        learnt = run is not None and run.learnt
        self.run_note.setText(
            f"{run.folder}" if run and learnt else "No run yet: train, or open one."
        )
        self.form.classes_row.setVisible(run is None or not run.phases)
        if run is None or run.folder != self._filled:
            self.shown = self.samples = self._filled = None
            self.form.thumbnails.clear()
            self._show_picked()
        self._show_buttons()

    def _show_buttons(self) -> None:
        active, run = self.jobs.active, self.images.run
        learnt = run is not None and run.learnt
        for button in self.form.made_with_a_run:
            button.setEnabled(learnt and not active)
        for button in self.form.made_with_samples:
            button.setEnabled(self.shown is not None and not active)
