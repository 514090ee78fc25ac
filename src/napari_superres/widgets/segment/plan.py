"""What the Segment panel computes: thresholds, planes, whole images, and its texts; no Qt."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from napari_superres.data.grey import (
    NO_SMOOTHING,
    GreySample,
    Smoothing,
    check_grey,
    classify,
    grey_sample,
    multi_otsu,
    segment_slabs,
    smoothed_part,
)
from napari_superres.data.phases import PALETTE, Phase
from napari_superres.data.volumes import Labels
from napari_superres.errors import NotSegmentedError, OutOfMemoryError, SettingsError
from napari_superres.events import Done, FinishReason, Progress
from napari_superres.widgets.layers.colours import readable
from napari_superres.widgets.layers.data import finest
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES
from napari_superres.widgets.layers.placement import Placement, placement_of

THIN = 15  # a volume has more planes; fewer are a stack of slices
SPARE = 1.1  # times the bytes of the labels, which must be free
NAMES = {2: ("dark", "bright"), 3: ("dark", "middle", "bright")}


@dataclass(frozen=True, eq=False)
class GreyImage:
    """A greyscale layer as it is now: threads must not touch the layer itself.

    Attributes
    ----------
    name : of the layer
    data : (Y, X) or (Z, Y, X), NumPy, dask or zarr, the finest level
    placement : of the layer, along all its axes
    """

    name: str
    data: Any
    placement: Placement

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return tuple(int(side) for side in self.data.shape)


@dataclass(frozen=True, eq=False)
class Sampled:
    """Some grey values of an image, and the thresholds they suggest."""

    image: GreyImage
    sample: GreySample
    thresholds: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Plane:
    """A segmented plane for the preview: labels of one voxel along `axis`, at `index`."""

    image: GreyImage
    axis: int
    index: int
    labels: Labels


@dataclass(frozen=True, eq=False)
class SegmentedImage:
    """A whole image: labels from 1 to `classes`."""

    image: GreyImage
    classes: int
    labels: Labels


def grey_image(layer: Any) -> GreyImage:
    """Return a layer as an image to segment; InputError for colours or too many axes."""
    if getattr(layer, "rgb", False):
        raise NotSegmentedError(
            f"{layer.name} is a colour image of shape {tuple(layer.data.shape)}.",
            "Thresholds need one grey value a voxel.",
            "Right-click the layer and choose Split RGB, then take one of the channels.",
        )
    data = finest(layer)
    check_grey(data.shape, data.dtype, str(layer.name))
    return GreyImage(str(layer.name), data, placement_of(layer, layer.ndim))


def sample_image(image: GreyImage, classes: int, smoothing: Smoothing = NO_SMOOTHING) -> Sampled:
    """Sample an image's grey values; slow for large and lazy ones."""
    sample = grey_sample(image.data, image.name, smoothing)
    return Sampled(image, sample, first_thresholds(sample, classes))


def first_thresholds(sample: GreySample, classes: int) -> tuple[float, ...]:
    """Return multi-Otsu's thresholds, evenly spread ones where it finds none."""
    try:
        return multi_otsu(sample, classes)
    except SettingsError:
        low, high = sample.limits
        return tuple(np.linspace(low, high, classes + 1)[1:-1].tolist())


def class_phases(classes: int) -> tuple[Phase, ...]:
    """Return the phases of a segmentation, dark to bright, with values from 0."""
    names = NAMES.get(classes) or tuple(f"grey {number}" for number in range(1, classes + 1))
    return tuple(Phase(index, name, PALETTE[index]) for index, name in enumerate(names))


def likely_role(shape: Sequence[int]) -> str:
    """Return what an image of this shape is more likely to be."""
    return LOW_RES if len(shape) == 3 and min(shape) > THIN else HIGH_RES


def sliced_axis(order: Sequence[int], axes_of_viewer: int, axes: int) -> int:
    """Return the axis of a layer that the viewer's slider moves along.

    The last two of the viewer's axes in `order` are on the screen.
    """
    before = axes_of_viewer - axes
    return next(axis - before for axis in order if axis >= before)


def plane_of(
    image: GreyImage, axis: int, index: int, smoothing: Smoothing, thresholds: Sequence[float]
) -> Plane:
    """Segment the plane at `index` along `axis`; a flat image as a whole."""
    if len(image.shape) == 2:
        grey = smoothed_part(image.data, 0, 0, image.shape[0], smoothing, image.name)
    else:
        grey = smoothed_part(image.data, axis, index, index + 1, smoothing, image.name)
    return Plane(image, axis, index, classify(grey, thresholds, first=1))


def plane_placed(plane: Plane) -> dict[str, Any]:
    """Return the layer arguments that lay a plane where it was taken."""
    placement = plane.image.placement
    placed = placement.arguments
    if len(plane.image.shape) == 3:
        shift = placement.linear[:, plane.axis] * plane.index
        placed["translate"] = np.array(placement.translate) + shift
    return placed


def segment_events(
    image: GreyImage, thresholds: Sequence[float], smoothing: Smoothing, stop: threading.Event
) -> Iterator[Progress | Done[SegmentedImage]]:
    """Segment the whole image; OutOfMemoryError where its labels do not fit into memory."""
    needed, free = math.prod(image.shape), psutil.virtual_memory().available
    if needed * SPARE > free:
        raise OutOfMemoryError(
            f"The labels of {image.name} need {needed / 2**30:.1f} GiB; "
            f"{free / 2**30:.1f} GiB are free.",
            "They are kept in memory.",
            "Crop the image, close other programs, or segment it elsewhere and open the result.",
        )
    labels: Labels | None = None
    for share, part in segment_slabs(image.data, thresholds, smoothing, image.name, first=1):
        labels = part
        if stop.is_set():
            yield Done(reason=FinishReason.STOPPED)
            return
        yield Progress("Segmenting", share)
    assert labels is not None
    yield Done(SegmentedImage(image, len(thresholds) + 1, labels))


def digits_for(low: float, high: float, whole: bool) -> tuple[int, float]:
    """Return decimals and step of a field for grey values between two limits."""
    if whole:
        return 0, 1.0
    exponent = math.floor(math.log10(high - low))
    return min(12, max(0, 3 - exponent)), 10.0 ** (exponent - 2)


def moved(thresholds: Sequence[float], index: int, value: float, whole: bool) -> tuple[float, ...]:
    """Return the thresholds with one moved; it pushes others, so that all keep rising."""
    found = list(thresholds)
    found[index] = float(math.floor(value)) if whole else value
    gap = 1.0 if whole else max(abs(value), 1e-12) * 1e-6
    for place in range(index + 1, len(found)):
        found[place] = max(found[place], found[place - 1] + gap)
    for place in range(index - 1, -1, -1):
        found[place] = min(found[place], found[place + 1] - gap)
    return tuple(found)


def sample_line(sample: GreySample) -> str:
    """Return how much of the image the histogram shows; empty when all of it."""
    seen = len(sample.values)
    if seen >= sample.of:
        return ""
    return f"Estimated from {_amount(seen)} of {_amount(sample.of)} voxels."


def shares_line(shares: Sequence[float], background: str) -> str:
    """Return each class with its colour and its fraction, as rich text."""
    phases = class_phases(len(shares))
    parts = [
        f'<span style="color:{readable(phase.colour, background, 1.6)}">■</span>&nbsp;'
        f"{phase.name}&nbsp;{share:.3f}"
        for phase, share in zip(phases, shares, strict=True)
    ]
    return "&nbsp; ".join(parts)


def empty_line(shares: Sequence[float]) -> str:
    """Return which class no voxel falls into, and what helps."""
    phases = class_phases(len(shares))
    empty = [phase.name for phase, share in zip(phases, shares, strict=True) if share == 0]
    if not empty:
        return ""
    return f"No voxel is {' or '.join(empty)}: move a threshold, or ask for fewer classes."


def _amount(count: int) -> str:
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if count >= size:
            return f"{count / size:.3g}{word}"
    return str(count)
