"""Names of phases, pairs and axes, and numbers as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import Phase


def phase_names(phases: Sequence[Phase]) -> list[str]:
    """Return a name for each phase, made unique by the label value where need be.

    "|" is kept for pairs and triples.
    """
    names = [phase.name.replace("|", "/") for phase in phases]
    return [
        name if names.count(name) == 1 else f"{name} ({phase.value})"
        for name, phase in zip(names, phases, strict=True)
    ]


def pair_names(phases: Sequence[Phase]) -> dict[tuple[int, int], str]:
    """Return "a|b" for each pair of phase indices a < b."""
    names = phase_names(phases)
    return {(a, b): f"{names[a]}|{names[b]}" for a, b in combinations(range(len(names)), 2)}


def triple_names(phases: Sequence[Phase]) -> list[str]:
    """Return "a|b|c" for each three phases, in the order of `kinds.triple.phase_triples`."""
    return ["|".join(names) for names in combinations(phase_names(phases), 3)]


def axis_names(ndim: int) -> str:
    """Return the names of the axes of a volume, "zyx", or of a slice, "yx"."""
    return "zyx"[3 - ndim :]


def by_axis(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """Return {name: {axis: value}} of (names, axes, …) values."""
    axes = axis_names(values.shape[1])
    return {
        name: dict(zip(axes, rows, strict=True)) for name, rows in zip(names, values, strict=True)
    }


def as_json(value: Any) -> Any:
    """Return `value` with arrays as lists, and None for what is no finite number."""
    if isinstance(value, Mapping):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        return as_json(value.tolist())
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    if isinstance(value, np.generic):
        return as_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
