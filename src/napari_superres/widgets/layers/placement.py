"""How a layer lies in the world, and a super-res volume over its low-res layer; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.boxes import Triple
from napari_superres.data.volumes import VoxelSize
from napari_superres.scale_factor import ScaleFactor
from napari_superres.widgets.layers.scale import linear_part

AXES = ("z", "y", "x")


@dataclass(frozen=True, eq=False)
class Placement:
    """The transform of a layer of n axes; for a volume n is 3, in the order zyx.

    Attributes
    ----------
    scale, translate : (n,) world units a voxel, and of the first voxel's centre
    units, axis_labels : (n,)
    rotate : (n, n) rotation
    shear : (n (n − 1) / 2,) upper triangle, or (n, n)
    affine : (n + 1, n + 1) applied after all else
    """

    scale: tuple[float, ...]
    translate: tuple[float, ...]
    units: tuple[str, ...]
    axis_labels: tuple[str, ...]
    rotate: NDArray[np.float64]
    shear: NDArray[np.float64]
    affine: NDArray[np.float64]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that lay another layer of n axes in the same place."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def linear(self) -> NDArray[np.float64]:
        """Matrix from voxels to the world, without the shift and the affine (n, n)."""
        return linear_part(self.rotate, self.shear, self.scale)

    def super_res(
        self, scale_factor: ScaleFactor, start: Sequence[int | Fraction] = (0, 0, 0)
    ) -> dict[str, Any]:
        """Return the layer arguments of a super-res volume or image over this low-res one.

        Parameters
        ----------
        scale_factor : low-res over super-res voxel size, zyx; of an image y and x count
        start : where the result starts, in low-res voxels from the volume's face
        """
        count = len(self.scale)
        first = np.array(first_voxel_in_low_res(scale_factor, start))[-count:]
        factors = np.array([float(factor) for factor in scale_factor])[-count:]
        return self.arguments | {
            "scale": np.array(self.scale) / factors,
            "translate": np.array(self.translate) + self.linear @ first,
        }

    def start_of(self, translate: Sequence[float], scale_factor: ScaleFactor) -> Triple:
        """Return the first low-res voxel that a super-res volume over this one covers.

        Parameters
        ----------
        translate : of the super-res layer, which is turned as this one is
        """
        shift = np.array(translate, np.float64) - self.translate
        first = np.linalg.solve(self.linear, shift) - first_voxel_in_low_res(scale_factor)
        z, y, x = (round(float(at)) for at in first)
        return z, y, x


def placement_of(layer: Any, axes: int = 3) -> Placement:
    """Return how a layer lies in the world along its last axes."""
    labels = tuple(str(label) for label in layer.axis_labels)[-axes:]
    shear = np.asarray(layer.shear, np.float64)
    return Placement(
        scale=tuple(float(size) for size in layer.scale[-axes:]),
        translate=tuple(float(shift) for shift in layer.translate[-axes:]),
        units=tuple(str(unit) for unit in layer.units)[-axes:],
        # napari numbers axes that have no names: -3, -2, -1
        axis_labels=AXES[-len(labels) :] if any("-" in label for label in labels) else labels,
        rotate=np.asarray(layer.rotate, np.float64)[-axes:, -axes:],
        shear=shear[-axes:, -axes:] if shear.ndim == 2 else shear[-(axes * (axes - 1) // 2) :],
        affine=np.asarray(layer.affine.affine_matrix, np.float64)[-axes - 1 :, -axes - 1 :],
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


def first_voxel_in_low_res(
    scale_factor: ScaleFactor, start: Sequence[int | Fraction] = (0, 0, 0)
) -> tuple[float, float, float]:
    """Return the centre of the first super-res voxel in low-res voxel coordinates (zyx).

    Voxel centres lie at whole numbers: with scale factor sf it is
    start + (1/sf − 1)/2, hence translate = (s_SR − s_LR)/2 in world units.
    `start` is the result's first face, in low-res voxels from the volume's face.
    """
    z, y, x = (
        float(Fraction(begin) + (1 / factor - 1) / 2)
        for factor, begin in zip(scale_factor, start, strict=True)
    )
    return z, y, x
