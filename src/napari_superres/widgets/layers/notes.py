"""What layers remember of themselves: role, phases, file; and which are likely inputs; no Qt.

Layers made here keep a note in their metadata; layers of the user have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_superres.data.phases import Phase

KEY = "napari-superres"
"""Of the note in a layer's metadata."""
LOW_RES, HIGH_RES, SUPER_RES, TRUTH = "low_res", "high_res", "super_res", "truth"
SYNTHETIC = "synthetic"
"""A result that is no input by itself: generated or translated images."""
PREVIEW = "preview"
"""A layer that only shows what would come; no step takes it."""


def note_of(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the note in a layer's metadata, empty where there is none."""
    note = metadata.get(KEY)
    return note if isinstance(note, Mapping) else {}


def role_of(layer: Any) -> str | None:
    """Return the role of a layer made here."""
    return note_of(layer.metadata).get("role") or None


def is_map(layer: Any) -> bool:
    """Whether a layer only shows something about volumes: maps, a swipe."""
    return "map" in note_of(layer.metadata)


def phase_note(phases: Sequence[Phase], **more: Any) -> dict[str, Any]:
    """Return the metadata of a layer that shows phases as index + 1."""
    return {KEY: {"phases": [(p.value, p.name, p.colour) for p in phases], **more}}


def phases_in(metadata: Mapping[str, Any]) -> tuple[Phase, ...] | None:
    """Return the phases in a layer's metadata, None for a layer that was not made here."""
    note = note_of(metadata)
    return tuple(Phase(*entry) for entry in note["phases"]) if "phases" in note else None


def layer_phases(layer: Any) -> tuple[Phase, ...] | None:
    """Return the phases of a layer made here, which shows them as index + 1."""
    return phases_in(layer.metadata)


def path_of(layer: Any) -> Path | None:
    """Return the file behind a layer, None where there is none."""
    kept = note_of(layer.metadata).get("path") or layer.metadata.get("path")
    found = kept or getattr(getattr(layer, "source", None), "path", None)
    return Path(str(found)) if found else None


def guess_roles(layers: Sequence[Any]) -> tuple[Any | None, list[Any]]:
    """Return the likely low-res layer and high-res layers.

    Layers that remember a role come first. Otherwise the low-res volume is the first layer
    whose three axes are all longer than 15, and the others are slices.

    Parameters
    ----------
    layers : in the order they were added
    """
    plain = [layer for layer in layers if role_of(layer) not in (SUPER_RES, TRUTH)]
    known = [layer for layer in plain if role_of(layer) == LOW_RES]
    likely = [
        layer
        for layer in plain
        if role_of(layer) is None and layer.ndim == 3 and min(layer.data.shape[-3:]) > 15
    ]
    low_res = known[-1] if known else next(iter(likely), None)
    slices = [layer for layer in plain if role_of(layer) == HIGH_RES]
    if not slices:
        slices = [
            layer
            for layer in plain
            if layer is not low_res and role_of(layer) is None and not getattr(layer, "rgb", False)
        ]
    return low_res, slices if low_res is not None else []


def unwrapped(proxy: Any) -> Any:
    """Return the viewer or layer behind a proxy of napari; itself where it is none."""
    return getattr(proxy, "__wrapped__", proxy)


def same_layer(one: Any, other: Any) -> bool:
    """Whether two proxies stand for one layer."""
    return unwrapped(one) is unwrapped(other)
