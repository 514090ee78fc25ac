"""What this package's files tell beyond their format: phases, and how the volume came to be.

The same JSON in TIFF and OME-Zarr, under one key, where those formats keep free text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_superres.data.phases import Phase
from napari_superres.errors import PhaseError

DOCUMENT_KEY = "napari-superres-fusion"


def document(phases: Sequence[Phase], provenance: Mapping[str, str]) -> dict[str, Any]:
    """Return what is kept under `DOCUMENT_KEY`, JSON-able."""
    return {
        "phases": [
            {"value": phase.value, "name": phase.name, "colour": phase.colour} for phase in phases
        ],
        "provenance": dict(provenance),
    }


def read_document(content: Any) -> tuple[tuple[Phase, ...], dict[str, str]]:
    """Return phases and provenance; nothing where the content is not one of ours."""
    try:
        phases = tuple(
            Phase(int(entry["value"]), str(entry["name"]), str(entry["colour"]))
            for entry in content["phases"]
        )
        return phases, {str(key): str(value) for key, value in content["provenance"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, PhaseError):
        return (), {}
