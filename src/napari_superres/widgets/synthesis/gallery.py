"""Step 4 of synthesis: what is made of the samples that are looked at and picked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.utils.notifications import show_info
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from napari_superres.command_line import as_line
from napari_superres.errors import SettingsError
from napari_superres.events import GenerationFinished
from napari_superres.widgets.images.engine import ImageRun, ImageTraining
from napari_superres.widgets.jobs.job_row import JobRow, guarded
from napari_superres.widgets.layers.notes import HIGH_RES
from napari_superres.widgets.layers.shown import (
    Pixels,
    add_layer,
    image_layer,
    zoom_to,
)
from napari_superres.widgets.parts.layout import MARGIN, Note, fill_column
from napari_superres.widgets.parts.paths import typed_path
from napari_superres.widgets.run.preferences import preferences
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.synthesis.engine import Nearest, SynthesisEngine
from napari_superres.widgets.synthesis.gallery_form import GalleryForm
from napari_superres.widgets.synthesis.picks import (
    Picks,
    bulk,
    heart_text,
    new_noise,
    new_samples,
    new_styles,
    slice_phases,
    way_between,
)


def beside(samples: Pixels, windows: Pixels) -> Pixels:
    """Return each sample with its nearest real window to its right, (K, Y, 2 X)."""
    return np.concatenate([samples, windows], axis=2)


def thresholded(images: Pixels, thresholds: Sequence[float]) -> Pixels:
    """Return phase indices of grey values."""
    from napari_superres.data.grey import classify

    return classify(images, thresholds)


class GalleryStep(Step):
    """Thumbnails, and what can be made of them; one job at a time, in a thread."""

    title = "Gallery"

    def __init__(
        self, napari_viewer: Any, training: ImageTraining, engine: SynthesisEngine
    ) -> None:
        super().__init__(napari_viewer, training.session)
        self.training, self.engine = training, engine
        self.shown: Picks | None = None
        self.samples: Pixels | None = None
        self._filled: Path | None = None
        self._build()
        training.run_changed.connect(self._on_run)
        self.jobs.changed.connect(self._show_buttons)
        self._on_run()

    def _build(self) -> None:
        self.form, self.run_note = GalleryForm(), Note()
        self.jobs = JobRow(
            self.training.work, begins="Loading the network …", cancel_tip="Stop what is under way"
        )
        fill_column(self, self.run_note, self.form, self.jobs, margin=MARGIN).setStretch(1, 1)
        form = self.form
        form.thumbnails.itemSelectionChanged.connect(self._show_picked)
        for button, does in (
            (form.new, self.make_new),
            (form.noise, self.vary_noise),
            (form.style_button, self.vary_style),
            (form.between, self.interpolate),
            (form.nearest, self.find_nearest),
            (form.show_picked, self.add_picked),
            (form.export, self.export),
            (form.slices, self.use_as_slices),
            (form.option, self.copy_option),
            (form.report, self._ask_report),
        ):
            button.clicked.connect(guarded(does))

    def fill(self) -> None:
        """Show the first samples of a run that none were shown of."""
        run = self.training.trained
        if run is not None and self._filled != run.folder:
            guarded(self.make_new)()

    def make_new(self) -> None:
        """Show samples of new styles and new noise."""
        form, run = self.form, self.training.trained_run()
        before = self.shown if self._filled == run.folder else None
        self._show(
            new_samples(before, form.count.value(), form.truncation.value(), form.checkpoint.name)
        )

    def vary_noise(self) -> None:
        """Show new noise of the picked sample's style."""
        self._show(new_noise(*self._picks(), self.form.count.value()))

    def vary_style(self) -> None:
        """Show new styles with the picked sample's noise."""
        self._show(new_styles(*self._picks(), self.form.count.value()))

    def _show(self, picks: Picks) -> None:
        run = self.training.trained_run()

        def made(event: GenerationFinished) -> None:
            assert event.labels is not None
            if self.training.run is None or self.training.run.folder != run.folder:
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
        run: ImageRun,
        *arguments: Any,
    ) -> None:
        """Do a job in the thread; `then` gets its last event if it was not stopped."""
        device = preferences().device
        self.jobs.begin(name, lambda stop: job(run.folder, *arguments, device, stop), then)

    def _picks(self) -> tuple[Picks, list[int]]:
        if self.shown is None:
            raise SettingsError("No samples are shown yet.", action="Press New samples.")
        return self.shown, self.form.thumbnails.picked

    def _picked_or_all(self) -> Picks:
        shown, picked = self._picks()
        return shown.some(picked) if picked else shown

    def _show_picked(self) -> None:
        names = self.shown.names() if self.shown is not None else []
        picked = [names[place] for place in self.form.thumbnails.picked]
        hint = "Click samples to pick them." if names else ""
        self.form.picked.setText(f"Picked: {'; '.join(picked)}" if picked else hint)

    def _on_run(self) -> None:
        run = self.training.run
        trained = self.training.trained
        self.run_note.setText(str(trained.folder) if trained else "No run yet: train, or open one.")
        self.form.classes_row.setVisible(run is None or not run.phases)
        if run is None or run.folder != self._filled:
            self.shown = self.samples = self._filled = None
            self.form.thumbnails.clear()
            self._show_picked()
        self._show_buttons()

    def _show_buttons(self) -> None:
        active, trained = self.jobs.active, self.training.trained is not None
        for button in self.form.made_with_a_run:
            button.setEnabled(trained and not active)
        for button in self.form.made_with_samples:
            button.setEnabled(self.shown is not None and not active)

    def interpolate(self) -> None:
        """Add the images between two picked samples as a stack that napari can play."""
        way = way_between(*self._picks(), self.form.frames.value())
        run = self.training.trained_run()

        def made(event: GenerationFinished) -> None:
            name = f"styles {way.first} to {way.last}"
            self._add(event.labels, run, name)
            self.jobs.status.setText(
                f"Added {way.frames} images as {name}; ▶ below the canvas plays."
            )

        self._work(f"Interpolating {run.folder.name}", self.engine.interpolate, made, run, way)

    def find_nearest(self) -> None:
        """Show the real windows most like the picked samples; all samples if none is picked."""
        picks, run = self._picked_or_all(), self.training.trained_run()

        def found(nearest: Nearest) -> None:
            self._add(beside(nearest.samples, nearest.windows), run, "samples | nearest real")
            self.jobs.status.setText(heart_text(nearest.distances, nearest.unseen))

        self._work(f"Searching {run.folder.name}", self.engine.nearest, found, run, picks)

    def add_picked(self) -> None:
        """Add the picked samples as a layer; all if none is picked."""
        shown, picked = self._picks()
        assert self.samples is not None
        places = picked or list(range(len(shown)))
        name = shown.some(places).names()[0] if len(places) == 1 else f"{len(places)} samples"
        self._add(self.samples[places], self.training.trained_run(), name)

    def export(self) -> None:
        """Write many samples to a TIFF stack, or as PNG files to a folder."""
        run, text = self.training.trained_run(), self.form.path.text().strip()
        if not text:
            raise SettingsError("No file is named.", "A .tif file or a folder is needed.")
        output = typed_path(text)

        def written(_event: GenerationFinished) -> None:
            self.jobs.status.setText(f"Written: {output}")

        self._work("Writing samples", self.engine.sample, written, run, self._bulk(), output)

    def use_as_slices(self) -> None:
        """Add many samples as high-res slices that the fusion's Data step can take."""
        run, picks, classes = self.training.trained_run(), self._bulk(), self.form.classes.value()
        find, limits = self.engine.thresholds, list[float]()
        fusion = self.session.fusion.inputs
        known = fusion.pair.high_res.phases if fusion is not None else ()

        def events(folder: Path, *rest: Any) -> Iterator[Any]:
            if not run.phases:
                limits.extend(find(folder, classes))
            for event in self.engine.sample(folder, picks, None, *rest):
                if limits and isinstance(event, GenerationFinished) and event.labels is not None:
                    yield replace(event, labels=thresholded(event.labels, limits))
                else:
                    yield event

        def made(event: GenerationFinished) -> None:
            assert event.labels is not None
            labels, phases = event.labels, run.phases or slice_phases(classes, known)
            name = f"synthetic slices of {run.folder.name}"
            add_layer(self.viewer, image_layer(labels, phases, run.pixel_size, name, HIGH_RES))
            self.jobs.status.setText(
                f"Added {len(labels)} slices. Tick them beside the high-res slices in the fusion "
                "panel's step 1, Data."
            )

        self._work("Making slices", events, made, run)

    def copy_option(self) -> None:
        """Copy what gives a fusion these slices in a terminal."""
        picks, folder = self._bulk(), str(self.training.trained_run().folder)
        text = as_line(["--augment-with", folder, "--augment-count", str(len(picks))])
        QGuiApplication.clipboard().setText(text)
        asked = (picks.checkpoint, picks.truncation) == ("best", 1)
        more = "" if asked else " It takes the best checkpoint, without truncation."
        show_info(f"Copied: {text}{more}")

    def write_report(self, path: Path) -> None:
        """Write the report of the paper's figure 3."""
        run = self.training.trained_run()

        def written(path: Path) -> None:
            self.jobs.status.setText(f"Written: {path}. Open it in a browser.")

        self._work("Writing a report", self.engine.report, written, run, path)

    def _bulk(self) -> Picks:
        form = self.form
        return bulk(
            form.seed.value(), form.many.value(), form.truncation.value(), form.checkpoint.name
        )

    def _add(self, images: Any, run: ImageRun, name: str) -> None:
        layer = image_layer(images, run.phases, run.pixel_size, name)
        zoom_to(self.viewer, add_layer(self.viewer, layer))

    def _ask_report(self) -> None:
        start = str(Path.home() / "synthesis-report.html")
        path, _ = QFileDialog.getSaveFileName(self, "Write report", start, "HTML (*.html)")
        if path:
            self.write_report(Path(path))
