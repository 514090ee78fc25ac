"""How a layer lies in the world, remembered after the layer may be gone; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import VoxelSize
from napari_superres.scale_factor import ScaleFactor
from napari_superres.widgets.geometry import first_voxel_in_low_res
from napari_superres.widgets.layer_data import AXES

Vector = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Placement:
    """The transform of a three-dimensional layer.

    Attributes
    ----------
    scale, translate : world units a voxel, zyx
    units, axis_labels : as the layer has them
    rotate : (3, 3) rotation
    shear : (3,) upper triangle
    affine : (4, 4) applied after all else
    """

    scale: Vector
    translate: Vector
    units: tuple[str, ...]
    axis_labels: tuple[str, ...]
    rotate: NDArray[np.float64]
    shear: NDArray[np.float64]
    affine: NDArray[np.float64]

    @property
    def linear(self) -> NDArray[np.float64]:
        """Matrix from voxels to the world, without the shift and the affine (3, 3)."""
        shear = np.eye(3)
        shear[np.triu_indices(3, 1)] = self.shear
        return np.asarray(self.rotate @ shear @ np.diag(self.scale))

    def super_res(
        self, scale_factor: ScaleFactor, start: Sequence[int | Fraction] = (0, 0, 0)
    ) -> dict[str, Any]:
        """Return the layer arguments of a super-res volume over this low-res layer.

        Parameters
        ----------
        scale_factor : low-res over super-res voxel size
        start : where the result starts, in low-res voxels from the volume's face
        """
        first = np.array(first_voxel_in_low_res(scale_factor, start))
        factors = np.array([float(factor) for factor in scale_factor])
        return {
            "scale": np.array(self.scale) / factors,
            "translate": np.array(self.translate) + self.linear @ first,
            "units": self.units,
            "axis_labels": self.axis_labels,
            "rotate": self.rotate,
            "shear": self.shear,
            "affine": self.affine,
        }


def placement_of(layer: Any) -> Placement:
    """Return how a layer lies in the world; leading axes beyond three are dropped."""
    labels = tuple(str(label) for label in layer.axis_labels)[-3:]
    return Placement(
        scale=tuple(float(size) for size in layer.scale[-3:]),  # type: ignore[arg-type]
        translate=tuple(float(shift) for shift in layer.translate[-3:]),  # type: ignore[arg-type]
        units=tuple(str(unit) for unit in layer.units)[-3:],
        axis_labels=AXES if any("-" in label for label in labels) else labels,
        rotate=np.asarray(layer.rotate, np.float64)[-3:, -3:],
        shear=np.asarray(layer.shear, np.float64)[-3:],
        affine=np.asarray(layer.affine.affine_matrix, np.float64)[-4:, -4:],
    )


def plain_placement(voxel_size: VoxelSize | None) -> Placement:
    """Return the placement of a low-res volume that has no layer: at the origin, in µm."""
    unit = "pixel" if voxel_size is None else "um"
    return Placement(
        voxel_size or (1.0, 1.0, 1.0),
        (0.0, 0.0, 0.0),
        (unit,) * 3,
        AXES,
        np.eye(3),
        np.zeros(3),
        np.eye(4),
    )
