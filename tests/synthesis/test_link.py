from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import PhaseError, ShapeError
from napari_superres.synthesis.link import images_with_synthetic, with_synthetic
from tests.synthesis.materials import tiny_images


def slices_of(values: list[int], size: float | None = 0.1) -> SegmentedSlices:
    image = np.resize(np.array(values, np.uint8), (20, 24))
    return SegmentedSlices.from_labels([[image]], None if size is None else (size,) * 3)


def test_synthetic_slices_join_the_real_ones(phase_run: Path) -> None:
    joined = with_synthetic(slices_of([0, 1, 2]), phase_run, 5, device="cpu")
    shapes = [image.shape for image in joined.sets[0]]
    assert shapes == [(20, 24)] + [(16, 16)] * 5
    assert max(image.max() for image in joined.sets[0]) <= 2


def test_phases_join_by_their_values(phase_run: Path) -> None:
    joined = with_synthetic(slices_of([0, 1, 2, 7]), phase_run, 2, device="cpu")
    assert [phase.value for phase in joined.phases] == [0, 1, 2, 7]
    assert max(image.max() for image in joined.sets[0][1:]) <= 2


def test_grey_images_become_two_phases(grey_run: Path) -> None:
    joined = with_synthetic(slices_of([0, 1]), grey_run, 3, device="cpu")
    assert set(np.unique(np.stack(joined.sets[0][1:]))) <= {0, 1}


def test_what_does_not_fit_is_refused(grey_run: Path, phase_run: Path) -> None:
    with pytest.raises(PhaseError, match="label values"):
        with_synthetic(slices_of([0, 1]), phase_run, 1, device="cpu")
    with pytest.raises(PhaseError, match="A threshold makes two"):
        with_synthetic(slices_of([0, 1, 2]), grey_run, 1, device="cpu")
    with pytest.raises(ShapeError, match="pixels"):
        with_synthetic(slices_of([0, 1], 0.5), grey_run, 1, device="cpu")


def test_synthetic_images_join_those_of_a_translation(grey_run: Path) -> None:
    joined = images_with_synthetic(tiny_images(), grey_run, 3, device="cpu")
    assert [image.shape for image in joined.images] == [(48, 64)] + [(16, 16)] * 3


def test_images_of_other_pixels_or_phases_are_refused(grey_run: Path, phase_run: Path) -> None:
    coarse = replace(tiny_images(), pixel_size=0.4)
    with pytest.raises(ShapeError, match=r"0\.4 µm"):
        images_with_synthetic(coarse, grey_run, 1, device="cpu")
    with pytest.raises(PhaseError, match="differ in their phases"):
        images_with_synthetic(tiny_images(), phase_run, 1, device="cpu")
