"""What a written result says of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, VoxelSize

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Description:
    """What a written result says of itself.

    Attributes
    ----------
    phases : of the result; their values are what is written
    voxel_size, offset : µm, zyx, or None
    provenance : seed, run, software, as name : text
    sources : fingerprints of network and low-res volume
    """

    phases: Sequence[Phase]
    voxel_size: VoxelSize | None = None
    offset: VoxelSize | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> Labels:
        """The label value of each phase index, (n,) uint8; of a map, the number itself."""
        if not self.phases:
            return np.arange(256, dtype=np.uint8)
        return np.array([phase.value for phase in self.phases], np.uint8)

    def record(self, **more: str) -> dict[str, Any]:
        """Return all that decides about the file, and `more`, for JSON."""
        return asdict(self) | more

    def of_numbers(self) -> Description:
        """Return the description of a map of numbers 0 to 255 in the same place."""
        return replace(self, phases=())


def digest(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a network's weights, in hexadecimal."""
    found = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
