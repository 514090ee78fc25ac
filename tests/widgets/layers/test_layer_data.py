import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_superres.data.phases import Phase
from napari_superres.errors import NotSegmentedError, PhaseError, ShapeError
from napari_superres.widgets.inputs.inputs import choose_inputs, read_choice
from napari_superres.widgets.layers import data as layer_data
from napari_superres.widgets.layers.data import slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.notes import guess_roles, layer_phases
from napari_superres.widgets.layers.shown import phase_layer
from tests.memory import peak_bytes

PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "solid", "#5b9bd5"))


def read_inputs(low, high, anisotropic=False):
    choice = choose_inputs(low, high, anisotropic)
    return None if choice is None else read_choice(choice)


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


def test_a_time_series_is_refused_and_how_to_split_it_is_told():
    series = Labels(np.ones((2, 4, 4, 4), np.uint8))
    for read in (volume_from_layer, lambda layer: slices_from_layers([layer])):
        with pytest.raises(ShapeError, match=r"several time steps.*Split Stack"):
            read(series)


def test_a_series_of_one_time_step_is_that_step():
    units = ("s", "nm", "nm", "nm")
    one = Labels(np.ones((1, 4, 5, 6), np.uint8), scale=(1, 400, 400, 400), units=units)
    volume = volume_from_layer(one)
    assert volume.shape == (4, 5, 6)
    assert volume.voxel_size == pytest.approx((0.4,) * 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_four_channels_are_refused(dtype):
    channels = np.random.default_rng(0).integers(0, 200, (64, 64, 4)).astype(dtype)
    with pytest.raises(NotSegmentedError, match="colour image"):
        slices_from_layers([Image(channels, rgb=False, name="channels")])
    with pytest.raises(ShapeError, match="channels"):
        volume_from_layer(Image(np.zeros((4, 20, 20, 20), dtype), name="channels"))


def test_label_values_that_no_phase_can_have_are_told():
    for value in (300, -1):
        layer = Labels(np.array([[[0, value]]], np.int64), name="instances")
        with pytest.raises(PhaseError, match=f"label value {value}"):
            volume_from_layer(layer)


def test_dask_and_zarr_backed_layers_are_read(tmp_path):
    dask_array, zarr = pytest.importorskip("dask.array"), pytest.importorskip("zarr")
    plain = volume_from_layer(cube())
    lazy = Labels(dask_array.from_array(cube().data, chunks=5), name="lazy")
    stored = zarr.create_array(tmp_path / "a.zarr", data=cube().data, chunks=(5, 5, 5))
    for layer in (lazy, Labels(stored, name="stored")):
        np.testing.assert_array_equal(volume_from_layer(layer).labels, plain.labels)


def test_the_finest_level_of_several_is_read():
    levels = [cube().data, cube().data[::2, ::2, ::2]]
    assert volume_from_layer(Labels(levels, name="pyramid", multiscale=True)).shape == (16,) * 3


def test_layers_made_here_are_read_as_their_own_label_values():
    volume = volume_from_layer(made())
    assert volume.values.tolist() == [[[0, 128]]]
    assert [phase.name for phase in volume.phases] == ["pore", "solid"]


def test_voxels_erased_from_a_layer_made_here_are_told():
    layer = made()
    layer.data[0, 0, 0] = 0
    with pytest.raises(PhaseError, match="without a phase"):
        volume_from_layer(layer)


def test_a_layer_made_here_is_read_with_little_more_memory_than_it_has():
    layer = made(np.zeros((64, 64, 64), np.uint8))
    read = peak_bytes(lambda: layer_data._values(layer))
    assert read < 2 * layer.data.size  # its label values, one byte a voxel


def test_floats_and_negative_labels_of_a_layer_made_here_are_read_and_told():
    data, arguments, _ = phase_layer(np.array([[[0, 1]]], np.uint8), PHASES, "made", "low_res")
    note = {"metadata": arguments["metadata"]}
    assert volume_from_layer(Image(data.astype(np.float32), **note)).values.tolist() == [[[0, 128]]]
    with pytest.raises(PhaseError, match="label -1"):
        volume_from_layer(Labels(-data.astype(np.int8) // 2, **note))


def test_a_layer_made_here_never_shows_label_zero():
    layer = made()
    assert layer.data.min() == 1
    assert layer.colormap.map(1)[3] == 1
    assert layer_phases(layer) == PHASES


def test_a_stack_counts_as_many_slices():
    stack = Labels(np.tile(image().data, (3, 1, 1)), name="stack")
    assert len(slices_from_layers([stack, image()]).sets[0]) == 4


def test_one_layer_cannot_be_both_inputs():
    low = cube()
    with pytest.raises(ShapeError, match="low-res and as high-res"):
        read_inputs(low, [low])


def test_the_volume_is_taken_for_low_res_and_the_image_for_slices():
    low, high = cube(), image()
    assert guess_roles([high, low]) == (low, [high])


def test_three_sets_of_slices_make_an_anisotropic_material():
    inputs = read_inputs(cube(), [image(), image(), image()], anisotropic=True)
    assert inputs.pair.high_res.anisotropic
    assert read_inputs(cube(), [image(), None, image()], anisotropic=True) is None
