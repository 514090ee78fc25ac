"""Two-point correlations along the axes, and the correlation length fitted to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.optimize import curve_fit

from napari_superres.data.volumes import Labels
from napari_superres.measures.arrays import as_labels

LINES_BYTES = 1 << 23
"""Memory for the spectra of a batch of lines."""


def two_point(
    labels: object, n_phases: int, max_distance: int = 80, periodic: bool = False
) -> NDArray[np.float64]:
    """Measure the two-point correlations within and between phases, along each axis.

    Definition: P(phase at x is a and at x + d is b), for d voxels along an axis,
    over all x that have both voxels. a = b is the intra-phase, a ≠ b the
    inter-phase correlation. Dimensionless. Source: Dahari et al. 2022, SI fig. 10
    (there conditional on a: divide by entry [a, a, 0]); computed by FFT.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X) phase indices 0 … n − 1
    n_phases : n, absent phases included (their entries are 0)
    max_distance : largest d in voxels
    periodic : whether the volume repeats beyond its faces

    Returns
    -------
    (axes, n, n, max_distance + 1) float64
        Entry [axis, a, b, d]. [axis, a, a, 0] is the volume fraction. NaN where no
        two voxels are d apart (d not below the size of the axis).
    """
    array = as_labels(labels, n_phases)
    return np.stack(
        [
            _along(np.moveaxis(array, axis, -1), n_phases, max_distance, periodic)
            for axis in range(array.ndim)
        ]
    )


def _along(lines: Labels, n_phases: int, max_distance: int, periodic: bool) -> NDArray[np.float64]:
    """Return (n, n, d + 1) for the last axis of `lines`."""
    size = lines.shape[-1]
    n_lines = lines.size // size
    length = size if periodic else fft.next_fast_len(size + min(max_distance, size - 1), real=True)
    n_free = max(1, n_phases - 1)  # the last phase follows from the others
    spectrum = np.zeros((n_free, n_free, length // 2 + 1), np.complex128)
    profile = np.zeros((n_phases, size))
    for part in _batches(lines, length * n_free):
        share = np.stack([part == phase for phase in range(n_free)])
        profile[:n_free] += share.sum(axis=1)
        waves = fft.rfft(share.astype(np.float64), length, axis=-1)
        for a in range(n_free):
            for b in range(a, n_free):
                spectrum[a, b] += np.einsum("lk,lk->k", waves[a].conj(), waves[b])
    for a in range(n_free):
        for b in range(a):
            spectrum[a, b] = spectrum[b, a].conj()
    if n_phases > 1:
        profile[-1] = n_lines - profile[:-1].sum(axis=0)
    distances = np.arange(max_distance + 1)
    pairs = np.rint(fft.irfft(spectrum, length, axis=-1))  # they are counts
    pairs = pairs[..., distances % size if periodic else np.minimum(distances, size - 1)]
    counts = _with_last_phase(pairs, profile, distances, periodic)
    possible = n_lines * (np.full(distances.shape, size) if periodic else size - distances)
    result = np.full(counts.shape, np.nan)
    np.divide(counts, possible, out=result, where=possible > 0)
    return result


def _batches(lines: Labels, voxels_per_line: int) -> Iterator[Labels]:
    """Yield (lines, size) parts of `lines`, contiguous and of bounded memory."""
    size = lines.shape[-1]
    if lines.ndim == 2:
        lines = lines[None]
    rows = max(1, LINES_BYTES // (8 * voxels_per_line * lines.shape[1]))
    for start in range(0, lines.shape[0], rows):
        yield np.ascontiguousarray(lines[start : start + rows]).reshape(-1, size)


def _with_last_phase(
    pairs: NDArray[np.float64],
    profile: NDArray[np.float64],
    distances: NDArray[np.int64],
    periodic: bool,
) -> NDArray[np.float64]:
    """Add the last phase's row and column, by what is left of each phase's voxels.

    `profile` (n, size) counts each phase by position: at distance d, x runs over
    the first and x + d over the last size − d positions.
    """
    n_phases, size = profile.shape
    if n_phases == 1:
        return pairs
    upto = np.concatenate([np.zeros((n_phases, 1)), np.cumsum(profile, axis=1)], axis=1)
    reach = np.full(distances.shape, size) if periodic else np.maximum(size - distances, 0)
    first = upto[:, reach]
    last = upto[:, -1:] - upto[:, size - reach]
    counts = np.zeros((n_phases, n_phases, distances.size))
    counts[:-1, :-1] = pairs
    counts[:-1, -1] = first[:-1] - pairs.sum(axis=1)
    counts[-1, :-1] = last[:-1] - pairs.sum(axis=0)
    counts[-1, -1] = first[-1] - counts[-1, :-1].sum(axis=0)
    return counts


class CorrelationLength(NamedTuple):
    """A fitted correlation length and the standard error of the fit, both in `spacing`'s unit."""

    length: float
    error: float


def correlation_length(correlation: NDArray[np.float64], spacing: float = 1.0) -> CorrelationLength:
    """Fit the correlation length λ of one phase along one axis.

    Definition: least-squares fit of exp(−h/λ) to
    R(h) = (S2(h) − φ²)/(φ(1 − φ)), φ = S2(0). Source: Liu & Mukerji 2022, Results.

    Parameters
    ----------
    correlation : (d + 1,) intra-phase two-point correlation S2
    spacing : voxel size along the axis, for example in µm

    Returns
    -------
    CorrelationLength
        NaN for a phase that is absent or alone, with fewer than three distances, or
        where no fit is found; infinite where R does not fall.
    """
    known = correlation[np.isfinite(correlation)]
    fraction = known[0] if known.size else 0.0
    if known.size < 3 or not 1e-12 < fraction < 1 - 1e-12:
        return CorrelationLength(np.nan, np.nan)
    decay = (known - fraction**2) / (fraction * (1 - fraction))
    distance = np.arange(known.size, dtype=float)
    longest = 1e3 * known.size
    start = np.clip(np.argmax(decay < np.exp(-1)) or known.size, 0.1, longest / 2)
    try:
        with np.errstate(divide="ignore"):  # far below a voxel, no change of λ shows
            (log_length,), covariance = curve_fit(
                lambda h, log_length: np.exp(-h * np.exp(-log_length)),
                distance,
                decay,
                p0=[np.log(start)],
                bounds=(np.log(1e-3), np.log(longest)),
            )
    except RuntimeError:  # noise, of which no exponential is the nearest
        return CorrelationLength(np.nan, np.nan)
    length = float(np.exp(log_length))
    if length > 0.9 * longest:
        return CorrelationLength(np.inf, np.inf)
    return CorrelationLength(spacing * length, spacing * length * float(np.sqrt(covariance[0, 0])))
