"""What the tasks of `synthesis.py` share: settings, the lines of a training, sheets of images."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.image import imsave

from napari_superres.data.files.images import ImageSet
from napari_superres.events import ImagesMeasured, StepCompleted, TrainingEvent
from napari_superres.measures.report.texture_charts import as_colours, contact_sheet
from napari_superres.synthesis.settings import SynthesisSettings


def follow(events: Iterator[TrainingEvent]) -> list[ImagesMeasured]:
    """Print measurements as they come; return them."""
    measured, last = [], None
    for event in events:
        if isinstance(event, StepCompleted):
            last = event
        elif isinstance(event, ImagesMeasured):
            measured.append(event)
            values = "  ".join(f"{name} {value:.4f}" for name, value in event.values.items())
            print(f"step {event.step:>6}  {values}", flush=True)
    if last is not None:
        print(f"{last.step} steps in {last.elapsed_s:.0f} s", flush=True)
    return measured


def style_settings(options: argparse.Namespace) -> SynthesisSettings:
    settings = SynthesisSettings.model_validate(
        {
            "size": options.size,
            "preset": options.preset,
            "seed": options.seed,
            "device": "cpu",
        }
    )
    return settings.replace(engine=settings.engine.replace(**json.loads(options.changes)))


def save_sheet(path: Path, images: np.ndarray, source: ImageSet, columns: int) -> None:
    sheet = contact_sheet(as_colours(images, source.phases), columns)
    imsave(path, np.kron(sheet, np.ones((2, 2, 1))))
    print(f"sheet: {path}")
