"""Boxes are cut so that every voxel belongs to exactly one tile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.data.boxes import Box, cut, cut_evenly, halves
from napari_superres.errors import SettingsError
from napari_superres.generation.tiles import result_box
from napari_superres.scale_factor import parse_scale_factor

triple = st.tuples(*[st.integers(1, 12)] * 3)
boxes = st.builds(
    lambda start, shape: Box(start, tuple(a + b for a, b in zip(start, shape, strict=True))),
    st.tuples(*[st.integers(-5, 5)] * 3),
    triple,
)
SF4 = parse_scale_factor(4)


@given(boxes, triple, st.sampled_from([cut, cut_evenly]))
def test_tiles_cover_each_voxel_once_and_are_no_larger_than_asked(box, shape, way):
    count = np.zeros(box.shape, int)
    for tile in way(box, shape):
        assert all(0 < size <= most for size, most in zip(tile.shape, shape, strict=True))
        count[tile.slices(box.start)] += 1
    assert (count == 1).all()


@given(boxes, triple)
def test_even_tiles_differ_by_one_voxel_at_most(box, shape):
    for sizes in zip(*(tile.shape for tile in cut_evenly(box, shape)), strict=True):
        assert max(sizes) - min(sizes) <= 1


@given(boxes.filter(lambda box: max(box.shape) > 1))
def test_halves_split_the_longest_axis(box):
    first, second = halves(box)
    (axis,) = (axis for axis in range(3) if first.shape[axis] < box.shape[axis])
    assert box.shape[axis] == max(box.shape)
    assert first.shape[axis] - second.shape[axis] in (0, 1)
    assert first.size + second.size == box.size


def test_the_whole_result_is_the_whole_high_res_grid():
    assert result_box((5, 6, 7), parse_scale_factor("8/5")) == Box.whole((8, 9, 11))


def test_a_region_is_in_low_res_voxels():
    found = result_box((9, 9, 9), SF4, ((0, 9), (2, 3), (4, 8)))
    assert found == Box((0, 8, 16), (36, 12, 32))


def test_a_fractional_region_holds_only_voxels_that_lie_wholly_inside():
    found = result_box((9, 9, 9), parse_scale_factor("8/5"), ((1, 3),) * 3)
    assert found == Box((2, 2, 2), (4, 4, 4))


def test_a_region_that_holds_no_whole_voxel_is_refused():
    with pytest.raises(SettingsError, match="wholly inside 1:2 along y, which is 4/3 to 8/3"):
        result_box((9, 9, 9), parse_scale_factor("4/3"), ((0, 9), (1, 2), (0, 9)))


def test_cropping_drops_the_volumes_faces_but_not_a_regions():
    assert result_box((9, 9, 9), SF4, crop_border=True) == Box((4, 4, 4), (32, 32, 32))
    region = ((0, 5), (3, 9), (3, 5))
    found = result_box((9, 9, 9), SF4, region, crop_border=True)
    assert found == Box((4, 12, 12), (20, 32, 20))


@pytest.mark.parametrize("pair", [(-1, 4), (0, 10), (4, 4), (5, 3)])
def test_a_region_outside_the_volume_is_refused(pair):
    with pytest.raises(SettingsError, match="along y does not lie in"):
        result_box((9, 9, 9), SF4, ((0, 9), pair, (0, 9)))


def test_a_volume_that_is_all_border_is_refused():
    with pytest.raises(SettingsError, match="Nothing remains along z"):
        result_box((2, 9, 9), SF4, crop_border=True)
