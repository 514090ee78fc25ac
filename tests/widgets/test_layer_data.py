import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_superres.data.phases import Phase
from napari_superres.errors import NotSegmentedError, PhaseError, ScaleFactorError, ShapeError
from napari_superres.widgets.input_reader import read_inputs, scale_factor_note
from napari_superres.widgets.input_roles import guess_roles
from napari_superres.widgets.layer_data import (
    layer_phases,
    micrometres,
    slices_from_layers,
    volume_from_layer,
)
from napari_superres.widgets.samples import phase_layer

PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "solid", "#5b9bd5"))


def cube(dtype=np.uint8, **arguments):
    values = (np.indices((16, 16, 16)).sum(0) % 2).astype(dtype)
    return Labels(values, name="low", **arguments)


def image(dtype=np.uint8, **arguments):
    values = (np.indices((64, 64)).sum(0) // 3 % 3).astype(dtype)
    return Labels(values, name="high", **arguments)


def made(labels=None):
    labels = np.array([[[0, 1]]], np.uint8) if labels is None else labels
    data, arguments, _ = phase_layer(labels, PHASES, "made", "low_res")
    return Labels(data, **arguments)


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


def test_int64_labels_are_read():
    volume = volume_from_layer(cube(np.int64))
    assert volume.labels.dtype == np.uint8
    assert [phase.value for phase in volume.phases] == [0, 1]


def test_an_image_layer_of_few_values_is_read():
    layer = Image(np.full((4, 5, 6), 7, np.uint16), name="flat")
    assert [phase.value for phase in volume_from_layer(layer).phases] == [7]


def test_a_colour_image_is_refused():
    layer = Image(np.zeros((32, 32, 3), np.uint8), rgb=True, name="photo")
    with pytest.raises(NotSegmentedError, match="colour image"):
        slices_from_layers([layer])


def test_a_greyscale_image_is_refused():
    layer = Image(np.arange(64 * 64).reshape(64, 64) % 200, name="grey")
    with pytest.raises(NotSegmentedError, match="200 different values"):
        slices_from_layers([layer])


def test_a_flat_low_res_layer_is_refused():
    with pytest.raises(ShapeError, match="three axes"):
        volume_from_layer(image())


def test_a_time_series_is_refused():
    with pytest.raises(ShapeError, match="4 axes"):
        volume_from_layer(Labels(np.ones((2, 4, 4, 4), np.uint8)))


def test_layers_made_here_are_read_as_their_own_label_values():
    volume = volume_from_layer(made())
    assert volume.values.tolist() == [[[0, 128]]]
    assert [phase.name for phase in volume.phases] == ["pore", "solid"]


def test_voxels_erased_from_a_layer_made_here_are_told():
    layer = made()
    layer.data[0, 0, 0] = 0
    with pytest.raises(PhaseError, match="without a phase"):
        volume_from_layer(layer)


def test_a_layer_made_here_never_shows_label_zero():
    layer = made()
    assert layer.data.min() == 1
    assert layer.colormap.map(1)[3] == 1
    assert layer_phases(layer) == PHASES


def test_a_stack_counts_as_many_slices():
    stack = Labels(np.tile(image().data, (3, 1, 1)), name="stack")
    assert len(slices_from_layers([stack, image()]).sets[0]) == 4


def test_slices_of_different_pixel_sizes_are_refused():
    one = image(scale=(0.1, 0.1), units=("um",) * 2)
    other = image(scale=(0.2, 0.2), units=("um",) * 2)
    with pytest.raises(ShapeError, match="different pixel sizes"):
        slices_from_layers([one, other])


def test_one_layer_cannot_be_both_inputs():
    low = cube()
    with pytest.raises(ShapeError, match="low-res and as high-res"):
        read_inputs(low, [low])


def test_the_volume_is_taken_for_low_res_and_the_image_for_slices():
    low, high = cube(), image()
    assert guess_roles([high, low]) == (low, [high])


def test_three_sets_of_slices_make_an_anisotropic_material():
    inputs = read_inputs(cube(), [image(), image(), image()], anisotropic=True)
    assert inputs.high_res.anisotropic
    assert read_inputs(cube(), [image(), None, image()], anisotropic=True) is None
