"""Streams of events that need no torch: the engine as the widgets see it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType

import numpy as np

from napari_superres.config import Budget, GenerationSettings, TrainingSettings
from napari_superres.data.files.ome_zarr import write_labels_zarr
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.pair import Pair
from napari_superres.data.phases import Phase
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    MetricsMeasured,
    PartAssembled,
    PreviewReady,
    StepCompleted,
    TileCompleted,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.scale_factor import super_res_shape
from napari_superres.widgets.inputs.inputs import missing_text
from napari_superres.widgets.run.engine import DeviceChoice
from napari_superres.widgets.run.fusion import KIND, fraction_bands, read_run, shown
from napari_superres.widgets.run.preflight import Preflight

PHASES = (
    Phase(0, "pore", "#20242c"),
    Phase(1, "active material", "#5b9bd5"),
    Phase(2, "binder", "#f2c14e"),
)


def measured(phases: tuple[Phase, ...], shift: float = 0.0) -> Measurement:
    """Return made-up numbers, `shift` away from the target."""
    names = [phase.name for phase in phases]
    pairs = [f"{a}|{b}" for i, a in enumerate(names) for b in names[i + 1 :]]
    return Measurement(
        {name: 1 / len(names) + shift * (-1) ** i for i, name in enumerate(names)},
        {pair: 0.05 * (i + 1) + shift / 5 for i, pair in enumerate(pairs)},
        abs(shift),
    )


def preview(step: int, n_phases: int, size: int = 32) -> PreviewReady:
    """Return stripes that move with the step."""
    rows = np.arange(size)[:, None] // 4 + np.arange(size)[None] // 8
    image = ((rows + step) % n_phases).astype(np.uint8)
    low = (image > 0).astype(np.uint8)[::4, ::4]
    return PreviewReady(step, (image,) * 3, (image.T,) * 3, (low,) * 3)


@dataclass
class FakeEngine:
    """The functions of `FusionEngine`, with switches for what should go wrong.

    Attributes
    ----------
    steps : steps of a training without a budget of steps
    step_s : seconds a step takes
    fail_at : step at which `failure` is raised; 0 for before anything starts
    saved : run folders that were saved at their end
    """

    kind = KIND
    missing = staticmethod(missing_text)
    read = staticmethod(attrgetter("pair"))
    shown = staticmethod(shown)
    open = staticmethod(read_run)
    bands = staticmethod(lambda pair: fraction_bands(pair.high_res))

    steps: int = 5
    step_s: float = 0.0
    fail_at: int | None = None
    failure: Exception = field(default_factory=lambda: RuntimeError("CUDA out of memory"))
    saved: list[Path] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    changes: dict[str, int | str] = field(default_factory=dict)
    phases: tuple[Phase, ...] = PHASES
    shape: tuple[int, int, int] = (12, 12, 12)

    def train(
        self,
        pair: Pair,
        settings: TrainingSettings,
        run_folder: Path,
        budget: Budget,
        stop: threading.Event,
    ) -> Iterator[TrainingEvent]:
        """Yield a short training of these inputs."""
        self.phases = pair.high_res.phases
        self.shape = super_res_shape(pair.low_res.shape, settings.scale_factor)
        return self._events(run_folder, 0, budget, stop)

    def resume(
        self,
        run_folder: Path,
        budget: Budget,
        stop: threading.Event,
        changes: Mapping[str, int | str] = MappingProxyType({}),
    ) -> Iterator[TrainingEvent]:
        """Yield the same, from step 100, remembering what was changed."""
        self.changes = dict(changes)
        return self._events(run_folder, 100, budget, stop)

    def _events(
        self, folder: Path, first: int, budget: Budget, stop: threading.Event
    ) -> Iterator[TrainingEvent]:
        self.threads.add(threading.get_ident())
        if self.fail_at == 0:
            raise self.failure
        yield TrainingStarted(folder, "cpu", first, measured(self.phases), 190_000, 310_000)
        total, step = budget.steps or self.steps, first
        while step < first + total and not stop.is_set():
            time.sleep(self.step_s)
            step += 1
            if step == self.fail_at:
                raise self.failure
            share = (step - first) / total
            losses = {"generator": 1 / step, "discriminator": 2 / step}
            yield StepCompleted(step, step * 0.5, share, (1 - share) * 30, losses)
            yield MetricsMeasured(step, measured(self.phases, 0.1 / step), 0.1 / step, True)
            yield PreviewReady(*_fields(preview(step, len(self.phases))))
            yield CheckpointSaved(step, folder / "checkpoints", True)
        self.saved.append(folder)
        reason = FinishReason.STOPPED if stop.is_set() else FinishReason.COMPLETED
        yield TrainingFinished(reason, step, step * 0.5, folder)

    def generate(
        self, run_folder: Path, settings: GenerationSettings, stop: threading.Event
    ) -> Iterator[GenerationEvent]:
        """Yield a volume of the trained shape, its phases in slabs."""
        shape, tiles = self.shape, 4
        yield GenerationStarted(shape, tiles)
        for tile in range(tiles):
            time.sleep(self.step_s)
            if stop.is_set():
                yield GenerationFinished(FinishReason.STOPPED)
                return
            yield TileCompleted(tile + 1, tiles, float(tiles - tile - 1))
        z = np.arange(shape[0])[:, None, None] % len(self.phases)
        labels = np.broadcast_to(z, shape).astype(np.uint8)
        yield GenerationFinished(FinishReason.COMPLETED, labels=labels)

    def generate_to_disk(
        self,
        run_folder: Path,
        settings: GenerationSettings,
        count: int,
        output: Path,
        stop: threading.Event,
    ) -> Iterator[GenerationEvent]:
        """Write that volume, or a folder of realisations, as the engine would."""
        events = list(self.generate(run_folder, settings, stop))
        yield from events[:-1]
        if stop.is_set():
            yield GenerationFinished(FinishReason.STOPPED)
            return
        yield PartAssembled(1, 2)
        labels = events[-1].labels
        files = [output]
        if count > 1:
            output = output.with_suffix("")
            output.mkdir()
            names = [f"seed-{settings.seed + number}" for number in range(count)]
            files = [output / f"{name}{files[0].suffix}" for name in (*names, "most-likely")]
        values = np.array([phase.value for phase in self.phases], np.uint8)[labels]
        told = {"provenance": {"scale factor": "4"}, "phases": self.phases}
        for file in files:
            write = write_labels_zarr if file.suffix == ".zarr" else write_labels_tiff
            write(file, values, voxel_size=(0.1,) * 3, **told)  # type: ignore[operator]
        yield GenerationFinished(FinishReason.COMPLETED, path=output)

    def devices(self) -> list[DeviceChoice]:
        """Return one device."""
        return [DeviceChoice("cpu", "cpu: a fake, 8.0 GiB free")]

    def preflight(self, settings: TrainingSettings) -> Preflight:
        """Return an estimate that grows with the batch."""
        return Preflight("cpu", settings.engine.batch * 2**30, 8 * 2**30)


def _fields(event: PreviewReady) -> tuple[int, tuple, tuple, tuple]:  # type: ignore[type-arg]
    return event.step, event.generated, event.real, event.low_res
