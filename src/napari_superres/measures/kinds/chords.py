"""Chord lengths: how far one can go straight on within a phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.measures.arrays import as_labels

BATCH_VOXELS = 1 << 22


def chord_counts(labels: object, n_phases: int, keep_cut: bool = False) -> NDArray[np.int64]:
    """Count the chords of each length along each axis.

    A chord is a straight run of voxels of one phase, as long as it can be.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included
    keep_cut : whether chords that touch a face of the volume count; they are cut
        there, their true length is unknown

    Returns
    -------
    (axes, n, longest axis + 1) int64
        Entry [axis, phase, length in voxels].
    """
    array = as_labels(labels, n_phases)
    longest = max(array.shape)
    counts = np.zeros((array.ndim, n_phases, longest + 1), np.int64)
    for axis in range(array.ndim):
        lines = np.moveaxis(array, axis, -1)
        rows = max(1, BATCH_VOXELS // max(1, lines[0].size))
        for start in range(0, lines.shape[0], rows):
            part = np.ascontiguousarray(lines[start : start + rows])
            counts[axis] += _runs(part, n_phases, longest, keep_cut)
    return counts


def _runs(lines: Labels, n_phases: int, longest: int, keep_cut: bool) -> NDArray[np.int64]:
    """Count the runs of each phase and length along the last axis."""
    size = lines.shape[-1]
    flat = lines.reshape(-1)
    begins = np.empty(flat.size, bool)
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[::size] = True
    first = np.flatnonzero(begins)
    length = np.diff(first, append=flat.size)
    code = flat[first].astype(np.intp) * (longest + 1) + length
    if not keep_cut:
        place = first % size
        code = code[(place > 0) & (place + length < size)]
    counted = np.bincount(code, minlength=n_phases * (longest + 1))
    return counted.reshape(n_phases, longest + 1)


def chord_distribution(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability that a voxel lies in a chord of each length.

    Definition: length-weighted chord length distribution, d · N(d) / Σ d · N(d),
    over the voxels of counted chords. Source: Dahari et al. 2022, SI fig. 10.

    Parameters
    ----------
    counts : (..., lengths) from `chord_counts`, or sums of these

    Returns
    -------
    (..., lengths) float64
        Adds up to 1; all zero where no chord was counted.
    """
    weighted = counts * np.arange(counts.shape[-1])
    total = weighted.sum(axis=-1, keepdims=True)
    return np.asarray(weighted / np.maximum(total, 1), np.float64)


def mean_chord_lengths(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean length of the counted chords, each chord counting once.

    Returns
    -------
    (...) float64, voxels; NaN where no chord was counted
    """
    number = counts.sum(axis=-1)
    total = (counts * np.arange(counts.shape[-1])).sum(axis=-1)
    result = np.full(number.shape, np.nan)
    np.divide(total, number, out=result, where=number > 0)
    return result
