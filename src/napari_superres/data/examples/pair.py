"""An example pair made on the spot: a three-phase battery cathode with known 3D truth.

The high-res slices are planes of a second, larger realisation: as in the
laboratory, they show the same material at another place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_superres.config import ImagingModel, Preset, TrainingSettings
from napari_superres.data.examples.cathode import cathode_slices, cathode_volume
from napari_superres.data.examples.simulate import low_res_shape, simulate_low_res
from napari_superres.data.pair import Pair
from napari_superres.data.phases import PALETTE, Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.scale_factor import parse_scale_factor, super_res_shape

HIGH_RES_VOXEL_UM = 0.1

PHASES = tuple(
    Phase(value, name, PALETTE[value])
    for value, name in enumerate(("pore", "active material", "binder"))
)
PHASE_MAP = {0: 0, 1: 1, 2: 0}
"""High-res value : low-res value; the low-res imaging cannot tell binder from pore."""


@dataclass(frozen=True, eq=False)
class Example:
    """A pair with the settings to train it with.

    Attributes
    ----------
    pair : the coarse volume and the sharp slices
    truth : the volume that fusion should come close to, where it is known
    settings : what to train with
    """

    pair: Pair
    truth: SegmentedVolume | None
    settings: TrainingSettings


def example_pair(
    size: int = 192,
    seed: int = 0,
    scale_factor: object = 4,
    slices: int = 3,
    slice_size: int = 512,
) -> Example:
    """Generate a cathode: low-res volume, high-res slices and the 3D truth.

    Parameters
    ----------
    size : side of the truth in high-res voxels (0.1 µm)
    seed : same seed, same material
    scale_factor : low-res over high-res voxel size
    slices : number of high-res slices
    slice_size : side of a slice in high-res voxels

    Returns
    -------
    Example
        Of the fractions 0.48 active material, 0.15 binder and 0.37 pore, in the
        truth and in the slices alike; the low-res volume shows binder as pore.
    """
    factor = parse_scale_factor(scale_factor)
    voxel_size = (HIGH_RES_VOXEL_UM,) * 3
    volume = cathode_volume(size, np.random.default_rng([seed, 0]))
    z, y, x = super_res_shape(low_res_shape(volume.shape, factor), factor)
    labels = np.ascontiguousarray(volume[:z, :y, :x])
    truth = SegmentedVolume(labels, PHASES, voxel_size, "example truth")
    settings = TrainingSettings.model_validate(
        {
            "scale_factor": factor,
            "phase_map": PHASE_MAP,
            "imaging": ImagingModel.BLURRED,
            "preset": Preset.QUICK,
            "seed": seed,
        }
    )
    low_res = simulate_low_res(truth, factor, PHASE_MAP, name="example low-res")
    images = cathode_slices(slices, slice_size, np.random.default_rng([seed, 1]))
    high_res = SegmentedSlices((tuple(images),), PHASES, voxel_size, "example high-res")
    return Example(Pair(low_res, high_res), truth, settings)
