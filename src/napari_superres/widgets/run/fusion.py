"""A run of fusion as the panel shows it, and the engine that makes it; torch comes when called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from napari_superres import __version__
from napari_superres.config import GenerationSettings, TrainingSettings
from napari_superres.data.pair import Pair
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import SuperResError
from napari_superres.events import GenerationEvent, TrainingEvent
from napari_superres.measures.kinds.representativity import representativity
from napari_superres.measures.naming import phase_names
from napari_superres.scale_factor import ScaleFactor, format_scale_factor
from napari_superres.widgets.inputs.inputs import Inputs, missing_text
from napari_superres.widgets.layers.notes import KEY
from napari_superres.widgets.layers.placement import Placement, plain_placement
from napari_superres.widgets.run.engine import EarlierRun, Engine
from napari_superres.widgets.run.history import Band, PreviewBook, history_of_log
from napari_superres.widgets.run.preflight import Preflight, estimate

KIND = "fusion"
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class FusionRun:
    """A run folder and what placing its results over the low-res layer takes."""

    folder: Path
    scale_factor: ScaleFactor
    phases: tuple[Phase, ...]
    low_res_phases: tuple[Phase, ...]
    low_res_shape: tuple[int, int, int]
    placement: Placement
    trained: bool = False
    name: str = ""

    def noted(self, metadata: dict[str, Any], settings: GenerationSettings) -> dict[str, Any]:
        """Return a result's layer metadata with where it comes from added."""
        border = {"border dropped": "yes"} if settings.crop_border else {}
        more = {
            "scale_factor": format_scale_factor(self.scale_factor),
            "border_dropped": settings.crop_border,
            "provenance": border
            | {
                "software": f"napari-superres-fusion {__version__}",
                "run": str(self.folder),
                "checkpoint": settings.checkpoint,
                "seed": str(settings.seed),
                "scale factor": format_scale_factor(self.scale_factor),
            },
        }
        return {**metadata, KEY: {**metadata[KEY], **more}}


def shown(folder: Path, inputs: Inputs, pair: Pair, settings: TrainingSettings) -> FusionRun:
    """Return a run that starts, its results to lie over the chosen low-res layer."""
    return FusionRun(
        folder,
        settings.scale_factor,
        pair.high_res.phases,
        pair.low_res.phases,
        pair.low_res.shape,
        inputs.placement,
        name=pair.low_res.name,
    )


def read_run(folder: Path) -> EarlierRun:
    """Return the run kept in a folder. Imports torch: call it in a thread."""
    from napari_superres.fusion.evaluation import measure_slices
    from napari_superres.runs.config import FUSION, HIGH_RES
    from napari_superres.runs.previews import read_previews
    from napari_superres.runs.run import Run

    kept = Run.open(folder, FUSION)
    low_res = kept.low_res()
    run = FusionRun(
        Path(folder),
        kept.settings.scale_factor,
        kept.kept(HIGH_RES).phases,
        low_res.phases,
        low_res.shape,
        plain_placement(low_res.voxel_size),
        trained=bool(kept.checkpoints()),
        name=low_res.name,
    )
    history = history_of_log(kept.log())
    if kept.has_slices:  # a generator may be imported without
        high_res = kept.high_res()
        history.target, history.bands = measure_slices(high_res), fraction_bands(high_res)
    return EarlierRun(run, history, PreviewBook(read_previews(Path(folder))))


def _train(*arguments: Any) -> Iterator[TrainingEvent]:
    from napari_superres.fusion.training import train

    return train(*arguments)


def _resume(*arguments: Any) -> Iterator[TrainingEvent]:
    from napari_superres.fusion.training import resume

    return resume(*arguments)


def fraction_bands(high_res: SegmentedSlices) -> Mapping[str, Band]:
    """Return the 95 % interval of each phase's fraction in the material, by phase name.

    Phases of which the slices cannot tell are left out. A generator whose fractions lie
    inside may be as near to the material as the slices, all axes pooled, can say.
    """
    images = high_res.images
    bands = {}
    for index, name in enumerate(phase_names(high_res.phases)):
        try:
            found = representativity(images, [index], CONFIDENCE)
        except SuperResError:  # slices too small for it
            return {}
        if isfinite(found.low) and isfinite(found.high):
            bands[name] = (found.low, found.high)
    return bands


def _generate(
    run_folder: Path, settings: GenerationSettings, stop: threading.Event
) -> Iterator[GenerationEvent]:
    from napari_superres.generation.render import generate

    return generate(run_folder, settings, stop=stop)


def _generate_to_disk(
    run_folder: Path, settings: GenerationSettings, count: int, output: Path, stop: threading.Event
) -> Iterator[GenerationEvent]:
    from napari_superres.generation.render import generate, generate_many

    if count == 1:
        return generate(run_folder, settings, output=output, stop=stop)
    folder = output.with_suffix("")
    return generate_many(
        run_folder, settings, count, folder, stop=stop, suffix=output.suffix.lower()
    )


@dataclass(frozen=True, kw_only=True)
class FusionEngine(Engine):
    """Everything that the fusion panel asks of the engine.

    Attributes
    ----------
    generate : (run folder, settings, stop) to events
    generate_to_disk : (run folder, settings, realisations, file, stop) to events
    """

    kind: str = KIND
    missing: Callable[[Any, str], str] = missing_text
    read: Callable[[Inputs], Pair] = lambda inputs: inputs.pair
    shown: Callable[..., FusionRun] = shown
    train: Callable[..., Iterator[TrainingEvent]] = _train
    resume: Callable[..., Iterator[TrainingEvent]] = _resume
    open: Callable[[Path], EarlierRun] = read_run
    preflight: Callable[[Any], Preflight] | None = estimate
    bands: Callable[[Any], Mapping[str, Band]] | None = lambda pair: fraction_bands(pair.high_res)
    generate: Callable[..., Iterator[GenerationEvent]] = _generate
    generate_to_disk: Callable[..., Iterator[GenerationEvent]] = _generate_to_disk
