"""High-res material kept from training, to measure against.

Whole images where there are many; else a strip at the end of each image's longer
side; nothing where the strip would be too thin to measure, or what is left
too small to train on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from napari_superres.config import TrainingSettings
from napari_superres.data.volumes import Labels, SegmentedSlices

MANY = 8
"""From so many images on, whole ones are held back: the last of the stack."""
THINNEST = 16
"""Pixels that a strip must be wide."""
ROOM = 1.5
"""What is left of an image must be so many training crops long."""


@dataclass(frozen=True, eq=False)
class Split:
    """High-res slices, divided.

    Attributes
    ----------
    all : the slices before they were divided
    training : what crops are taken from
    held_back : what they are measured against, or None where there is too little
    """

    all: SegmentedSlices
    training: SegmentedSlices
    held_back: SegmentedSlices | None

    @property
    def reference(self) -> SegmentedSlices:
        """What to measure against: what was held back, else what is trained on."""
        return self.held_back or self.training


def hold_back(
    high_res: SegmentedSlices, settings: TrainingSettings, needed: Sequence[tuple[int, int]]
) -> Split:
    """Divide slices into those to train on and those to measure against.

    Parameters
    ----------
    high_res : all slices
    settings : `engine.held_back` is the share to hold back
    needed : rows and columns of a training crop normal to z, y and x

    Returns
    -------
    Split
        Every set is divided, or none: measures against one axis alone would mislead.
    """
    share = settings.engine.held_back
    parts = [
        _divide(images, share, needed if len(high_res.sets) == 1 else needed[axis : axis + 1])
        for axis, images in enumerate(high_res.sets)
    ]
    if any(not held for _, held in parts):
        return Split(high_res, high_res, None)
    kept, held = zip(*parts, strict=True)
    return Split(high_res, replace(high_res, sets=tuple(kept)), replace(high_res, sets=tuple(held)))


def describe(split: Split, settings: TrainingSettings) -> str:
    """Return one sentence on what is held back, for the list of findings."""
    if settings.engine.held_back == 0:
        return "No high-res material is held back: two-point errors are those on training slices."
    if split.held_back is None:
        return (
            "The high-res slices are too small to hold a part of them back: two-point errors "
            "are those on the training slices."
        )
    images = split.held_back.images
    sizes = " and ".join(sorted({f"{rows} × {columns}" for rows, columns in shapes(images)}))
    wanted = settings.engine.held_back
    share = Fraction(wanted).limit_denominator(16) or Fraction(1, round(1 / wanted))
    return (
        f"{share} of the high-res slices is not trained on but measured against: "
        f"{len(images)} of {sizes} pixels."
    )


def shapes(images: Sequence[Labels]) -> list[tuple[int, int]]:
    """Return rows and columns of each image."""
    return [(image.shape[0], image.shape[1]) for image in images]


def _divide(
    images: Sequence[Labels], share: float, needed: Sequence[tuple[int, int]]
) -> tuple[tuple[Labels, ...], tuple[Labels, ...]]:
    if share == 0:
        return tuple(images), ()
    side = max(max(size) for size in needed)
    if len(images) >= MANY:
        count = max(1, round(share * len(images)))
        if any(min(image.shape) >= side for image in images[:-count]):
            return tuple(images[:-count]), tuple(images[-count:])
    kept, held = [], []
    for image in images:
        axis = 0 if image.shape[0] > image.shape[1] else 1
        length = image.shape[axis]
        width = round(share * length)
        if width < THINNEST or length - width < ROOM * side:
            kept.append(image)
            continue
        cut = length - width
        kept.append(image[:cut] if axis == 0 else image[:, :cut])
        held.append(image[cut:] if axis == 0 else image[:, cut:])
    return tuple(kept), tuple(held)
