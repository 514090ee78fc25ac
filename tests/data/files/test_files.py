import numpy as np
import pytest
import tifffile

from napari_superres.data.files.ome_zarr import create_pyramid
from napari_superres.data.files.segmented import read_slices, read_volume
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import phases_from_values, with_names
from napari_superres.errors import FileError, NotSegmentedError, PhaseError, ShapeError

VALUES = np.resize(np.array([0, 128], np.uint8), (5, 6, 7))
PHASES = with_names(phases_from_values([0, 64, 128]), ["pore", "rare", "solid"])


def image(path, values=VALUES[0], size=0.1):
    """Write an image, or a stack whose images are 5 µm apart, as ImageJ would."""
    tifffile.imwrite(
        path, values, imagej=True, resolution=(1 / size, 1 / size),
        metadata={"axes": "ZYX"[-values.ndim :], "unit": "um", "spacing": 5.0},
    )  # fmt: skip
    return path


def test_a_volume_is_read_with_its_voxel_size_and_name(tmp_path):
    write_labels_tiff(tmp_path / "lr.ome.tif", VALUES, voxel_size=(0.4, 0.2, 0.1), flavour="ome")
    volume = read_volume(tmp_path / "lr.ome.tif")
    assert np.array_equal(volume.values, VALUES)
    assert volume.voxel_size == pytest.approx((0.4, 0.2, 0.1))
    assert volume.name == "lr"


def test_named_phases_come_back_even_where_one_is_absent(tmp_path):
    write_labels_tiff(tmp_path / "a.tif", VALUES, voxel_size=None, phases=PHASES)
    assert read_volume(tmp_path / "a.tif").phases == PHASES


def test_names_that_do_not_cover_the_values_are_dropped(tmp_path):
    write_labels_tiff(tmp_path / "a.tif", VALUES, voxel_size=None, phases=PHASES[:2])
    assert [phase.value for phase in read_volume(tmp_path / "a.tif").phases] == [0, 128]


def test_expected_phases_win_over_those_in_the_file(tmp_path):
    write_labels_tiff(tmp_path / "a.tif", VALUES, voxel_size=None, phases=PHASES)
    expected = phases_from_values([0, 128])
    assert read_volume(tmp_path / "a.tif", expected).phases == expected
    with pytest.raises(PhaseError, match=r"a\.tif has the label values \[128\]"):
        read_volume(tmp_path / "a.tif", phases_from_values([0, 1]))


def test_npy_arrays_are_read(tmp_path):
    np.save(tmp_path / "a.npy", VALUES.astype(np.int64))
    assert np.array_equal(read_volume(tmp_path / "a.npy").values, VALUES)


def test_ome_zarr_is_read_with_its_voxel_size_and_phases(tmp_path):
    levels = create_pyramid(
        tmp_path / "a.zarr", VALUES.shape, 64, voxel_size=(0.4, 0.2, 0.1), offset=(0, 0, 0),
        phases=PHASES, provenance={},
    )  # fmt: skip
    levels[0][:] = VALUES
    volume = read_volume(tmp_path / "a.zarr")
    assert np.array_equal(volume.values, VALUES)
    assert volume.voxel_size == pytest.approx((0.4, 0.2, 0.1))
    assert (volume.phases, volume.name) == (PHASES, "a")


def test_a_zarr_folder_without_a_volume_is_refused(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(FileError, match=r"a\.zarr is no OME-Zarr volume"):
        read_volume(tmp_path / "a.zarr")


def test_images_and_stacks_make_one_set_of_slices(tmp_path):
    files = [image(tmp_path / "one.tif"), image(tmp_path / "stack.tif", VALUES)]
    slices = read_slices(files)
    assert [len(images) for images in slices.sets] == [6]
    assert slices.name == "one"


def test_a_single_path_will_do(tmp_path):
    assert len(read_slices(image(tmp_path / "a.tif")).sets[0]) == 1


def test_the_distance_between_slices_is_no_voxel_size(tmp_path):
    assert read_slices(image(tmp_path / "a.tif", VALUES)).voxel_size == pytest.approx((0.1,) * 3)


def test_three_files_serve_the_three_axes_of_an_anisotropic_material(tmp_path):
    shapes = [(6, 7), (5, 7), (5, 6)]  # of a volume of 5 × 6 × 7, planes normal to z, y, x
    sizes = [(0.2, 0.1), (0.4, 0.1), (0.4, 0.2)]
    files = [tmp_path / f"{axis}.tif" for axis in "zyx"]
    for file, shape, (row, column) in zip(files, shapes, sizes, strict=True):
        values = np.resize(np.array([0, 1], np.uint8), (1, *shape))
        write_labels_tiff(file, values, voxel_size=(9.0, row, column))
    slices = read_slices(files, anisotropic=True)
    assert [images[0].shape for images in slices.sets] == shapes
    assert slices.voxel_size == pytest.approx((0.4, 0.2, 0.1))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_an_anisotropic_material_needs_exactly_three_files(tmp_path, count):
    with pytest.raises(ShapeError, match="needs three"):
        read_slices([image(tmp_path / "a.tif")] * count, anisotropic=True)


def test_no_file_is_refused():
    with pytest.raises(ShapeError, match="no file"):
        read_slices([])


def test_slices_of_different_pixel_sizes_are_refused(tmp_path):
    files = [image(tmp_path / "a.tif"), image(tmp_path / "b.tif", size=0.2)]
    with pytest.raises(ShapeError, match=r"a\.tif has pixels of 0\.1 µm, b\.tif of 0\.2 µm"):
        read_slices(files)


def test_oblong_pixels_are_refused_where_one_set_serves_all_axes(tmp_path):
    write_labels_tiff(tmp_path / "a.tif", VALUES, voxel_size=(1, 0.1, 0.2))
    with pytest.raises(ShapeError, match=r"pixels of 0\.1 × 0\.2 µm"):
        read_slices([tmp_path / "a.tif"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"There is no file .*lr\.tif"):
        read_volume(tmp_path / "lr.tif")


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_an_empty_file_is_called_empty(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(FileError, match=f"{name} is empty, 0 bytes"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("name", ["a.docx", "a.jpg", "a"])
def test_other_kinds_of_files_are_refused_with_those_that_are_read(tmp_path, name):
    (tmp_path / name).write_text("x")
    with pytest.raises(FileError, match=r"unknown kind.*\.tif, \.tiff, \.npy"):
        read_volume(tmp_path / name)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileError, match="is a folder"):
        read_volume(tmp_path)


def test_a_truncated_npy_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", VALUES)
    whole = (tmp_path / "a.npy").read_bytes()
    for kept in (10, 100, len(whole) - 1):
        (tmp_path / "a.npy").write_bytes(whole[:kept])
        with pytest.raises(FileError, match=r"truncated, damaged or no \.npy"):
            read_volume(tmp_path / "a.npy")


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(FileError, match=r"no \.npy array of numbers"):
        read_volume(tmp_path / "a.npy")


def test_greyscale_files_are_named_with_their_number_of_values(tmp_path):
    grey = np.resize(np.arange(200, dtype=np.uint8), (40, 40))
    with pytest.raises(NotSegmentedError, match=r"a\.tif has 200 different values"):
        read_slices(image(tmp_path / "a.tif", grey))


def test_a_flat_low_res_is_told_what_it_lacks(tmp_path):
    with pytest.raises(ShapeError, match=r"2 axes, shape \(6, 7\).*three axes: z, y, x"):
        read_volume(image(tmp_path / "a.tif"))
