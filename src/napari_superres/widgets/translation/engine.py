"""The seam between the translation panel and its engine; torch is imported when first called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.data.phases import Phase
from napari_superres.events import GenerationEvent, TrainingEvent
from napari_superres.widgets.images.engine import (
    ImageEngine,
    ImageInputs,
    Sets,
    missing_images,
    read_run,
)
from napari_superres.widgets.run.engine import EarlierRun
from napari_superres.widgets.translation.plan import Subject, outputs

KIND = "translation"


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is to be translated.

    Attributes
    ----------
    phases : of the run; empty for grey values
    axis : 0, 1 or 2: the slices are normal to z, y or x
    seed, count : realisations have one seed after the other
    output : None for in memory
    """

    subject: Subject
    phases: tuple[Phase, ...]
    axis: int = 0
    seed: int = 0
    count: int = 1
    output: Path | None = None
    checkpoint: str = "best"


def _train(sets: Sets, *arguments: Any) -> Iterator[TrainingEvent]:
    from napari_superres.translation.training import train

    return train(sets[0], sets[1], *arguments)


def _missing(inputs: ImageInputs | None, problem: str) -> str:
    return missing_images(inputs, problem, "Images")


def _resume(*arguments: Any) -> Iterator[TrainingEvent]:
    from napari_superres.translation.training import resume

    return resume(*arguments)


def _open(folder: Path) -> EarlierRun:
    from napari_superres.translation.settings import TRANSLATION
    from napari_superres.translation.training import HIGH

    return read_run(folder, TRANSLATION, HIGH)


def _augment(sets: Sets, run: Path, count: int) -> Sets:
    from napari_superres.synthesis.link import images_with_synthetic

    return sets[0], images_with_synthetic(sets[1], run, count)


def _translate(
    run: Path, wanted: Wanted, device: str, stop: threading.Event
) -> Iterator[GenerationEvent]:
    from napari_superres.translation.apply import translate

    subject = wanted.subject
    volume = subject.read(wanted.phases)
    for number, output in enumerate(outputs(wanted.output, wanted.count)):
        yield from translate(
            run,
            volume,
            output,
            wanted.axis,
            wanted.seed + number,
            None,
            wanted.checkpoint,
            device,
            subject.voxel_size,
            stop,
        )
        if stop.is_set():
            return


@dataclass(frozen=True, kw_only=True)
class TranslationEngine(ImageEngine):
    """Everything that the translation panel asks of the engine.

    Attributes
    ----------
    augment : (sets, synthesis run, count) to sets with synthetic high-res images
    translate : (run folder, wanted, device, stop) to events
    """

    kind: str = KIND
    missing: Callable[[Any, str], str] = _missing
    train: Callable[..., Iterator[TrainingEvent]] = _train
    resume: Callable[..., Iterator[TrainingEvent]] = _resume
    open: Callable[[Path], EarlierRun] = _open
    augment: Callable[[Sets, Path, int], Sets] = _augment
    translate: Callable[..., Iterator[GenerationEvent]] = _translate
