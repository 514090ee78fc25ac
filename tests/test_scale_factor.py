from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.errors import ScaleFactorError
from napari_superres.scale_factor import (
    format_scale_factor,
    parse_scale_factor,
    scale_factor_from_voxel_sizes,
    super_res_shape,
)

fractions = st.integers(1, 16).flatmap(
    lambda q: st.integers(q, 16 * q).map(lambda p: Fraction(p, q))
)


@pytest.mark.parametrize("value", [4, 4.0, "4", "4.0", " 4 ", "8/2", Fraction(4), (4, 4, 4), [4]])
def test_one_number_serves_all_axes(value):
    assert parse_scale_factor(value) == (4, 4, 4)


@pytest.mark.parametrize("value", [1.6, "1.6", "8/5", Fraction(8, 5)])
def test_decimals_become_exact_fractions(value):
    assert parse_scale_factor(value)[0] == Fraction(8, 5)


def test_three_numbers_are_zyx():
    assert parse_scale_factor("4, 2,8/5") == (4, 2, Fraction(8, 5))


@pytest.mark.parametrize("value", [0, -4, 0.5, 17, "1/0", "four", "", None, "4,2", (1, 2, 3, 4)])
def test_what_is_no_scale_factor_is_refused(value):
    with pytest.raises(ScaleFactorError, match=r"."):
        parse_scale_factor(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "nan", "1e5", "4E999999999"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ScaleFactorError, match="not a scale factor"):
        parse_scale_factor(value)


def test_a_large_denominator_gets_a_nearby_proposal():
    with pytest.raises(ScaleFactorError, match="Try 25/8"):
        parse_scale_factor("3.1234567")


@given(st.tuples(fractions, fractions, fractions))
def test_what_is_formatted_is_read_back(factor):
    assert parse_scale_factor(format_scale_factor(factor)) == factor


def test_the_super_res_grid_has_whole_voxels_only():
    assert super_res_shape((5, 7, 10), parse_scale_factor("8/5")) == (8, 11, 16)


def test_voxel_sizes_imply_the_scale_factor():
    assert scale_factor_from_voxel_sizes((0.4, 0.4, 0.2), (0.1, 0.1, 0.1)) == (4, 4, 2)


def test_measured_voxel_sizes_are_taken_as_simple_fractions():
    assert scale_factor_from_voxel_sizes((0.3987,) * 3, (0.05,) * 3)[0] == 8


def test_swapped_voxel_sizes_are_refused():
    with pytest.raises(ScaleFactorError, match="swapped"):
        scale_factor_from_voxel_sizes((0.1,) * 3, (0.4,) * 3)
