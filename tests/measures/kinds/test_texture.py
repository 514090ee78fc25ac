from __future__ import annotations

import numpy as np
import pytest

from napari_superres.data.phases import phases_from_values
from napari_superres.measures.kinds.texture import Segmenter, measure_texture, texture_gap


def checks(count: int, block: int, seed: int = 0, n: int = 2) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, n, (count, 32 // block, 32 // block))
    return np.kron(coarse, np.ones((1, block, block))).astype(np.uint8)


def test_a_grey_image_is_split_between_its_two_tones() -> None:
    grey = checks(4, 4) * 120 + 60
    segmenter = Segmenter.fit(list(grey), ())
    assert segmenter.threshold is not None
    assert 60 <= segmenter.threshold < 180
    assert (segmenter.labels(grey) == (grey > 100)).all()


def test_phases_are_their_own_segmentation() -> None:
    phases = phases_from_values([0, 128])
    segmenter = Segmenter.fit([], phases)
    images = checks(2, 4)
    assert segmenter.labels(images) is images
    assert segmenter.names == ("phase 0", "phase 128")


def test_coarser_images_have_less_surface_and_longer_correlations() -> None:
    segmenter = Segmenter(("a", "b"))
    fine, coarse = (measure_texture(checks(8, block), segmenter) for block in (2, 8))
    assert coarse.surfaces.mean() < 0.5 * fine.surfaces.mean()
    assert np.nanmedian(coarse.lengths) > 2 * np.nanmedian(fine.lengths)


def test_a_collection_is_at_no_distance_from_itself() -> None:
    texture = measure_texture(checks(4, 4) * 200, Segmenter(("dark", "bright"), 100.0))
    assert texture_gap(texture, texture).score == 0


def test_the_fraction_gap_is_of_the_means() -> None:
    segmenter = Segmenter(("a", "b"))
    none, all_ = (np.full((3, 8, 8), value, np.uint8) for value in (0, 1))
    half = np.concatenate([none, all_])
    gap = texture_gap(measure_texture(half, segmenter), measure_texture(none, segmenter))
    assert gap.fraction == pytest.approx(0.5)
    assert gap.length is None


def test_an_image_of_one_phase_is_measured_too() -> None:
    texture = measure_texture(np.zeros((2, 8, 8), np.uint8), Segmenter(("a", "b", "c")))
    assert texture.fractions.tolist() == [[1, 0, 0]] * 2
    assert np.isnan(texture.lengths).all()
