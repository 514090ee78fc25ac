"""Measures that are curves: two-point correlations, chord lengths, Fourier profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels
from napari_superres.measures.arrays import weighted_mean
from napari_superres.measures.catalogue import MAX_DISTANCE
from napari_superres.measures.kinds.chords import chord_counts, chord_distribution
from napari_superres.measures.kinds.fourier import FourierProfile, fourier_profile, planes
from napari_superres.measures.kinds.two_point import two_point
from napari_superres.measures.naming import axis_names, by_axis, pair_names, phase_names

Values = NDArray[np.float64]
Images = Sequence[Labels]


def two_point_curves(labels: Labels, n_phases: int) -> tuple[Values, Values]:
    """Return the intra-phase (n, axes, d + 1) and inter-phase (pairs, axes, d + 1) correlations.

    An inter-phase correlation is the mean of a → b and b → a.
    """
    found = two_point(labels, n_phases, MAX_DISTANCE).transpose(1, 2, 0, 3)
    both = (found + found.transpose(1, 0, 2, 3)) / 2
    each = np.arange(n_phases)
    return found[each, each], both[np.triu_indices(n_phases, 1)]


def chord_curves(labels: Labels, n_phases: int) -> Values:
    """Return the chord length distributions (n, axes, d + 1); longer ones are cut off."""
    distribution = chord_distribution(chord_counts(labels, n_phases)).transpose(1, 0, 2)
    curves = np.zeros((n_phases, labels.ndim, MAX_DISTANCE + 1))
    kept = min(curves.shape[-1], distribution.shape[-1])
    curves[..., :kept] = distribution[..., :kept]
    return curves


def fourier_profiles(images: Images, n_phases: int, sizes: Values) -> dict[str, FourierProfile]:
    """Return the profile of a volume's slices normal to z, y, x; of slices, of all as "image"."""
    if images[0].ndim == 2:
        return {"image": fourier_profile(images, n_phases, sizes)}
    return {
        name: fourier_profile(planes(images[0], axis), n_phases, np.delete(sizes, axis))
        for axis, name in enumerate("zyx")
    }


def _steps(sizes: Values) -> dict[str, Values]:
    return {
        axis: np.arange(MAX_DISTANCE + 1) * size
        for axis, size in zip(axis_names(sizes.size), sizes, strict=True)
    }


def _two_point(images: Images, phases: Sequence[Phase], sizes: Values) -> dict[str, Any]:
    found = [two_point_curves(image, len(phases)) for image in images]
    weights = [image.size for image in images]
    intra, inter = (weighted_mean([pair[k] for pair in found], weights) for k in (0, 1))
    return {
        "distance": _steps(sizes),
        "intra": by_axis(phase_names(phases), intra),
        "inter": by_axis(list(pair_names(phases).values()), inter),
    }


def _chord_length(images: Images, phases: Sequence[Phase], sizes: Values) -> dict[str, Any]:
    found = [chord_curves(image, len(phases)) for image in images]
    mean = weighted_mean(found, [image.size for image in images])
    return {"length": _steps(sizes), "distribution": by_axis(phase_names(phases), mean)}


def _fourier_profile(images: Images, phases: Sequence[Phase], sizes: Values) -> dict[str, Any]:
    return {
        normal: {"frequency": profile.frequency, "magnitude": profile.magnitude}
        for normal, profile in fourier_profiles(images, len(phases), sizes).items()
    }


CURVES: Mapping[str, Callable[[Images, Sequence[Phase], Values], dict[str, Any]]] = {
    "two_point": _two_point,
    "chord_length": _chord_length,
    "fourier_profile": _fourier_profile,
}
"""By name: images of one material, phases, voxel sizes → nested dictionaries of arrays."""
