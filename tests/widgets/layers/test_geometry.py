from fractions import Fraction

import numpy as np
import pytest
from napari.layers import Labels

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.errors import SettingsError
from napari_superres.scale_factor import parse_scale_factor
from napari_superres.widgets.layers.geometry import (
    border_box,
    box_of_vertices,
    export_box,
    format_sizes,
    parse_region,
    parse_sizes,
)
from napari_superres.widgets.layers.placement import first_voxel_in_low_res, placement_of


def test_the_first_super_res_voxel_lies_half_a_difference_inside():
    assert first_voxel_in_low_res(parse_scale_factor(4)) == (-0.375,) * 3
    assert first_voxel_in_low_res(parse_scale_factor(1), (2, 0, 0)) == (2, 0, 0)


def layer(**arguments):
    return Labels(np.ones((6, 6, 6), np.uint8), **({"units": ("nm",) * 3} | arguments))


def corners_agree(low, arguments, factor, start=(0, 0, 0)):
    fine = layer(**arguments)
    for index in ((0, 0, 0), (3, 2, 1)):
        position = (np.array(index) + 0.5) / factor - 0.5 + start
        np.testing.assert_allclose(fine.data_to_world(index), low.data_to_world(position))


def test_super_res_covers_the_low_res_layer():
    low = layer(scale=(400,) * 3, translate=(10, 20, 30))
    arguments = placement_of(low).super_res(parse_scale_factor(4))
    corners_agree(low, arguments, 4)
    assert arguments["units"] == ("nanometer",) * 3
    assert arguments["axis_labels"] == ("z", "y", "x")
    np.testing.assert_allclose(arguments["translate"], [-140, -130, -120])


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_super_res_follows_a_turned_and_sheared_low_res_layer():
    affine = np.eye(4)
    affine[:3, 3] = 7
    low = layer(scale=(2, 3, 4), rotate=(30, 10, 5), shear=(0.1, 0.2, 0.3), affine=affine)
    arguments = placement_of(low).super_res(parse_scale_factor("8/5"), (1, 0, 2))
    corners_agree(low, arguments, 1.6, (1, 0, 2))


def test_the_border_is_one_low_res_voxel():
    assert border_box((48, 48, 6), parse_scale_factor(4)) == Box((4, 4, 0), (44, 44, 6))
    assert border_box((16, 16, 16), parse_scale_factor("8/5")).start == (2, 2, 2)


def test_an_export_box_stays_inside():
    box = export_box(Box((-5, 0, 3), (99, 4, 9)), (10, 10, 10), Box((1, 1, 1), (9, 9, 9)))
    assert box == Box((1, 1, 3), (9, 4, 9))


def test_an_empty_export_box_is_refused():
    with pytest.raises(SettingsError, match="holds no voxel"):
        export_box(Box((5, 5, 5), (5, 6, 6)), (10, 10, 10), None)


def test_a_drawn_rectangle_takes_the_voxels_it_touches():
    corners = [[4, 1.2, 2.6], [4, 1.2, 7.4], [4, 5.4, 7.4], [4, 5.4, 2.6]]
    box = box_of_vertices(corners, Box.whole((10, 10, 10)), (1, 2))
    assert box == Box((0, 1, 3), (10, 6, 8))


@pytest.mark.parametrize(
    ("text", "sizes"), [("0.4", (0.4,) * 3), ("1, 2 µm, 3", (1, 2, 3)), ("", None)]
)
def test_voxel_sizes_are_read(text, sizes):
    assert parse_sizes(text) == sizes
    assert parse_sizes(format_sizes(sizes)) == sizes


@pytest.mark.parametrize("text", ["x", "1,2", "-1", "0", "nan"])
def test_what_is_no_voxel_size_is_refused(text):
    with pytest.raises(SettingsError, match="no voxel size"):
        parse_sizes(text)


def test_regions_are_read_with_open_ends():
    assert parse_region("1:4,:,2:", (8, 8, 8)) == ((1, 4), (0, 8), (2, 8))
    assert parse_region("  ", (8, 8, 8)) is None


@pytest.mark.parametrize("text", ["1:4", "a:b,0:1,0:1", "3:2,0:1,0:1", "0:99,0:1,0:1"])
def test_what_is_no_region_is_refused(text):
    with pytest.raises(SettingsError):
        parse_region(text, (8, 8, 8))


def test_a_generation_knows_where_it_starts():
    from napari_superres.widgets.generate.plan import plan_text, start_of

    class Run:
        low_res_shape = (20, 20, 20)
        scale_factor = parse_scale_factor("8/5")

    settings = GenerationSettings(crop_border=True)
    assert start_of(Run, settings) == (Fraction(5, 4),) * 3
    assert "28 × 28 × 28" in plan_text(Run, settings)
