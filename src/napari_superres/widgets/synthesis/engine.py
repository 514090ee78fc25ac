"""The seam between the synthesis panel and its engine; torch is imported when first called."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_superres.data.volumes import Labels
from napari_superres.events import (
    Done,
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    TileCompleted,
    TrainingEvent,
)
from napari_superres.widgets.images.engine import (
    ImageEngine,
    ImageInputs,
    Sets,
    missing_images,
    read_run,
)
from napari_superres.widgets.run.engine import EarlierRun
from napari_superres.widgets.synthesis.picks import Picks, Way

KIND = "synthesis"


@dataclass(frozen=True)
class Nearest:
    """What a search for images learnt by heart found.

    Attributes
    ----------
    samples, windows : (K, Y, X) images and the real windows most like them
    distances : of each
    unseen : median distance of real patches never trained on, None without any
    """

    samples: Labels
    windows: Labels
    distances: tuple[float, ...]
    unseen: float | None = None


def _train(sets: Sets, *arguments: Any) -> Iterator[TrainingEvent]:
    from napari_superres.synthesis.training import train

    return train(sets[0], *arguments)


def _missing(inputs: ImageInputs | None, problem: str) -> str:
    return missing_images(inputs, problem, "Patches")


def _resume(*arguments: Any) -> Iterator[TrainingEvent]:
    from napari_superres.synthesis.training import resume

    return resume(*arguments)


def _open(folder: Path) -> EarlierRun:
    from napari_superres.synthesis.settings import SYNTHESIS
    from napari_superres.synthesis.training import INPUT

    return read_run(folder, SYNTHESIS, INPUT)


def _sample(
    run: Path, picks: Picks, output: Path | None, device: str, stop: threading.Event
) -> Iterator[GenerationEvent]:
    from napari_superres.synthesis.sampling import SampleRequest, export

    request = SampleRequest(picks.styles, picks.noises, picks.truncation)
    return export(run, request, output, picks.checkpoint, device, stop)


def _interpolate(
    run: Path, way: Way, device: str, stop: threading.Event
) -> Iterator[GenerationEvent]:
    from napari_superres.synthesis.sampling import Synthesiser
    from napari_superres.training.failures import engine_errors

    synthesiser = Synthesiser.load(run, way.checkpoint, device)
    size, frames = synthesiser.size, way.frames
    yield GenerationStarted((frames, size, size), frames)
    made: list[Labels] = []
    began = time.monotonic()
    with engine_errors(str(synthesiser.device), task="Sampling"):
        for part in synthesiser.way(way.first, way.last, frames, way.noise, way.truncation):
            made += list(part)
            done = len(made)
            left = (time.monotonic() - began) / done * (frames - done)
            yield TileCompleted(done, frames, left)
            if stop.is_set() and done < frames:
                yield GenerationFinished(FinishReason.STOPPED)
                return
    yield GenerationFinished(FinishReason.COMPLETED, labels=np.stack(made))


def _nearest(
    run: Path, picks: Picks, device: str, stop: threading.Event
) -> Iterator[TileCompleted | Done[Nearest]]:
    from napari_superres.runs.run import Run
    from napari_superres.synthesis.memorisation import Finder
    from napari_superres.synthesis.sampling import SampleRequest, Synthesiser
    from napari_superres.synthesis.settings import SYNTHESIS
    from napari_superres.synthesis.training import INPUT, cut_images

    opened = Run.open(run, SYNTHESIS)
    settings, images = opened.settings, opened.images(INPUT)
    training, held_out = cut_images(images, settings)
    request = SampleRequest(picks.styles, picks.noises, picks.truncation)
    samples = Synthesiser.load(run, picks.checkpoint, device).sample(request)
    unseen = held_out.spread(len(samples)) if len(held_out) else samples[:0]
    finder = Finder(training.parts, len(images.phases), settings.directed)
    found, total = [], len(samples) + len(unseen)
    began = time.monotonic()
    for done, image in enumerate((*samples, *unseen), 1):
        found.append(finder.nearest(image))
        yield TileCompleted(done, total, (time.monotonic() - began) / done * (total - done))
        if stop.is_set() and done < total:
            yield Done(reason=FinishReason.STOPPED)
            return
    near, other = found[: len(samples)], found[len(samples) :]
    windows = np.stack([one.window for one in near])
    distances = tuple(one.distance for one in near)
    median = float(np.median([one.distance for one in other])) if other else None
    yield Done(Nearest(samples, windows, distances, median))


def _thresholds(run: Path, classes: int) -> tuple[float, ...]:
    """Return what splits grey samples: of the run's real images, as `--augment-with` does."""
    from napari_superres.data.grey import grey_sample, multi_otsu
    from napari_superres.measures.kinds.texture import Segmenter
    from napari_superres.runs.run import Run
    from napari_superres.synthesis.settings import SYNTHESIS
    from napari_superres.synthesis.training import INPUT, cut_images

    opened = Run.open(run, SYNTHESIS)
    training, _ = cut_images(opened.images(INPUT), opened.settings)
    if classes == 2:
        found = Segmenter.fit(training.parts, ()).threshold
        return (127.0 if found is None else found,)
    return multi_otsu(grey_sample(np.concatenate([part.ravel() for part in training.parts])[None]),
                      classes)  # fmt: skip


def _report(run: Path, path: Path, device: str, _stop: threading.Event) -> Iterator[Done[Path]]:
    from napari_superres.data.files.output import check_writable, write_whole_text
    from napari_superres.synthesis.report import make_report

    check_writable(path)
    page, _numbers = make_report(run, device=device)
    write_whole_text(path, page)
    yield Done(path)


@dataclass(frozen=True, kw_only=True)
class SynthesisEngine(ImageEngine):
    """Everything that the synthesis panel asks of the engine.

    Attributes
    ----------
    sample : (run folder, picks, output or None for memory, device, stop) to events
    interpolate : (run folder, way, device, stop) to events
    nearest : (run folder, picks, device, stop) to events
    thresholds : (run folder, classes) to what splits its grey values
    report : (run folder, path, device, stop) to events
    """

    kind: str = KIND
    missing: Callable[[Any, str], str] = _missing
    train: Callable[..., Iterator[TrainingEvent]] = _train
    resume: Callable[..., Iterator[TrainingEvent]] = _resume
    open: Callable[[Path], EarlierRun] = _open
    sample: Callable[..., Iterator[GenerationEvent]] = _sample
    interpolate: Callable[..., Iterator[GenerationEvent]] = _interpolate
    nearest: Callable[..., Iterator[Any]] = _nearest
    thresholds: Callable[[Path, int], tuple[float, ...]] = _thresholds
    report: Callable[..., Iterator[Any]] = _report
