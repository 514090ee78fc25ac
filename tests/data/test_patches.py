from __future__ import annotations

import numpy as np
import pytest

from napari_superres.data.patches import (
    PAPER_GRID,
    PatchGrid,
    cut,
    patches_of,
    split,
    spread_over_both,
)
from napari_superres.errors import SettingsError, ShapeError


def numbered(rows: int, columns: int) -> np.ndarray:
    return (np.arange(rows * columns).reshape(rows, columns) % 251).astype(np.uint8)


def test_stride_follows_from_overlap_and_back() -> None:
    assert PatchGrid.choose(64, overlap=0.75).stride == 16
    assert PatchGrid.choose(64, stride=16).overlap == 0.75


def test_stride_and_overlap_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="Give one of them"):
        PatchGrid.choose(64, stride=16, overlap=0.5)


def test_the_papers_stride_is_half_an_overlap() -> None:
    assert PAPER_GRID.starts((2024, 1524)).tolist() == [
        [0, 0], [0, 500], [500, 0], [500, 500], [1000, 0], [1000, 500],
    ]  # fmt: skip
    assert PAPER_GRID.overlap == pytest.approx(0.51, abs=0.01)


@pytest.mark.parametrize(
    ("border", "ends"), [("drop", [0, 4]), ("shift", [0, 4, 5]), ("mirror", [0, 4, 8])]
)
def test_a_last_patch_that_does_not_fit_is_dropped_shifted_or_filled(border, ends) -> None:
    grid = PatchGrid.choose(8, stride=4, border=border)
    assert sorted({int(row) for row, _ in grid.starts((13, 8))}) == ends


def test_mirrored_pixels_fill_up_a_patch() -> None:
    image = numbered(5, 4)
    last = cut([image], PatchGrid.choose(4, stride=3, border="mirror")).take([-1])[0]
    assert (last == image[[3, 4, 4, 3]]).all()


def test_a_count_takes_so_many_of_each_image() -> None:
    grid = PatchGrid.choose(4, stride=1, count=7)
    assert len(patches_of([numbered(20, 20), numbered(9, 9)], grid)[0]) == 14


def test_no_training_patch_shares_a_pixel_with_a_held_out_one() -> None:
    image = np.zeros((12, 40), np.uint8)
    image[:, 30:] = 1
    training, held_out = patches_of([image], PatchGrid.choose(8, stride=1), held_out=0.25)
    assert not training.take(range(len(training))).any()
    assert held_out.take(range(len(held_out))).all()


def test_patches_of_both_regions_come_in_proportion_to_their_areas() -> None:
    image = np.zeros((12, 40), np.uint8)
    image[:, 30:] = 1
    both = patches_of([image], PatchGrid.choose(4, stride=1), held_out=0.25)
    assert spread_over_both(*both, 16).mean() == 0.25
    assert not spread_over_both(both[0], cut([], PatchGrid.choose(4)), 16).any()


def test_at_most_as_many_patches_are_spread_as_there_are() -> None:
    patches = cut([numbered(4, 7)], PatchGrid.choose(4, stride=1))
    assert [len(patches.spread(count)) for count in (0, 1, 3, 4, 9)] == [0, 1, 3, 4, 4]
    assert cut([], PatchGrid.choose(4)).spread(12).shape == (0, 4, 4)


def test_the_longer_side_is_split() -> None:
    learn, hold = split((100, 50), 0.2)
    assert hold is not None
    assert (learn.shape, hold.shape) == ((80, 50), (20, 50))


def test_an_image_with_no_room_for_a_patch_is_refused() -> None:
    with pytest.raises(ShapeError, match="no room"):
        patches_of([numbered(6, 30)], PatchGrid.choose(8))


def test_a_held_out_strip_with_no_room_is_refused() -> None:
    with pytest.raises(ShapeError, match="Hold out more or nothing"):
        patches_of([numbered(30, 30)], PatchGrid.choose(8), held_out=0.1)
