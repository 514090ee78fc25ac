"""What realisations agree on: the most frequent phase of each voxel, agreement and entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.arrays import as_labels, slabs


class AgreementMaps(NamedTuple):
    """Maps of one shape, that of each realisation.

    Attributes
    ----------
    likely : uint8, most frequent phase index; ties to the lowest
    agreement : uint8, % of the realisations that have it
    entropy : uint8, % of the highest possible: Σ −p log p / log n
    """

    likely: Labels
    agreement: NDArray[np.uint8]
    entropy: NDArray[np.uint8]


def agreement_maps(volumes: Sequence[object], n_phases: int) -> AgreementMaps:
    """Return what realisations of one volume agree on, voxel by voxel.

    Parameters
    ----------
    volumes : phase indices 0 … n − 1, all of one shape, two or more
    n_phases : n, absent phases included

    Returns
    -------
    AgreementMaps

    Raises
    ------
    SettingsError
        Fewer than two volumes.
    ShapeError, PhaseError
        Volumes of different shapes, or no phase indices.
    """
    arrays = [as_labels(volume, n_phases) for volume in volumes]
    count = len(arrays)
    if count < 2:
        raise SettingsError(
            "There is one realisation." if count else "There is no realisation.",
            "Two or more can agree or not.",
            "Generate another one with another seed.",
        )
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ShapeError(
            f"The realisations have shapes {' and '.join(map(str, shapes))}.",
            "Maps need realisations of the same region.",
            "Choose those of one shape.",
        )
    maps = AgreementMaps(*(np.empty(shapes[0], np.uint8) for _ in range(3)))
    for rows, _ in slabs(arrays[0]):
        votes = np.zeros((n_phases, *arrays[0][rows].shape), np.min_scalar_type(count))
        for array in arrays:
            for phase in range(n_phases):
                votes[phase] += array[rows] == phase
        for whole, part in zip(maps, maps_of_votes(votes, count), strict=True):
            whole[rows] = part
    return maps


def maps_of_votes(votes: NDArray[np.unsignedinteger], count: int) -> AgreementMaps:
    """Return the maps of voxels whose phases were counted.

    Parameters
    ----------
    votes : (n, …) how many realisations have each phase
    count : of the realisations

    Returns
    -------
    AgreementMaps of (…)
    """
    share = np.arange(count + 1) / count
    logs = np.log(share, where=share > 0, out=np.zeros_like(share))
    terms = (-share * logs / np.log(max(len(votes), 2))).astype(np.float32)
    entropy = np.zeros(votes.shape[1:], np.float32)
    for of_phase in votes:
        entropy += terms[of_phase]
    return AgreementMaps(
        votes.argmax(0).astype(np.uint8),
        np.round(100.0 / count * votes.max(0)).astype(np.uint8),
        np.round(100 * entropy).astype(np.uint8),
    )
