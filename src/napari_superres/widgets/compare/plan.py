"""Which volumes the Compare step shows, and maps of what they agree on; no Qt."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import PhaseError, SettingsError
from napari_superres.events import Done, FinishReason, Progress
from napari_superres.measures.kinds.agreement import AgreementMaps, agreement_maps
from napari_superres.widgets.layers.data import volume_from_layer
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES, SUPER_RES, TRUTH, role_of
from napari_superres.widgets.layers.scale import layer_voxel_size, micrometres
from napari_superres.widgets.layers.view import LayerView

ORDER = (LOW_RES, SUPER_RES, TRUTH)
"""From left to right."""


def side_by_side(layers: Sequence[Any]) -> list[Any]:
    """Return the volumes worth comparing: low-res, realisations, truth; else all volumes."""
    volumes = [one for one in layers if one.ndim == 3 and role_of(one) != HIGH_RES]
    known = [one for role in ORDER for one in volumes if role_of(one) == role]
    return known or volumes


def two_to_blink(layers: Sequence[Any]) -> tuple[Any | None, Any | None]:
    """Return the two layers that blink in turn unless others are chosen."""
    chosen = side_by_side(layers)
    made = [one for one in chosen if role_of(one) == SUPER_RES]
    if made and len(chosen) > 1:
        others = [one for one in chosen if one is not made[0]]
        truth = [one for one in others if role_of(one) == TRUTH]
        return made[0], (truth or others)[0]
    return (chosen[0] if chosen else None), (chosen[1] if len(chosen) > 1 else None)


def check_one_place(layers: Sequence[Any]) -> None:
    """Raise SettingsError for volumes of one shape that lie half a voxel apart or more."""
    first = layers[0]
    voxel = min(layer_voxel_size(first) or np.abs(first.scale))
    for other in layers[1:]:
        if tuple(other.data.shape) != tuple(first.data.shape):
            continue  # reported when they are counted
        if np.linalg.norm(_ends(other) - _ends(first), axis=1).max() >= voxel / 2:
            raise SettingsError(
                f"{first.name} and {other.name} do not lie in one place.",
                "Maps compare realisations voxel by voxel.",
                "Tick those of one region.",
            )


def _ends(layer: Any) -> NDArray[np.float64]:
    """Return the centres of the first and the last voxel (2, 3), in µm where units are known."""
    corners = np.zeros(3), np.array(layer.data.shape) - 1
    factors = np.array([micrometres(unit) or 1.0 for unit in layer.units])
    world = [np.asarray(layer.data_to_world(corner), np.float64) for corner in corners]
    return np.asarray(np.array(world) * factors, np.float64)


@dataclass(frozen=True, eq=False)
class Agreement:
    """What `count` realisations agree on.

    Attributes
    ----------
    same : share of the voxels in which all realisations agree, 0 to 1
    mean : mean agreement, per cent
    """

    maps: AgreementMaps
    count: int
    same: float
    mean: float


def map_events(
    views: Sequence[LayerView], stop: threading.Event
) -> Iterator[Progress | Done[Agreement]]:
    """Read realisations and make maps of what they agree on.

    Fewer than two volumes, or volumes of different shapes or phases, raise SuperResError.
    """
    volumes: list[SegmentedVolume] = []
    for number, view in enumerate(views):
        if stop.is_set():
            yield Done(reason=FinishReason.STOPPED)
            return
        yield Progress(f"Reading {view.name}", number / (len(views) + 1))
        volumes.append(volume_from_layer(view))
    values = {tuple(phase.value for phase in volume.phases) for volume in volumes}
    if len(values) > 1:
        raise PhaseError(
            "The volumes have different label values.",
            "Realisations of one material have the same.",
            "Tick realisations of one run only.",
        )
    yield Progress("Counting", len(views) / (len(views) + 1))
    n_phases = len(volumes[0].phases) if volumes else 1
    maps = agreement_maps([volume.labels for volume in volumes], n_phases)
    same, mean = float(np.mean(maps.agreement == 100)), float(maps.agreement.mean())
    yield Done(Agreement(maps, len(volumes), same, mean))


def agreement_line(made: Agreement) -> str:
    """Return what the maps say in one sentence."""
    return (
        f"{made.count} realisations agree in {100 * made.same:.1f}\u00a0% of the voxels; "
        f"on average {made.mean:.1f}\u00a0% of them have the most frequent phase."
    )
