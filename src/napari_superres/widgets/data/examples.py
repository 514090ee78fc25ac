"""Layers of the examples, for File › Open Sample and for the panel's button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_superres.data.volumes import VoxelSize
from napari_superres.widgets.layers.geometry import implied_sizes
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES
from napari_superres.widgets.layers.placement import AXES
from napari_superres.widgets.layers.shown import LayerTuple, phase_layer, stacked

if TYPE_CHECKING:
    from napari_superres.data.examples.pair import Example

SINGLE = 6
"""Images of one set that get a layer each; more of one shape become a stack."""


def example_layers(example: Example) -> list[LayerTuple]:
    """Return the low-res volume and, to its right, its high-res slices.

    The slices lie on top of each other, the first one visible, so that both inputs
    are seen at the same physical scale.
    """
    low_res, high_res = example.pair.low_res, example.pair.high_res
    unit, scale, fine = _sizes(example)
    layers = [
        phase_layer(
            low_res.labels, low_res.phases, low_res.name, LOW_RES, scale=scale, units=(unit,) * 3
        )
    ]
    left = scale[2] * (low_res.shape[2] - 0.5) * 1.05
    for axis, images in enumerate(high_res.sets):
        plane = f" normal to {AXES[axis]}" if high_res.anisotropic else ""
        rows, columns = (fine[other] for other in range(3) if other != axis)
        shown = images if len(images) <= SINGLE else stacked(images)
        for number, image in enumerate(shown, 1):
            top = (scale[1] * low_res.shape[1] - rows * image.shape[-2]) / 2
            ndim = image.ndim
            layers.append(
                phase_layer(
                    image,
                    high_res.phases,
                    f"{high_res.name}{plane} {number}",
                    HIGH_RES,
                    scale=(fine[axis], rows, columns)[-ndim:],
                    units=(unit,) * ndim,
                    translate=(0.0, top, left)[-ndim:],
                    visible=len(layers) == 1,
                )
            )
    return layers


def _sizes(example: Example) -> tuple[str, VoxelSize, VoxelSize]:
    """Return the unit, and the voxel sizes of low-res and high-res in it.

    One that is not known follows from the other; of none, the low-res voxel is the unit.
    """
    low, high = example.pair.low_res.voxel_size, example.pair.high_res.voxel_size
    if low is None or high is None:
        factor = example.settings.scale_factor
        low, high = implied_sizes(low, high, factor)
        if low is None or high is None:
            z, y, x = (1 / float(one) for one in factor)
            return "pixel", (1.0, 1.0, 1.0), (z, y, x)
    return "um", low, high


def open_example_pair() -> list[LayerTuple]:
    """Generate the example cathode: a low-res volume and three high-res slices."""
    from napari_superres.data.examples.pair import example_pair

    return example_layers(example_pair())


def open_published(case: int) -> list[LayerTuple]:
    """Fetch a case study of the paper; needs the internet the first time."""
    from napari.utils.notifications import show_error

    from napari_superres.data.examples.published import fetch_published
    from napari_superres.errors import InputError
    from napari_superres.widgets.run.preferences import preferences, usable_cache

    try:
        return example_layers(fetch_published(case, usable_cache(preferences().cache_folder)))
    except InputError as error:
        show_error(str(error))
        return []


def open_case_2() -> list[LayerTuple]:
    """Fetch case study 2, a battery separator (anisotropic)."""
    return open_published(2)


def open_case_3() -> list[LayerTuple]:
    """Fetch case study 3, a fuel-cell anode (sampled)."""
    return open_published(3)
