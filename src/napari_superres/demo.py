"""The main job on an example whose truth is known: what it makes, and how it is judged.

The command line and the panel run the same plan; only who shows the stages differs.
Slow imports wait inside the functions: the command line's help needs the plan alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_superres import __version__
from napari_superres.config import Budget, GenerationSettings
from napari_superres.data.phases import values_of
from napari_superres.data.volumes import Labels, SegmentedVolume
from napari_superres.errors import OutputError

if TYPE_CHECKING:
    from napari_superres.data.examples.pair import Example


GENERATION = GenerationSettings()
"""How the demo generates: the whole volume, from the best checkpoint."""


@dataclass(frozen=True)
class DemoPlan:
    """What the demo does and where it leaves it.

    Attributes
    ----------
    output : folder for everything, new or empty
    minutes : of training
    size : side of the generated truth in high-res voxels
    seed : of the material and the training
    """

    output: Path
    minutes: float = 5.0
    size: int = 192
    seed: int = 0

    @property
    def run_folder(self) -> Path:
        """Where the training is kept."""
        return self.output / "run"

    @property
    def super_res(self) -> Path:
        """The generated volume."""
        return self.output / "super-res.tif"

    @property
    def figure(self) -> Path:
        """Low-res, high-res, super-res and truth side by side."""
        return self.output / "comparison.png"

    @property
    def numbers(self) -> Path:
        """The measures of the four, and the errors."""
        return self.output / "numbers.json"

    @property
    def budget(self) -> Budget:
        """How long to train."""
        return Budget(minutes=self.minutes)


def prepare(plan: DemoPlan) -> Example:
    """Make the example pair and leave it in the output folder as TIFF files.

    Raises
    ------
    OutputError
        When the folder cannot be written or is not empty.
    """
    from napari_superres.data.examples.pair import example_pair
    from napari_superres.data.files.tiff import write_labels_tiff

    try:
        plan.output.mkdir(parents=True, exist_ok=True)
        occupied = any(plan.output.iterdir())
    except OSError as error:
        raise OutputError(
            f"The folder {plan.output} cannot be made: {error.strerror or error}.",
            action="Choose another with --output.",
        ) from error
    if occupied:
        raise OutputError(
            f"The folder {plan.output} is not empty.",
            "The demo needs a new or empty folder.",
            "Choose another with --output.",
        )
    example = example_pair(size=plan.size, seed=plan.seed)
    slices = example.pair.high_res
    stack = np.stack([values_of(image, slices.phases) for image in slices.sets[0]])
    write_labels_tiff(
        plan.output / "high-res.tif", stack, voxel_size=slices.voxel_size, phases=slices.phases
    )
    for name, volume in (("low-res", example.pair.low_res), ("truth", example.truth)):
        if volume is not None:
            write_labels_tiff(
                plan.output / f"{name}.tif",
                volume.values,
                voxel_size=volume.voxel_size,
                phases=volume.phases,
            )
    return example


def judge(
    plan: DemoPlan, example: Example, labels: Labels, timings: Mapping[str, float]
) -> dict[str, Any]:
    """Measure the generated volume against the slices and the truth; leave figure and numbers.

    Parameters
    ----------
    plan : the plan that was followed
    example : as `prepare` returned it
    labels : (Z, Y, X) uint8, high-res phase indices of the generated volume
    timings : seconds by stage, to be kept with the numbers

    Returns
    -------
    dict
        What the numbers file holds, JSON-able.

    Raises
    ------
    OutputError
        When figure or numbers cannot be written.
    """
    from napari_superres.measures.comparison import compare_volumes
    from napari_superres.measures.inputs import ReportInputs
    from napari_superres.measures.report.side_by_side import compare_figure

    pair, settings = example.pair, example.settings
    high_res = pair.high_res
    super_res = SegmentedVolume(labels, high_res.phases, high_res.voxel_size, "super-res")
    inputs = ReportInputs((super_res,), pair.low_res, high_res, example.truth, settings)
    numbers: dict[str, Any] = {
        "version": __version__,
        "settings": settings.model_dump(mode="json"),
        "seconds": {stage: round(seconds, 1) for stage, seconds in timings.items()},
        "processors": os.cpu_count(),
        **compare_volumes(inputs),
    }
    try:
        compare_figure(inputs, plan.figure, numbers)
        plan.numbers.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"The results cannot be written to {plan.output}: {error.strerror or error}.",
            action="Free space, or choose another folder.",
        ) from error
    return numbers


def verdict(numbers: Mapping[str, Any]) -> str:
    """Return the numbers that matter as a few lines."""
    lines = []
    for name, title in (("truth", "the 3D truth"), ("high_res", "the high-res slices")):
        found = numbers["differences"].get(f"super_res_{name}")
        if found is not None:
            lines.append(
                f"Against {title + ':':22}volume fractions off by "
                f"{found['volume_fraction_error']:.3f}, interface areas by "
                f"{found['interface_area_error'] or 0:.1%}"
            )
    title = "the low-res volume:"
    lines.append(f"Against {title:22}{numbers['low_res_mismatch']:.2%} of voxels not given back")
    return "\n".join(lines)
