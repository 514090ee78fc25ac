"""What the engines that learn from images share in the panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_superres.data.files.images import ImageSet
from napari_superres.data.phases import Phase
from napari_superres.runs.config import Kind
from napari_superres.widgets.layers.images import ChosenImages
from napari_superres.widgets.run.engine import EarlierRun, Engine
from napari_superres.widgets.run.history import history_of_log
from napari_superres.widgets.run.training import Training

Sets = tuple[ImageSet, ...]


@dataclass(frozen=True, eq=False)
class ImageRun:
    """A run folder and what showing its results takes.

    Attributes
    ----------
    phases : of the images that are made; empty for grey values
    pixel_size : µm of these, None when unknown
    scale_factor : of a translation
    """

    folder: Path
    phases: tuple[Phase, ...] = ()
    pixel_size: float | None = None
    scale_factor: int = 1
    trained: bool = False


@dataclass(frozen=True, eq=False)
class ImageInputs:
    """What a training learns from.

    Attributes
    ----------
    chosen : one choice of layers, or low-res and high-res
    values : settings that the inputs' step holds, such as size and stride
    prepare : what is done to the images once they are read, None for nothing
    options : words of the command line that do the same
    """

    chosen: tuple[ChosenImages, ...]
    values: Mapping[str, Any]
    prepare: Callable[[Sets], Sets] | None = None
    options: tuple[str, ...] = ()


ImageTraining = Training[ImageInputs, ImageRun]


def missing_images(inputs: ImageInputs | None, problem: str, step: str) -> str:
    """Return what keeps a training from starting: images are chosen in step 1, of this name."""
    return "" if inputs is not None else problem or f"Choose images in step 1, {step}."


def read_images(inputs: ImageInputs) -> Sets:
    """Return the pixels of the chosen layers; slow for large ones."""
    sets = tuple(chosen.read() for chosen in inputs.chosen)
    return sets if inputs.prepare is None else inputs.prepare(sets)


def shown(folder: Path, _inputs: ImageInputs, sets: Sets, settings: Any) -> ImageRun:
    """Return a run that starts."""
    made = sets[-1]
    return ImageRun(folder, made.phases, made.pixel_size, getattr(settings, "scale_factor", 1))


@dataclass(frozen=True, kw_only=True)
class ImageEngine(Engine):
    """A kind of run that learns from images."""

    read: Callable[[Any], Sets] = read_images
    shown: Callable[..., Any] = shown


def read_run(folder: Path, kind: Kind[Any], role: str) -> EarlierRun:
    """Return the run kept in a folder.

    Parameters
    ----------
    role : of the inputs that look as its results do
    """
    from napari_superres.runs.run import Run

    run = Run.open(folder, kind)
    kept = run.kept(role)
    known = ImageRun(
        Path(folder),
        kept.phases,
        kept.pixel_size,
        getattr(run.settings, "scale_factor", 1),
        bool(run.checkpoints()),
    )
    return EarlierRun(known, history_of_log(run.log()))
