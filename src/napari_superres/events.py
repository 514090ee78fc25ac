"""What the engine reports while it works: frozen events on a stream.

Arrays are NumPy, detached, on the CPU, and belong to the receiver. The GUI,
the command line and the tests consume the same stream; not asking for the
next event pauses the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
Result = TypeVar("Result")


class FinishReason(StrEnum):
    """Why a stream ended."""

    COMPLETED = "completed"  # the budget was used
    STOPPED = "stopped"  # on request; the weights are kept
    SETTLED = "settled"  # no better measurement for as long as `patience` says


@dataclass(frozen=True)
class Progress:
    """A job other than training and generation is running.

    Attributes
    ----------
    text : what is being done, without a full stop
    share : of it that is done, 0 to 1
    """

    text: str
    share: float


@dataclass(frozen=True)
class Done(Generic[Result]):
    """Last event of such a job.

    Attributes
    ----------
    result : what came of it; None when it was stopped
    reason : completed or stopped
    """

    result: Result | None = None
    reason: FinishReason = FinishReason.COMPLETED


@dataclass(frozen=True)
class Measurement:
    """Cheap measures of generated crops, or of the high-res slices (the target).

    Attributes
    ----------
    volume_fractions : mapping of phase name to fraction, 0 to 1
    interface_areas : mapping of "a|b" (phase names) to the share of voxel faces
        that separate the two phases, 0 to 1
    low_res_mismatch : fraction of low-res voxels that the down-sampled volume
        does not give back, 0 to 1; None for a target
    two_point_error : root mean square difference between the crops' and the held-back
        high-res material's two-point correlations, mean over phases, 0 to 1; in a
        target, that of the slices trained on: what chance alone makes
    anisotropy : largest relative deviation of an axis' interface areas from their
        mean over the axes, summed over the pairs of phases
    """

    volume_fractions: Mapping[str, float]
    interface_areas: Mapping[str, float]
    low_res_mismatch: float | None = None
    two_point_error: float | None = None
    anisotropy: float | None = None


@dataclass(frozen=True)
class TrainingStarted:
    """First event of a training: what runs, where, and the target to reach."""

    run_folder: Path
    device: str
    step: int
    target: Measurement
    generator_parameters: int
    discriminator_parameters: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepCompleted:
    """At least one more step is done (several, when steps are fast).

    Attributes
    ----------
    step : steps done in all
    elapsed_s : seconds trained in all, resumed parts included
    progress : 0 to 1 of the budget, or None when it has no end
    seconds_left : estimate, or None
    losses : mean of each term over the steps since the last report, by name
    """

    step: int
    elapsed_s: float
    progress: float | None
    seconds_left: float | None
    losses: Mapping[str, float]


@dataclass(frozen=True)
class StepProgress:
    """Part of a long step is done; reported where a step takes seconds.

    Attributes
    ----------
    step : the step that is running
    part : what of it is done, such as "discriminator"
    elapsed_s, progress, seconds_left : as in `StepCompleted`
    """

    step: int
    part: str
    elapsed_s: float
    progress: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class RolledBack:
    """Training diverged; it continues from the last good checkpoint.

    Attributes
    ----------
    step : where it was noticed
    to_step : where it continues from; 0 when it starts again
    reason : what was noticed, as a sentence
    learning_rate : from now on, half of what it was
    left : how many more times it may be rolled back
    """

    step: int
    to_step: int
    reason: str
    learning_rate: float
    left: int


@dataclass(frozen=True)
class MetricsMeasured:
    """The generated crops were measured; lower score is better."""

    step: int
    measurement: Measurement
    score: float
    is_best: bool


@dataclass(frozen=True)
class PreviewReady:
    """Slices to look at: label indices 0 … n − 1.

    Attributes
    ----------
    generated : three 2D label images, slices normal to z, y and x
    real : three 2D label images of the same sizes cut from the high-res slices
    low_res : three 2D label images (low-res phases) of the same places
    """

    step: int
    generated: tuple[Labels, Labels, Labels]
    real: tuple[Labels, Labels, Labels]
    low_res: tuple[Labels, Labels, Labels]


@dataclass(frozen=True)
class ImagesMeasured:
    """The images of a synthesis or translation were measured; lower score is better.

    Attributes
    ----------
    values : numbers by name, such as the gap of the mean fractions, r_t or p
    curves : by name, such as the two-point correlation "real" and "synthetic"
    """

    step: int
    values: Mapping[str, float]
    curves: Mapping[str, NDArray[np.float64]]
    score: float
    is_best: bool


@dataclass(frozen=True)
class ImagesReady:
    """Images to look at: rows such as "synthetic" of 2D uint8 grey values or phase indices."""

    step: int
    rows: Mapping[str, tuple[Labels, ...]]


@dataclass(frozen=True)
class CheckpointSaved:
    """A checkpoint is safely on disk."""

    step: int
    folder: Path
    is_best: bool


@dataclass(frozen=True)
class TrainingFinished:
    """Last event of a training; the run folder holds the weights."""

    reason: FinishReason
    step: int
    elapsed_s: float
    run_folder: Path


@dataclass(frozen=True)
class GenerationStarted:
    """First event of a generation.

    Attributes
    ----------
    shape : voxels of the result, zyx
    tiles : tiles to do
    tiles_done : of these, already on disk from an interrupted generation
    """

    shape: tuple[int, int, int]
    tiles: int
    tiles_done: int = 0


@dataclass(frozen=True)
class TileCompleted:
    """So many tiles are generated; reported at least once a second, changed or not."""

    done: int
    tiles: int
    seconds_left: float | None


@dataclass(frozen=True)
class PartAssembled:
    """All tiles are generated, and `done` of the `parts` of the file are assembled."""

    done: int
    parts: int


@dataclass(frozen=True)
class GenerationFinished:
    """Last event of a generation.

    Attributes
    ----------
    reason : completed or stopped
    labels : phase indices, (Z, Y, X) uint8, when asked for in memory and completed
    path : where the result was written, if it was
    """

    reason: FinishReason
    labels: Labels | None = None
    path: Path | None = None


TrainingEvent = (
    TrainingStarted
    | StepProgress
    | StepCompleted
    | RolledBack
    | MetricsMeasured
    | PreviewReady
    | ImagesMeasured
    | ImagesReady
    | CheckpointSaved
    | TrainingFinished
)
GenerationEvent = GenerationStarted | TileCompleted | PartAssembled | GenerationFinished
