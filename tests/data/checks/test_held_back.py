from __future__ import annotations

import numpy as np
import pytest

from napari_superres.config import PRESETS, Preset, TrainingSettings
from napari_superres.data.checks.held_back import describe, hold_back
from napari_superres.data.volumes import SegmentedSlices

NEEDED = [(48, 48)] * 3


def settings(share: float = 0.125) -> TrainingSettings:
    engine = PRESETS[Preset.QUICK].replace(held_back=share)
    return TrainingSettings.model_validate(
        {"scale_factor": 4, "phase_map": {0: 0, 1: 1}, "engine": engine}
    )


def slices(*shapes: tuple[int, int], sets: int = 1) -> SegmentedSlices:
    rng = np.random.default_rng(0)
    one = [rng.integers(0, 2, shape).astype(np.uint8) for shape in shapes]
    return SegmentedSlices.from_labels([one] * sets)


def test_a_strip_of_the_longer_side_is_held_back_and_shares_no_pixel() -> None:
    high_res = slices((100, 256), (256, 100))
    split = hold_back(high_res, settings(), NEEDED)
    assert split.held_back is not None
    assert [image.shape for image in split.training.sets[0]] == [(100, 224), (224, 100)]
    assert [image.shape for image in split.held_back.sets[0]] == [(100, 32), (32, 100)]
    whole = np.hstack([split.training.sets[0][0], split.held_back.sets[0][0]])
    np.testing.assert_array_equal(whole, high_res.sets[0][0])


def test_of_many_images_whole_ones_are_held_back() -> None:
    split = hold_back(slices(*[(64, 64)] * 16), settings(), NEEDED)
    assert split.held_back is not None
    assert (len(split.training.sets[0]), len(split.held_back.sets[0])) == (14, 2)


@pytest.mark.parametrize("shape", [(64, 80), (100, 100)])
def test_small_slices_are_kept_whole_and_that_is_said(shape: tuple[int, int]) -> None:
    split = hold_back(slices(shape), settings(), NEEDED)
    assert split.held_back is None
    assert split.training.sets[0][0].shape == shape
    assert "too small" in describe(split, settings())


def test_nothing_is_held_back_when_asked_for_nothing() -> None:
    assert hold_back(slices((512, 512)), settings(0), NEEDED).held_back is None


def test_three_sets_are_divided_all_or_not_at_all() -> None:
    big, small = slices((512, 512), sets=3), slices((60, 60))
    assert hold_back(big, settings(), NEEDED).held_back is not None
    mixed = SegmentedSlices((*big.sets[:2], small.sets[0]), big.phases)
    assert hold_back(mixed, settings(), NEEDED).held_back is None


def test_a_small_share_is_not_told_as_none() -> None:
    split = hold_back(slices((1000, 1000)), settings(0.02), NEEDED)
    assert describe(split, settings(0.02)).startswith("1/50 of the high-res slices is not")


def test_what_is_held_back_is_described() -> None:
    split = hold_back(slices((512, 512), (512, 512)), settings(), NEEDED)
    assert describe(split, settings()) == (
        "1/8 of the high-res slices is not trained on but measured against: 2 of 512 × 64 pixels."
    )
