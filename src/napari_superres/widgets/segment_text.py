"""What the Segment panel says; no Qt."""

from __future__ import annotations

from collections.abc import Sequence

from napari_superres.data.grey_values import GreySample
from napari_superres.widgets.colours import readable
from napari_superres.widgets.segment_plan import class_phases


def sample_line(sample: GreySample) -> str:
    """Return how much of the image the histogram shows; empty when all of it."""
    seen = len(sample.values)
    if seen >= sample.of:
        return ""
    return f"Estimated from {_amount(seen)} of {_amount(sample.of)} voxels."


def shares_line(shares: Sequence[float], background: str) -> str:
    """Return each class with its colour and its fraction, as rich text."""
    phases = class_phases(len(shares))
    parts = [
        f'<span style="color:{readable(phase.colour, background, 1.6)}">■</span>&nbsp;'
        f"{phase.name}&nbsp;{share:.3f}"
        for phase, share in zip(phases, shares, strict=True)
    ]
    return "&nbsp; ".join(parts)


def empty_line(shares: Sequence[float]) -> str:
    """Return which class no voxel falls into, and what helps."""
    phases = class_phases(len(shares))
    empty = [phase.name for phase, share in zip(phases, shares, strict=True) if share == 0]
    if not empty:
        return ""
    return f"No voxel is {' or '.join(empty)}: move a threshold, or ask for fewer classes."


def _amount(count: int) -> str:
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if count >= size:
            return f"{count / size:.3g}{word}"
    return str(count)
