"""How large a layer's voxels are and where it lies: units, transforms, typed sizes."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_superres.errors import ScaleFactorError, ShapeError
from napari_superres.widgets.inputs.inputs import scale_factor_note
from napari_superres.widgets.layers.data import slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.scale import micrometres, set_voxel_size
from tests.widgets.layers.test_layer_data import cube, image, read_inputs


@pytest.mark.parametrize(
    ("unit", "size"), [("nm", 1e-3), ("micrometer", 1), ("mm", 1e3), ("pixel", None)]
)
def test_units_become_micrometres(unit, size):
    assert micrometres(unit) == (size if size is None else pytest.approx(size))


def test_low_res_in_nm_and_high_res_in_um_give_the_scale_factor():
    low = cube(scale=(400,) * 3, units=("nm",) * 3)
    high = image(scale=(0.1, 0.1), units=("um",) * 2)
    assert [float(part) for part in read_inputs(low, [high]).scale_factor] == [4, 4, 4]


def test_unitless_layers_leave_the_scale_factor_to_the_user():
    inputs = read_inputs(cube(), [image()])
    assert inputs.scale_factor is None
    assert "type the scale factor" in scale_factor_note(inputs, None)


def test_swapped_voxel_sizes_are_told():
    low = cube(scale=(0.1,) * 3, units=("um",) * 3)
    with pytest.raises(ScaleFactorError, match="outside 1 to 16"):
        read_inputs(low, [image(scale=(0.4, 0.4), units=("um",) * 2)])


def test_a_stack_needs_no_size_along_the_axis_that_counts_its_slices():
    units = ("pixel", "um", "um")
    stack = Labels(np.tile(image().data, (3, 1, 1)), scale=(1, 0.1, 0.1), units=units)
    assert slices_from_layers([stack]).voxel_size == pytest.approx((0.1,) * 3)


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_where_a_layer_lies_does_not_change_what_is_read():
    plain = read_inputs(cube(), [image()])
    moved = read_inputs(cube(translate=(5, 6, 7), rotate=(10, 20, 30)), [image(rotate=30)])
    np.testing.assert_array_equal(plain.pair.low_res.labels, moved.pair.low_res.labels)
    assert moved.placement.translate == (5, 6, 7)
    assert not np.allclose(moved.placement.rotate, np.eye(3))


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_a_turned_layer_keeps_its_voxel_size():
    um = ("um",) * 3
    assert volume_from_layer(cube(scale=(1, 2, 3), rotate=(30, 0, 0), units=um)).voxel_size == (
        pytest.approx((1, 2, 3))
    )


def test_a_size_given_by_an_affine_transform_counts():
    affine = np.diag([0.5, 0.5, 0.5, 1])
    layer = cube(scale=(1, 2, 3), affine=affine, units=("um",) * 3)
    assert volume_from_layer(layer).voxel_size == pytest.approx((0.5, 1, 1.5))
    set_voxel_size(layer, (4, 4, 4))
    assert volume_from_layer(layer).voxel_size == pytest.approx((4, 4, 4))


def test_a_sheared_layer_is_refused():
    with pytest.raises(ShapeError, match="sheared"):
        volume_from_layer(cube(shear=(0.2, 0, 0)))


def test_a_rotated_slice_of_an_anisotropic_material_is_refused():
    with pytest.raises(ShapeError, match=r"rotated.*set the layer's rotation back"):
        read_inputs(cube(), [image(), image(rotate=90), image()], anisotropic=True)


def test_typed_sizes_leave_the_unit_of_time_alone():
    layer = Labels(np.ones((1, 4, 5, 6), np.uint8), units=("s", "pixel", "pixel", "pixel"))
    set_voxel_size(layer, (1, 1, 1))
    assert [str(unit) for unit in layer.units] == ["second", *["micrometer"] * 3]


@pytest.mark.parametrize(
    ("unit", "size", "scale", "place"),
    [("nm", 0.4, 400, 5000), ("nm", 0.5, 500, 5000), ("pixel", 0.5, 0.5, 6.25)],
)
def test_a_typed_size_leaves_the_layer_in_its_place_and_units(unit, size, scale, place):
    layer = cube(scale=(400,) * 3, translate=(5000,) * 3, units=(unit,) * 3)
    set_voxel_size(layer, (size,) * 3)
    np.testing.assert_allclose(layer.scale, scale)
    np.testing.assert_allclose(layer.translate, place)
    assert volume_from_layer(layer).voxel_size == pytest.approx((size,) * 3)


def test_slices_of_different_pixel_sizes_are_refused():
    one = image(scale=(0.1, 0.1), units=("um",) * 2)
    other = image(scale=(0.2, 0.2), units=("um",) * 2)
    with pytest.raises(ShapeError, match=r"pixels of 0\.1 µm and of 0\.2 µm"):
        slices_from_layers([one, other])
