"""Which layer is probably the low-res volume and which are high-res slices; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_superres.widgets.layers.data import KEY

LOW_RES, HIGH_RES, SUPER_RES, TRUTH = "low_res", "high_res", "super_res", "truth"
PREVIEW = "preview"
"""A layer that only shows what would come; no step takes it."""


def role_of(layer: Any) -> str | None:
    """Return the role a layer made here has noted."""
    note = layer.metadata.get(KEY)
    return (note.get("role") or None) if note else None


def guess_roles(layers: Sequence[Any]) -> tuple[Any | None, list[Any]]:
    """Return the likely low-res layer and high-res layers.

    Noted roles come first. Otherwise the low-res volume is the first layer whose
    three axes are all longer than 15, and the others are slices.

    Parameters
    ----------
    layers : in the order they were added
    """
    plain = [layer for layer in layers if role_of(layer) not in (SUPER_RES, TRUTH)]
    noted = [layer for layer in plain if role_of(layer) == LOW_RES]
    volumes = noted or [
        layer
        for layer in plain
        if role_of(layer) is None and layer.ndim == 3 and min(layer.data.shape[-3:]) > 15
    ]
    low_res = volumes[-1] if noted else (volumes[0] if volumes else None)
    slices = [layer for layer in plain if role_of(layer) == HIGH_RES]
    if not slices:
        slices = [
            layer
            for layer in plain
            if layer is not low_res and role_of(layer) is None and not getattr(layer, "rgb", False)
        ]
    return low_res, slices if low_res is not None else []


def bare(proxy: Any) -> Any:
    """Return the viewer or layer behind a proxy; itself where it is none."""
    return getattr(proxy, "__wrapped__", proxy)
