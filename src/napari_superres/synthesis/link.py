"""Synthetic images that join scarce high-res ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_superres.data.files.images import ImageSet
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import PhaseError, ShapeError
from napari_superres.measures.kinds.texture import Segmenter
from napari_superres.runs.run import Run
from napari_superres.synthesis.sampling import SampleRequest, Synthesiser
from napari_superres.synthesis.settings import SYNTHESIS
from napari_superres.synthesis.training import INPUT, cut_images

SAME_SIZE = 0.01


def with_synthetic(
    slices: SegmentedSlices,
    run: Path,
    count: int = 64,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
) -> SegmentedSlices:
    """Return slices with `count` synthetic ones added.

    Segmented images join by their label values. Greyscale images are split by
    Otsu's threshold of the run's real images, dark being the first phase.

    Parameters
    ----------
    slices : of an isotropic material
    run : of synthesis
    count, seed, checkpoint, device : of the images to make

    Raises
    ------
    ShapeError
        An anisotropic material, or another pixel size.
    PhaseError
        The images have a label value that the slices do not have; greyscale images
        where the slices have not two phases.
    """
    if slices.anisotropic:
        raise ShapeError(
            f"{slices.name} has three sets of slices, one for each axis.",
            "Synthetic slices can join those of an isotropic material only.",
        )
    request = SampleRequest.choose(count, seed)
    synthesiser = Synthesiser.load(run, checkpoint, device)
    size = None if slices.voxel_size is None else slices.voxel_size[0]
    _check_pixel_size(slices.name, size, synthesiser)
    images = synthesiser.sample(request)
    if synthesiser.phases:
        index = {phase.value: place for place, phase in enumerate(slices.phases)}
        strange = [p.value for p in synthesiser.phases if p.value not in index]
        if strange:
            raise PhaseError(
                f"The synthetic images have the label values {strange}, which {slices.name} "
                "does not have.",
                "The same values are needed.",
                "Train the synthesis on slices with the values of these.",
            )
        table = np.array([index[phase.value] for phase in synthesiser.phases], np.uint8)
        images = table[images]
    else:
        images = _segmented(images, slices, run)
    both = (*slices.sets[0], *images)
    return replace(slices, sets=(both,), name=f"{slices.name} + {count} synthetic")


def images_with_synthetic(
    images: ImageSet, run: Path, count: int = 64, seed: int = 0, device: str = "auto"
) -> ImageSet:
    """Return the high-res images of a translation with `count` synthetic ones of a run added.

    A PhaseError where one is greyscale and the other segmented, or their label values differ;
    a ShapeError where the pixel sizes do.
    """
    synthesiser = Synthesiser.load(run, device=device)
    _check_pixel_size(images.name, images.pixel_size, synthesiser)
    if [p.value for p in images.phases] != [p.value for p in synthesiser.phases]:
        raise PhaseError(
            f"The synthetic images and {images.name} differ in their phases.",
            "Both are greyscale, or have the same label values.",
        )
    made = synthesiser.sample(SampleRequest.choose(count, seed))
    name = f"{images.name} + {count} synthetic"
    return replace(images, images=(*images.images, *made), name=name)


def _segmented(
    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], slices: SegmentedSlices, run: Path
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    if len(slices.phases) != 2:
        raise PhaseError(
            f"The synthetic images are greyscale, and {slices.name} has "
            f"{len(slices.phases)} phases.",
            "A threshold makes two.",
            "Train the synthesis on segmented slices.",
        )
    opened = Run.open(run, SYNTHESIS)
    training, _ = cut_images(opened.images(INPUT), opened.settings)
    return Segmenter.fit(training.parts, ()).labels(images)


def _check_pixel_size(name: str, wanted: float | None, synthesiser: Synthesiser) -> None:
    size = synthesiser.pixel_size
    if size is None or wanted is None:
        return
    if abs(size - wanted) > SAME_SIZE * size:
        raise ShapeError(
            f"The synthetic images have pixels of {size:.4g} µm, {name} of {wanted:.4g} µm.",
            "The same size is needed.",
            "Take a synthesis that was trained on images of that pixel size.",
        )
