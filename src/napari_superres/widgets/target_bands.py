"""How far the material's own fractions may be from those of the slices; no Qt, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import SuperResError
from napari_superres.measures.naming import phase_names
from napari_superres.measures.representativity import representativity

Band = tuple[float, float]
CONFIDENCE = 0.95


def fraction_bands(high_res: SegmentedSlices) -> Mapping[str, Band]:
    """Return the 95 % interval of each phase's fraction, by phase name.

    Phases of which the slices cannot tell are left out. A generator whose fractions lie
    inside may be as near to the material as the slices can say.

    Parameters
    ----------
    high_res : slices of all axes, pooled

    Raises
    ------
    ShapeError
        Slices too small for it.
    """
    images = [image for images in high_res.sets for image in images]
    bands = {}
    for index, name in enumerate(phase_names(high_res.phases)):
        found = representativity(images, [index], CONFIDENCE)
        if isfinite(found.low) and isfinite(found.high):
            bands[name] = (found.low, found.high)
    return bands


def bands_or_none(high_res: SegmentedSlices) -> Mapping[str, Band]:
    """Return the bands; none where the slices are too small for them."""
    try:
        return fraction_bands(high_res)
    except SuperResError:
        return {}
