"""Step 4 of translation: an image or a volume layer, slice by slice, into a layer or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QPushButton,
    QSpinBox,
)

from napari_superres.errors import SettingsError, SuperResError
from napari_superres.events import GenerationFinished
from napari_superres.widgets.images.engine import ImageRun, ImageTraining
from napari_superres.widgets.jobs.job_row import JobRow, guarded
from napari_superres.widgets.layers.files import check_not_shown
from napari_superres.widgets.layers.shown import add_layer
from napari_superres.widgets.parts.layer_pickers import LayerCombo, candidates, on_layers
from napari_superres.widgets.parts.layout import Note, fill_step, heading, new_form
from napari_superres.widgets.parts.path_field import PathField
from napari_superres.widgets.parts.paths import FILTERS, TARGETS, Target, free_path, target_of
from napari_superres.widgets.run.preferences import preferences
from napari_superres.widgets.run.step import CheckpointCombo, Step
from napari_superres.widgets.translation.engine import Wanted
from napari_superres.widgets.translation.plan import (
    outputs,
    result_arguments,
    result_layer,
    result_shape,
    subject_of,
)
from napari_superres.words import sizes


class TranslationApplyStep(Step):
    """Layer, axis, seeds, where to; Translate and Cancel."""

    title = "Apply"

    def __init__(
        self, napari_viewer: Any, training: ImageTraining, translate: Callable[..., Iterator[Any]]
    ) -> None:
        super().__init__(napari_viewer, training.session)
        self.training, self._translate = training, translate
        self._build()
        training.run_changed.connect(self.refresh)
        on_layers(self.viewer, self._on_layers)
        self._on_layers()

    def _build(self) -> None:
        self._make_dials()
        self.run_note, self.summary = Note(), Note()
        self.translate = QPushButton("Translate")
        self.translate.setToolTip("Make the layer finer, slice by slice")
        self.jobs = JobRow(
            self.training.work,
            (self.translate,),
            begins="Loading the network …",
            cancel_tip="Stop after this slice; on disk, what is done is kept",
        )
        form = new_form()
        form.addRow("Layer", self.layer)
        form.addRow("Slices normal to", self.axis)
        form.addRow("Checkpoint", self.checkpoint)
        form.addRow("Seed", self.seed)
        form.addRow("Realisations", self.count)
        form.addRow("Where to", self.kind)
        form.addRow("", self.file)
        fill_step(
            self,
            heading("Run"),
            self.run_note,
            heading("What to translate"),
            form,
            self.summary,
            self.jobs,
        )
        self.translate.clicked.connect(guarded(self.start))
        self.layer.chosen.connect(self.refresh)
        for combo in (self.axis, self.kind):
            combo.currentIndexChanged.connect(self.refresh)
        self.count.valueChanged.connect(self.refresh)
        self.jobs.changed.connect(self.refresh)

    def _make_dials(self) -> None:
        self.layer, self.axis, self.checkpoint = LayerCombo(), QComboBox(), CheckpointCombo()
        for number, name in enumerate("zyx"):
            self.axis.addItem(name, number)
        self.axis.setToolTip("The result is finer along the two other axes")
        self.layer.setToolTip("An image, a stack, or a volume")
        self.seed, self.count, self.kind = QSpinBox(), QSpinBox(), QComboBox()
        self.seed.setMaximum(2**31 - 1)
        self.seed.setToolTip("Of the noise: one realisation")
        self.count.setRange(1, 100)
        self.count.setToolTip("Results that differ in noise, with one seed after the other")
        for text, kind in TARGETS:
            self.kind.addItem(text, kind)
        self.kind.setToolTip("Memory for what fits into it, else disk")
        self.file = PathField("Translate into", "The file to write")
        self.path = self.file.path

    def target(self) -> Target:
        """Return where results go; without a path, under a new name into the run folder."""
        kind = self.kind.currentData()
        count, run = self.count.value(), self.training.trained_run()
        return target_of(count, kind, self.path.text() or str(_default(run, kind, count)))

    def start(self) -> None:
        """Translate the chosen layer."""
        run, layer = self.training.trained_run(), self.layer.layer
        if layer is None:
            raise SettingsError("No layer is chosen.", "One to translate is needed.")
        subject, target = subject_of(layer), self.target()
        check_not_shown(self.viewer.layers, outputs(target.output, target.count))
        axis = self.axis.currentData() if subject.view.ndim == 3 else 0
        wanted = Wanted(
            subject,
            run.phases,
            axis,
            self.seed.value(),
            target.count,
            target.output,
            self.checkpoint.name,
        )
        seeds = iter(range(wanted.seed, wanted.seed + wanted.count))
        placed = result_arguments(subject, run.scale_factor, axis)

        def made(event: GenerationFinished) -> None:
            result = event.labels if event.path is None else event.path
            name = f"{subject.view.name}, translated, seed {next(seeds)}"
            add_layer(self.viewer, result_layer(result, run.phases, subject, name, placed))
            where = "as a layer" if event.path is None else f"to {event.path}"
            self.jobs.status.setText(f"Translated {where}.")

        device, translate = preferences().device, self._translate
        self.jobs.begin(
            f"Translating {subject.view.name}",
            lambda stop: translate(run.folder, wanted, device, stop),
            made,
        )

    def refresh(self, _what: object = None) -> None:
        """Show what can be done now, and what it gives."""
        run, layer, kind = self.training.trained, self.layer.layer, self.kind.currentData()
        ready = run is not None and layer is not None
        self.run_note.setText(
            "None yet: train, or open one."
            if run is None
            else f"{run.folder}, scale factor {run.scale_factor}"
        )
        self.translate.setEnabled(ready and not self.jobs.active)
        self.axis.setEnabled(layer is not None and layer.ndim == 3)
        self.file.setVisible(bool(kind))
        self.file.propose(f"translated{kind}", FILTERS.get(kind, ""))
        name = f"translated{kind}"
        if run is not None and kind:
            name = _default(run, kind, self.count.value()).name
        self.path.setPlaceholderText(f"{name} in the run folder")
        self.summary.setText("" if run is None or layer is None else self._gives(run, layer))

    def _gives(self, run: ImageRun, layer: Any) -> str:
        try:
            data = subject_of(layer).view.data
        except SuperResError as error:
            return str(error)
        axis = self.axis.currentData() if layer.ndim == 3 else 0
        return f"Gives {sizes(result_shape(data.shape, run.scale_factor, axis))} voxels."

    def _on_layers(self, _event: object = None) -> None:
        self.layer.refill(candidates(self.viewer))
        self.refresh()


def _default(run: ImageRun, kind: str, count: int) -> Path:
    def taken(path: Path) -> bool:
        return any(one is not None and one.exists() for one in outputs(path, count))

    return free_path(run.folder / f"translated{kind}", taken)
