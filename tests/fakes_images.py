"""Streams of events of engines that learn from images; they need no torch."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from napari_superres.data.phases import phases_from_values
from napari_superres.errors import OutOfMemoryError
from napari_superres.events import (
    CheckpointSaved,
    Done,
    FinishReason,
    GenerationFinished,
    GenerationStarted,
    ImagesMeasured,
    ImagesReady,
    Measurement,
    StepCompleted,
    TileCompleted,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.widgets.images.engine import ImageRun
from napari_superres.widgets.run.engine import DeviceChoice, EarlierRun
from napari_superres.widgets.run.history import history_of_log
from napari_superres.widgets.synthesis.engine import Nearest, SynthesisEngine
from napari_superres.widgets.translation.engine import TranslationEngine

SIDE = 16
VALUES = {"fraction_gap": 0.1, "two_point_rmse": 0.02, "r_t": 0.5, "p": 0.2}


def images(count: int, phases: int = 0, first: int = 0) -> np.ndarray:
    """Return images that differ: grey values, or phase indices."""
    rows = np.indices((SIDE, SIDE)).sum(0)[None] + np.arange(first, first + count)[:, None, None]
    return (rows % phases if phases else rows * 5).astype(np.uint8)


@dataclass
class FakeImages:
    """What the fake engines remember, and switches for how they work.

    Attributes
    ----------
    steps, step_s : of a training
    phases : of the runs
    asked : arguments of the calls, in order
    room : largest batch for which there is memory; None for any
    fails_at : step after which larger ones find no room
    """

    steps: int = 4
    step_s: float = 0.0
    phases: int = 0
    asked: list[tuple] = field(default_factory=list)  # type: ignore[type-arg]
    room: int | None = None
    fails_at: int = 0
    trained: object = None

    def train(self, sets, settings, run_folder, budget, stop):
        self.asked.append((sets, settings, run_folder))
        self.trained = settings
        self.phases = len(sets[-1].phases)
        return self._events(run_folder, 0, stop)

    def resume(self, run_folder, budget, stop, changes):
        if changes:
            engine = self.trained.engine.replace(**changes)
            self.trained = self.trained.replace(engine=engine)
        return self._events(run_folder, 100, stop)

    def open(self, folder):
        lines = [{"step": step, "score": 9.0 - step, **VALUES} for step in (0, 2)]
        return EarlierRun(ImageRun(folder, self._phases, 0.5, 2, True), history_of_log(lines))

    @property
    def _phases(self):
        return phases_from_values(range(self.phases)) if self.phases else ()

    def _events(self, folder, first, stop):
        yield TrainingStarted(folder, "cpu", first, Measurement({}, {}), 10, 20, ("Few.",))
        step = first
        while step < first + self.steps and not stop.is_set():
            time.sleep(self.step_s)
            large = self.room is not None and self.trained.engine.batch > self.room
            if large and step - first >= self.fails_at:
                # as the engine does: it names what needs less once there are weights to save
                less = {"batch": self.trained.engine.batch // 2} if first else {}
                raise OutOfMemoryError("No room.", "", "Lower the batch.", less)
            step += 1
            yield StepCompleted(step, step * 0.5, None, None, {"generator": 1 / step})
            curve = np.linspace(0.5, 0.25, 8) + 1 / step
            curves = {"two-point dark real": curve, "two-point dark synthetic": curve + 0.1}
            curves |= {"two-point bright real": curve, "two-point bright synthetic": curve}
            yield ImagesMeasured(step, VALUES, curves, 1 / step, True)
            made = tuple(images(8, self.phases, step))
            rows = dict.fromkeys(("synthetic", "real", "low-res", "translated", "high-res"), made)
            yield ImagesReady(step, rows)
            yield CheckpointSaved(step, folder, True)
        reason = FinishReason.STOPPED if stop.is_set() else FinishReason.COMPLETED
        yield TrainingFinished(reason, step, 1.0, folder)

    def sample(self, run, picks, output, device, stop):
        self.asked.append((picks, output))
        yield GenerationStarted((len(picks), SIDE, SIDE), 1)
        time.sleep(self.step_s)
        yield TileCompleted(1, 1, 0.0)
        if stop.is_set():
            yield GenerationFinished(FinishReason.STOPPED)
        elif output is not None:
            yield GenerationFinished(FinishReason.COMPLETED, path=output)
        else:
            made = images(len(picks), self.phases)
            yield GenerationFinished(FinishReason.COMPLETED, labels=made)

    def interpolate(self, run, way, device, stop):
        self.asked.append((way,))
        yield GenerationFinished(FinishReason.COMPLETED, labels=images(way.frames, self.phases))

    def nearest(self, run, picks, device, stop):
        made = images(len(picks), self.phases)
        distances = (0.1,) * len(picks)
        yield Done(Nearest(made, made, distances, 0.3))

    def report(self, run, path, device, stop):
        yield Done(path)

    def augment(self, sets, run, count):
        self.asked.append((run, count))
        return sets

    def translate(self, run, wanted, device, stop):
        self.asked.append((wanted,))
        volume = wanted.subject.read(wanted.phases)
        stack = volume if volume.ndim == 3 else volume[None]
        for _ in range(wanted.count):
            made = stack
            for axis in {0, 1, 2} - {wanted.axis}:
                made = made.repeat(2, axis)
            yield GenerationFinished(FinishReason.COMPLETED, labels=made)

    def devices(self):
        return [DeviceChoice("cpu", "cpu: a fake")]

    def synthesis(self) -> SynthesisEngine:
        """Return the engine of the synthesis panel."""
        return SynthesisEngine(
            train=self.train,
            resume=self.resume,
            open=self.open,
            devices=self.devices,
            sample=self.sample,
            interpolate=self.interpolate,
            nearest=self.nearest,
            thresholds=lambda run, classes: (40.0, 80.0, 120.0)[: classes - 1],
            report=self.report,
        )

    def translation(self) -> TranslationEngine:
        """Return the engine of the translation panel."""
        return TranslationEngine(
            train=self.train,
            resume=self.resume,
            open=self.open,
            devices=self.devices,
            augment=self.augment,
            translate=self.translate,
        )


def trained(folder: Path, phases: int = 0) -> ImageRun:
    """Return a run that has a checkpoint."""
    known = phases_from_values(range(phases)) if phases else ()
    return ImageRun(folder, known, 0.5, 2, trained=True)


NO_STOP = threading.Event()
