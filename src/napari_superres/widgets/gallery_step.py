"""Step 4 of synthesis: what is made of the samples that are looked at and picked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_info
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog

from napari_superres.command_line import as_line
from napari_superres.errors import SettingsError
from napari_superres.events import GenerationFinished
from napari_superres.widgets.gallery_plan import (
    Picks,
    bulk,
    heart_text,
    slice_phases,
    way_between,
)
from napari_superres.widgets.gallery_results import (
    add_layer,
    beside,
    image_layer,
    look_at,
    thresholded,
)
from napari_superres.widgets.gallery_samples import GallerySamples
from napari_superres.widgets.image_engine import OpenedRun
from napari_superres.widgets.image_jobs import guarded
from napari_superres.widgets.image_session import ImageSession
from napari_superres.widgets.input_roles import HIGH_RES
from napari_superres.widgets.paths import typed_path
from napari_superres.widgets.synthesis_engine import NearestFound, ReportDone


class GalleryStep(GallerySamples):
    """Thumbnails, and what can be made of them; one job at a time, in a thread."""

    title = "Gallery"

    def __init__(self, napari_viewer: Any, images: ImageSession) -> None:
        super().__init__(napari_viewer, images)
        form = self.form
        for button, does in (
            (form.between, self.interpolate),
            (form.nearest, self.find_nearest),
            (form.show_picked, self.add_picked),
            (form.export, self.export),
            (form.browse, self._ask_path),
            (form.slices, self.use_as_slices),
            (form.option, self.copy_option),
            (form.report, self._ask_report),
        ):
            button.clicked.connect(guarded(does))

    def interpolate(self) -> None:
        """Add the images between two picked samples as a stack that napari can play."""
        way, run = way_between(*self._picks(), self.form.frames.value()), self._run()

        def made(event: GenerationFinished) -> None:
            name = f"styles {way.first} to {way.last}"
            self._add(event.labels, run, name)
            self.jobs.status.setText(
                f"Added {way.frames} images as {name}; ▶ below the canvas plays."
            )

        self._work(f"Interpolating {run.folder.name}", self.engine.interpolate, made, run, way)

    def find_nearest(self) -> None:
        """Show the real windows most like the picked samples; all samples if none is picked."""
        picks, run = self._picked_or_all(), self._run()

        def found(event: NearestFound) -> None:
            assert event.samples is not None
            assert event.windows is not None
            self._add(beside(event.samples, event.windows), run, "samples | nearest real")
            self.jobs.status.setText(heart_text(event.distances, event.unseen))

        self._work(f"Searching {run.folder.name}", self.engine.nearest, found, run, picks)

    def add_picked(self) -> None:
        """Add the picked samples as a layer; all if none is picked."""
        shown, picked = self._picks()
        assert self.samples is not None
        places = picked or list(range(len(shown)))
        name = shown.some(places).names()[0] if len(places) == 1 else f"{len(places)} samples"
        self._add(self.samples[places], self._run(), name)

    def export(self) -> None:
        """Write many samples to a TIFF stack, or as PNG files to a folder."""
        run, text = self._run(), self.form.path.text().strip()
        if not text:
            raise SettingsError("No file is named.", "A .tif file or a folder is needed.")
        output = typed_path(text)

        def written(_event: GenerationFinished) -> None:
            self.jobs.status.setText(f"Written: {output}")

        self._work("Writing samples", self.engine.sample, written, run, self._bulk(), output)

    def use_as_slices(self) -> None:
        """Add many samples as high-res slices that the fusion's Data step can take."""
        run, picks, classes = self._run(), self._bulk(), self.form.classes.value()
        find, limits = self.engine.thresholds, list[float]()
        fusion = self.session.inputs
        known = fusion.high_res.phases if fusion is not None else ()

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
        picks, folder = self._bulk(), str(self._run().folder)
        text = as_line(["--augment-with", folder, "--augment-count", str(len(picks))])
        QGuiApplication.clipboard().setText(text)
        asked = (picks.checkpoint, picks.truncation) == ("best", 1)
        more = "" if asked else " It takes the best checkpoint, without truncation."
        show_info(f"Copied: {text}{more}")

    def write_report(self, path: Path) -> None:
        """Write the report of the paper's figure 3."""
        run = self._run()

        def written(event: ReportDone) -> None:
            self.jobs.status.setText(f"Written: {event.path}. Open it in a browser.")

        self._work("Writing a report", self.engine.report, written, run, path)

    def _bulk(self) -> Picks:
        form = self.form
        return bulk(
            form.seed.value(), form.many.value(), form.truncation.value(), self._checkpoint()
        )

    def _add(self, images: Any, run: OpenedRun, name: str) -> None:
        layer = image_layer(images, run.phases, run.pixel_size, name)
        look_at(self.viewer, add_layer(self.viewer, layer))

    def _ask_path(self) -> None:
        start = self.form.path.text() or str(Path.home() / "samples.tif")
        path, _ = QFileDialog.getSaveFileName(self, "Export samples", start, "TIFF (*.tif *.tiff)")
        if path:
            self.form.path.setText(path)

    def _ask_report(self) -> None:
        start = str(Path.home() / "synthesis-report.html")
        path, _ = QFileDialog.getSaveFileName(self, "Write report", start, "HTML (*.html)")
        if path:
            self.write_report(Path(path))
