"""Files written here open again as they were: values, place, names and colours."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_superres.data.files.ome_zarr import write_labels_zarr
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import Phase
from napari_superres.errors import OutputError, PhaseError, ShapeError
from napari_superres.widgets.data.opening import FILES, get_reader, read_layers, volume_layers
from napari_superres.widgets.layers.data import volume_from_layer
from napari_superres.widgets.layers.notes import KEY, SUPER_RES, layer_phases, role_of
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.layers.writer import write_labels

PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "am", "#5b9bd5"), Phase(255, "cb", "#f2c14e"))
VALUES = np.array([0, 128, 255], np.uint8)
PLACE = {"scale": (0.3, 0.2, 0.1), "units": ("um",) * 3, "translate": (1.5, -1.0, 0.5)}
KINDS = [".tif", ".zarr"]


def indices(shape=(6, 20, 21)):
    return np.random.default_rng(0).integers(0, 3, shape).astype(np.uint8)


def made(labels=None, **more):
    labels = indices() if labels is None else labels
    data, arguments, _ = phase_layer(labels, PHASES, "sr", SUPER_RES, **(PLACE | more))
    return Labels(data, **arguments)


def save(layer, path):
    data, attributes, kind = layer.as_layer_data_tuple()
    assert kind == "labels"
    return write_labels(str(path), data, attributes)


def opened(path):
    data, arguments, kind = get_reader(str(path))(str(path))[0]
    assert kind == "labels"
    return Labels(data, **arguments)


def full(layer):
    return np.asarray(layer.data[0] if layer.multiscale else layer.data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_layer_opens_as_it_was(tmp_path, kind):
    layer = made()
    assert save(layer, tmp_path / f"a{kind}") == [str(tmp_path / f"a{kind}")]
    again = opened(tmp_path / f"a{kind}")
    np.testing.assert_array_equal(full(again), layer.data)
    np.testing.assert_allclose(again.scale, layer.scale)
    np.testing.assert_allclose(again.translate, layer.translate)
    assert again.units == layer.units
    assert again.axis_labels == layer.axis_labels == ("z", "y", "x")
    assert layer_phases(again) == PHASES
    assert role_of(again) == SUPER_RES
    for label in (1, 2, 3):
        np.testing.assert_allclose(again.colormap.map(label), layer.colormap.map(label))


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_layer_holds_the_users_label_values(tmp_path, kind):
    save(made(), tmp_path / f"a{kind}")
    found = volume_from_layer(opened(tmp_path / f"a{kind}"))
    np.testing.assert_array_equal(found.values, VALUES[indices()])
    assert found.voxel_size == pytest.approx((0.3, 0.2, 0.1))


@pytest.mark.parametrize("kind", KINDS)
def test_nanometres_come_back_as_the_same_length(tmp_path, kind):
    nano = {"scale": (300, 200, 100), "units": ("nm",) * 3, "translate": (1500, -1000, 500)}
    save(made(**nano), tmp_path / f"a{kind}")
    again = opened(tmp_path / f"a{kind}")
    np.testing.assert_allclose(again.scale, (0.3, 0.2, 0.1))
    np.testing.assert_allclose(again.translate, (1.5, -1.0, 0.5))


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_without_units_of_length_keeps_its_numbers(tmp_path, kind):
    save(made(units=("pixel",) * 3), tmp_path / f"a{kind}")
    again = opened(tmp_path / f"a{kind}")
    np.testing.assert_allclose(again.scale, (0.3, 0.2, 0.1))
    np.testing.assert_allclose(again.translate, (1.5, -1.0, 0.5))
    assert {str(unit) for unit in again.units} == {"pixel"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_of_the_user_becomes_phases_in_the_colours_it_is_shown_in(tmp_path, kind):
    colours = {None: "transparent", 0: "transparent", 3: "#ff0000", 7: "#0000ff"}
    values = np.array([0, 3, 7])[indices()]
    layer = Labels(values, colormap=DirectLabelColormap(color_dict=colours), **PLACE)
    save(layer, tmp_path / f"a{kind}")
    phases = layer_phases(opened(tmp_path / f"a{kind}"))
    assert [phase.value for phase in phases] == [0, 3, 7]
    assert [phase.colour for phase in phases[1:]] == ["#ff0000", "#0000ff"]
    np.testing.assert_array_equal(
        volume_from_layer(opened(tmp_path / f"a{kind}")).values, values.astype(np.uint8)
    )


def test_a_large_zarr_opens_lazily_with_its_coarser_levels(tmp_path):
    labels = indices((5, 30, 600))
    write_labels_zarr(tmp_path / "a.zarr", VALUES[labels], voxel_size=(0.1,) * 3, phases=PHASES)
    ((data, arguments, _),) = read_layers(str(tmp_path / "a.zarr"))
    assert all(isinstance(level, da.Array) for level in data)
    assert [level.shape[2] for level in data] == [600, 300, 150]
    layer = Labels(data, **arguments)
    assert layer.multiscale
    np.testing.assert_array_equal(full(layer), labels + 1)
    assert set(np.unique(np.asarray(layer.data[2]))) <= {1, 2, 3}


def test_a_zarr_opens_by_the_file_that_a_dialog_can_choose_in_it(tmp_path):
    folder = tmp_path / "a.zarr"
    write_labels_zarr(folder, VALUES[indices()], voxel_size=(0.1,) * 3, phases=PHASES)
    ((data, arguments, _),) = volume_layers(folder / "zarr.json")
    np.testing.assert_array_equal(data, indices() + 1)
    assert arguments["name"] == "a"
    assert arguments["metadata"][KEY]["path"] == str(folder)
    assert "zarr.json" in FILES


def test_a_lazy_layer_is_saved_again_as_tiff(tmp_path):
    labels = indices((5, 30, 300))
    write_labels_zarr(tmp_path / "a.zarr", VALUES[labels], voxel_size=(0.1,) * 3, phases=PHASES)
    save(opened(tmp_path / "a.zarr"), tmp_path / "b.tif")
    np.testing.assert_array_equal(full(opened(tmp_path / "b.tif")), labels + 1)


def test_a_slice_is_saved_and_opened_as_a_slice(tmp_path):
    flat = {"scale": (0.2, 0.1), "units": ("um",) * 2, "translate": (1.0, 2.0)}
    save(made(indices((12, 13)), **flat), tmp_path / "a.tif")
    again = opened(tmp_path / "a.tif")
    assert again.data.shape == (12, 13)
    np.testing.assert_allclose(again.scale, (0.2, 0.1))
    np.testing.assert_allclose(again.translate, (1.0, 2.0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_voxel_without_a_phase_is_refused_and_nothing_is_left(tmp_path, kind):
    layer = made()
    layer.data[2, 3, 4] = 0
    with pytest.raises(PhaseError, match="label 0"):
        save(layer, tmp_path / f"a{kind}")
    assert list(tmp_path.iterdir()) == []


def test_other_shapes_and_kinds_of_file_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="4 axes"):
        save(Labels(np.ones((2, 2, 2, 2), int)), tmp_path / "a.tif")
    with pytest.raises(OutputError, match="no known kind"):
        save(made(), tmp_path / "a.png")


def test_a_file_with_a_label_of_no_phase_is_refused(tmp_path):
    values = VALUES[indices()]
    values[0, 0, 0] = 9
    write_labels_tiff(tmp_path / "a.tif", values, voxel_size=None, phases=PHASES)
    with pytest.raises(PhaseError, match=r"\[9\]"):
        read_layers(str(tmp_path / "a.tif"))


@pytest.mark.parametrize("strange", [256, 0.5])
def test_values_that_a_byte_cannot_hold_are_no_phases(tmp_path, strange):
    write_labels_tiff(tmp_path / "a.tif", VALUES[indices()], voxel_size=None, phases=PHASES)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        told = tif.imagej_metadata["Info"]
    values = VALUES[indices()].astype(np.uint16 if strange == 256 else np.float32)
    values[0, 0, 0] = strange
    tifffile.imwrite(tmp_path / "a.tif", values, imagej=True, metadata={"Info": told})
    with pytest.raises(PhaseError, match=str(strange)):
        read_layers(str(tmp_path / "a.tif"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_mirrored_layer_is_refused_and_what_to_do_is_told(tmp_path, kind):
    with pytest.raises(ShapeError, match="mirrored along y"):
        save(made(scale=(1, -1, 1)), tmp_path / f"a{kind}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_manifest_names_reader_and_writer(tmp_path, kind):
    from npe2 import PluginManager, PluginManifest

    import napari_superres

    manager = PluginManager()
    manifest = Path(napari_superres.__file__).with_name("napari.yaml")
    manager.register(PluginManifest.from_file(manifest))
    path = str(tmp_path / f"a{kind}")
    writer, _ = manager.get_writer(path, ["labels"], "napari-superres-fusion")
    assert writer.command == "napari-superres-fusion.write"
    save(made(), path)
    (reader,) = manager.iter_compatible_readers([path])
    assert reader.command == "napari-superres-fusion.read"
