"""Every measure of a volume or of slices, by name, as arrays with named entries.

One place says what each measure is called, its unit, what its numbers belong to,
and how the numbers of several images make one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Labels
from napari_superres.measures.kinds.chords import chord_counts, mean_chord_lengths
from napari_superres.measures.kinds.fractions import volume_fractions
from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.kinds.percolation import percolating_fractions
from napari_superres.measures.kinds.surface import interface_densities
from napari_superres.measures.kinds.transport import transport_efficiencies
from napari_superres.measures.kinds.triple import triple_line_densities, triple_phase_boundaries
from napari_superres.measures.kinds.two_point import correlation_length, two_point

Values = NDArray[np.float64]
Entries = Literal["phase", "pair", "triple"]

MAX_DISTANCE = 80
STEREOLOGY = 4 / np.pi
"""Area per volume / perimeter per area of a slice, for an isotropic material."""


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes
    ----------
    title : for tables and figures
    entries : what its numbers belong to: phases, pairs or triples of phases
    per_axis : whether there is a number for each axis
    unit : "" for none, "1/L", "1/L²" or "L" with L the unit of length
    of_slices : whether it is defined for slices
    share_of : what it is a share of: images of different sizes count by how many
        of these they have
    absolute : whether differences are given as such, or relative to the reference
    compute : labels, n phases, voxel sizes → (entries,) or (entries, axes)
    """

    title: str
    entries: Entries
    compute: Callable[[Labels, int, Values], Values]
    per_axis: bool = False
    unit: str = ""
    of_slices: bool = True
    share_of: Literal["voxels", "faces", "edges"] = "voxels"
    absolute: bool = False

    def unit_in(self, length: str) -> str:
        """Return the unit with µm or voxel for the length."""
        return self.unit.replace("L", length)

    def weight_of(self, shape: Sequence[int]) -> float:
        """Return how much an image counts among others."""
        size = float(np.prod(shape))
        inner = [1 - 1 / side for side in shape]
        if self.share_of == "faces":
            return size * sum(inner)
        if self.share_of == "edges":
            return size * sum(a * b for a, b in combinations(inner, 2))
        return size


def _pairs(matrix: Values) -> Values:
    """Return the upper triangle of the last two axes, row by row."""
    return matrix[..., *np.triu_indices(matrix.shape[-1], 1)]


def _interface_density(labels: Labels, n: int, sizes: Values) -> Values:
    factor = STEREOLOGY if labels.ndim == 2 else 1.0
    return factor * interface_densities(labels, n, sizes)


def _correlation_lengths(labels: Labels, n: int, sizes: Values) -> Values:
    correlations = two_point(labels, n, MAX_DISTANCE)
    return np.array(
        [
            [
                correlation_length(c[phase, phase], size).length
                for c, size in zip(correlations, sizes, strict=True)
            ]
            for phase in range(n)
        ]
    )


SCALARS: Mapping[str, Measure] = {
    "volume_fractions": Measure(
        "volume fraction", "phase", lambda a, n, s: volume_fractions(a, n), absolute=True
    ),
    "interface_areas": Measure(
        "interface area, share of voxel faces",
        "pair",
        lambda a, n, s: _pairs(interface_areas(a, n)),
        share_of="faces",
    ),
    "triple_phase_boundary": Measure(
        "triple phase boundary, share of voxel edges",
        "triple",
        lambda a, n, s: triple_phase_boundaries(a, n),
        share_of="edges",
    ),
    "specific_surface_area": Measure(
        "specific surface area",
        "phase",
        lambda a, n, s: _interface_density(a, n, s).sum(axis=1),
        unit="1/L",
    ),
    "interface_density": Measure(
        "interface area per volume",
        "pair",
        lambda a, n, s: _pairs(_interface_density(a, n, s)),
        unit="1/L",
    ),
    "triple_line_density": Measure(
        "triple line length per volume",
        "triple",
        triple_line_densities,
        unit="1/L²",
        of_slices=False,
    ),
    "mean_chord_length": Measure(
        "mean chord length",
        "phase",
        lambda a, n, s: mean_chord_lengths(chord_counts(a, n)).T * s,
        per_axis=True,
        unit="L",
    ),
    "correlation_length": Measure(
        "correlation length", "phase", _correlation_lengths, per_axis=True, unit="L"
    ),
    "percolating_fraction": Measure(
        "percolating fraction",
        "phase",
        lambda a, n, s: percolating_fractions(a, n),
        per_axis=True,
        of_slices=False,
        absolute=True,
    ),
    "transport_efficiency": Measure(
        "transport efficiency",
        "phase",
        transport_efficiencies,
        per_axis=True,
        of_slices=False,
        absolute=True,
    ),
}
"""Measures that are one number an entry (and axis)."""


def scalars_on(device: str) -> Mapping[str, Measure]:
    """Return `SCALARS`, with transport solved on a torch device where that is no cpu."""
    transport = replace(
        SCALARS["transport_efficiency"], compute=partial(transport_efficiencies, device=device)
    )
    return {**SCALARS, "transport_efficiency": transport}
