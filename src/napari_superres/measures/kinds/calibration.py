"""Calibration: whether realisations differ from each other as much as each does from the truth.

Realisations of a calibrated generator are draws of what the low-res volume leaves open,
and the truth is one more draw: where eight of ten have a phase, it is there in 80 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.arrays import as_labels

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """K realisations against the truth.

    Attributes
    ----------
    pair_difference : mean share of voxels in which two realisations differ
    truth_difference : mean share of voxels in which one differs from the truth
    brier : mean over voxels of Σ over phases of (p̂ − 1[truth])² (Brier 1950)
    likely_wrong : share of voxels whose most frequent phase is not the truth's
    cells : (K + 1,) how often a phase was had by k of K realisations, over all phases
    hits : (K + 1,) in how many of these the truth has the phase
    """

    pair_difference: float
    truth_difference: float
    brier: float
    likely_wrong: float
    cells: Counts
    hits: Counts

    @property
    def ratio(self) -> float:
        """Pair difference over difference to the truth; 1 where it is calibrated."""
        return self.pair_difference / self.truth_difference if self.truth_difference else 1.0

    @property
    def forecast(self) -> NDArray[np.float64]:
        """The shares k / K, (K + 1,): the x axis of the reliability diagram."""
        return np.linspace(0, 1, len(self.cells))

    @property
    def observed(self) -> NDArray[np.float64]:
        """How often the truth has a phase that k of K realisations have; NaN for none."""
        share = np.full(len(self.cells), np.nan)
        np.divide(self.hits, self.cells, out=share, where=self.cells > 0)
        return share

    @property
    def error(self) -> float:
        """The expected calibration error: mean |observed − forecast|, weighted by `cells`.

        Source: Naeini et al. 2015, with the bins that K realisations make.
        """
        gaps = np.abs(np.nan_to_num(self.observed - self.forecast))
        return float((gaps * self.cells).sum() / self.cells.sum())


def calibration(realisations: Iterable[object], truth: object, n_phases: int) -> Calibration:
    """Compare realisations of one volume with its truth.

    Parameters
    ----------
    realisations : two or more, phase indices 0 … n − 1 of the truth's shape; taken one
        after the other, so that a generator of them needs the memory of one
    truth : (Z, Y, X) or (Y, X) phase indices
    n_phases : n

    Raises
    ------
    SettingsError
        Fewer than two realisations.
    ShapeError, PhaseError
        Shapes that differ, or no phase indices.
    """
    known = as_labels(truth, n_phases)
    votes = np.zeros((n_phases, *known.shape), np.uint16)
    count = 0
    for one in realisations:
        labels = as_labels(one, n_phases)
        if labels.shape != known.shape:
            raise ShapeError(
                f"A realisation has the shape {labels.shape}, the truth {known.shape}.",
                "Both must show the same region.",
            )
        for phase in range(n_phases):
            votes[phase] += labels == phase
        count += 1
    if count < 2:
        raise SettingsError(
            f"There {'is one realisation' if count else 'are no realisations'}.",
            "Two or more are needed to compare their spread.",
            "Generate more with other seeds.",
        )
    return of_votes(votes, count, known)


def of_votes(votes: NDArray[np.unsignedinteger], count: int, truth: Labels) -> Calibration:
    """Return the calibration of voxels whose phases were counted.

    Parameters
    ----------
    votes : (n, …) how many of the realisations have each phase
    count : K
    truth : (…) phase indices
    """
    cells, hits = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for phase, had in enumerate(votes):
        cells += np.bincount(had.ravel(), minlength=count + 1)
        hits += np.bincount(had[truth == phase], minlength=count + 1)
    k = np.arange(count + 1, dtype=np.int64)
    alike = int((cells * k * (k - 1)).sum())
    right = int((hits * k).sum())
    voxels = truth.size
    share = k / count
    squares = float((hits * (1 - share) ** 2 + (cells - hits) * share**2).sum())
    return Calibration(
        1 - alike / (voxels * count * (count - 1)),
        1 - right / (voxels * count),
        squares / voxels,
        float(np.mean(votes.argmax(0) != truth)),
        cells,
        hits,
    )
