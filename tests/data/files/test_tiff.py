import json
import os

import numpy as np
import pytest
import tifffile

from napari_superres.data.files import tiff
from napari_superres.data.files.tiff import read_tiff, read_tiff_metadata, write_labels_tiff
from napari_superres.data.files.tiff_metadata import to_micrometres
from napari_superres.data.phases import phases_from_values, with_names
from napari_superres.errors import FileError, NotSegmentedError, OutputError, ShapeError

LABELS = np.random.default_rng(0).choice(np.array([0, 128, 255], np.uint8), (5, 6, 7))
PHASES = with_names(phases_from_values([0, 128, 255]), ["pore", "solid", "binder"])
SIZE = (0.4, 0.2, 0.1)


@pytest.fixture(params=["imagej", "ome"])
def written(request, tmp_path):
    path = tmp_path / "labels.tif"
    write_labels_tiff(
        path, LABELS, voxel_size=SIZE, offset=(-0.15, 0.0, 1.5), phases=PHASES,
        provenance={"made by": "a test", "seed": "3"}, flavour=request.param,
    )  # fmt: skip
    return path


def test_what_is_written_is_read_back(written):
    array, metadata = read_tiff(written)
    assert np.array_equal(array, LABELS)
    assert metadata.voxel_size == pytest.approx(SIZE)
    assert metadata.offset == pytest.approx((-0.15, 0.0, 1.5))
    assert metadata.phases == PHASES
    assert metadata.provenance == {"made by": "a test", "seed": "3"}
    assert read_tiff_metadata(written) == metadata


def test_axes_are_zyx_and_voxels_are_bytes_compressed_without_loss(written):
    with tifffile.TiffFile(written) as tif:
        assert (tif.series[0].axes, tif.series[0].shape) == ("ZYX", LABELS.shape)
        assert tif.series[0].dtype == np.uint8
        assert tif.pages.first.compression == tifffile.COMPRESSION.ADOBE_DEFLATE


def test_imagej_finds_its_tags(tmp_path):
    path = tmp_path / "labels.tif"
    write_labels_tiff(path, LABELS, voxel_size=SIZE, offset=(0.8, 0, 0), phases=PHASES)
    with tifffile.TiffFile(path) as tif:
        tags, page = tif.imagej_metadata, tif.pages.first
        assert (tags["unit"], tags["spacing"], tags["slices"]) == ("micron", 0.4, 5)
        x, y = page.tags["XResolution"].value, page.tags["YResolution"].value
        assert (x[0] / x[1], y[0] / y[1]) == pytest.approx((10, 5))  # pixels in a micron
        assert page.tags["ResolutionUnit"].value == tifffile.RESUNIT.NONE
        assert tags["zorigin"] == pytest.approx(-2)  # in voxels, where 0 µm lies
        assert tags["LUTs"][:, 128].tolist() == [0x5B, 0x9B, 0xD5]
        assert json.loads(tags["Info"])["napari-superres-fusion"]["phases"][1]["name"] == "solid"


def test_ome_finds_its_attributes(tmp_path):
    path = tmp_path / "labels.ome.tif"
    write_labels_tiff(path, LABELS, voxel_size=SIZE, flavour="ome")
    with tifffile.TiffFile(path) as tif:
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "ZYX"] == [0.4, 0.2, 0.1]
    assert pixels["PhysicalSizeZUnit"] == "µm"


def test_without_a_voxel_size_none_is_claimed(tmp_path):
    for flavour in ("imagej", "ome"):
        write_labels_tiff(tmp_path / "a.tif", LABELS, voxel_size=None, flavour=flavour)
        assert read_tiff_metadata(tmp_path / "a.tif").voxel_size is None


def test_above_four_gigabytes_it_is_a_big_ome_tiff(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "CLASSIC_LIMIT", 100)
    write_labels_tiff(tmp_path / "big.tif", LABELS, voxel_size=SIZE, phases=PHASES)
    with tifffile.TiffFile(tmp_path / "big.tif") as tif:
        assert tif.is_bigtiff
        assert tif.is_ome
    assert read_tiff_metadata(tmp_path / "big.tif").voxel_size == pytest.approx(SIZE)


def test_labels_mapped_from_disk_are_written(tmp_path):
    mapped = np.memmap(tmp_path / "raw", np.uint8, "w+", shape=LABELS.shape)
    mapped[:] = LABELS
    write_labels_tiff(tmp_path / "a.tif", mapped, voxel_size=SIZE)
    assert np.array_equal(read_tiff(tmp_path / "a.tif")[0], LABELS)


@pytest.mark.parametrize("labels", [LABELS[0], LABELS[:0], LABELS.astype(np.uint16)])
def test_only_volumes_of_bytes_are_written(tmp_path, labels):
    with pytest.raises(ShapeError, match="z, y, x"):
        write_labels_tiff(tmp_path / "a.tif", labels, voxel_size=SIZE)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_labels_tiff(path, LABELS, voxel_size=SIZE)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]
    assert path.read_bytes() == b"old"


def stack_of_kind(path, kind, compression):
    labels = np.random.default_rng(0).integers(0, 3, (24, 40, 40), np.uint8)
    with tifffile.TiffWriter(path, imagej=kind == "imagej", ome=kind == "ome") as out:
        for part in labels if kind == "pages" else [labels]:
            axes = None if kind == "pages" else {"axes": "ZYX"}
            out.write(part, compression=compression, metadata=axes, contiguous=False)
    return labels


@pytest.mark.parametrize("kind", ["plain", "imagej", "ome", "pages"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_file_is_never_read_as_less(tmp_path, kind, compression):
    path = tmp_path / "a.tif"
    labels = stack_of_kind(path, kind, compression)
    assert np.array_equal(read_tiff(path)[0], labels)
    whole = path.stat().st_size
    for kept in (0.9, 0.75, 0.5, 0.3, 0.02, 0.002):
        os.truncate(path, int(whole * kept))
        with pytest.raises(FileError, match="truncated or damaged"):
            read_tiff(path)


@pytest.mark.parametrize("kind", ["plain", "imagej", "ome", "pages"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_lost_its_last_bytes_is_read_whole_or_not_at_all(tmp_path, kind, compression):
    path = tmp_path / "a.tif"
    labels = stack_of_kind(path, kind, compression)
    os.truncate(path, path.stat().st_size - 4)
    try:
        assert np.array_equal(read_tiff(path)[0], labels)
    except FileError as error:
        assert "truncated or damaged" in str(error)  # noqa: PT017


def test_a_file_of_another_kind_is_said_to_be_no_tiff(tmp_path):
    (tmp_path / "a.tif").write_text("hello, this is no image")
    with pytest.raises(FileError, match="no TIFF file"):
        read_tiff(tmp_path / "a.tif")


def test_colours_and_channels_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    with pytest.raises(NotSegmentedError, match="3 channels"):
        read_tiff(tmp_path / "a.tif")
    tifffile.imwrite(
        tmp_path / "b.tif", np.zeros((2, 20, 20), np.uint8), imagej=True, metadata={"axes": "CYX"}
    )
    with pytest.raises(NotSegmentedError, match="2 channels"):
        read_tiff(tmp_path / "b.tif")


def test_time_series_of_stacks_and_unequal_images_are_refused(tmp_path):
    stack = np.zeros((2, 3, 20, 20), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(ShapeError, match="axes TZYX"):
        read_tiff(tmp_path / "a.tif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as out:
        out.write(np.zeros((20, 20), np.uint8), metadata=None)
        out.write(np.zeros((30, 20), np.uint8), metadata=None)
    with pytest.raises(ShapeError, match="2 images of different"):
        read_tiff(tmp_path / "b.tif")


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [("µm", 1), ("μm", 1), ("um", 1), ("micron", 1), ("\\u00B5m", 1), ("nm", 1e-3), (" NM ", 1e-3),
     ("mm", 1e3), ("cm", 1e4), ("m", 1e6), ("Å", 1e-4), ("inch", 25400), ("pixel", None),
     ("", None), (None, None)],
)  # fmt: skip
def test_lengths_of_any_unit_become_micrometres(unit, micrometres):
    assert to_micrometres(unit) == micrometres


@pytest.mark.parametrize("unit", ["nm", "\\u00B5m", "mm", "micron"])
def test_imagej_files_of_any_unit_are_understood(tmp_path, unit):
    per_um = to_micrometres(unit)
    tifffile.imwrite(
        tmp_path / "a.tif", LABELS, imagej=True, resolution=(per_um / 0.1, per_um / 0.2),
        metadata={"axes": "ZYX", "spacing": 0.4 / per_um, "unit": unit},
    )  # fmt: skip
    assert read_tiff_metadata(tmp_path / "a.tif").voxel_size == pytest.approx(SIZE)


def test_plain_files_tell_pixels_in_centimetres(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", LABELS[0], resolution=(1e5, 1e5), resolutionunit="CENTIMETER"
    )
    assert read_tiff_metadata(tmp_path / "a.tif").voxel_size == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.parametrize("dpi", [72, 300])
def test_a_printers_resolution_is_no_voxel_size(tmp_path, dpi):
    tifffile.imwrite(tmp_path / "a.tif", LABELS[0], resolution=(dpi, dpi), resolutionunit="INCH")
    assert read_tiff_metadata(tmp_path / "a.tif").voxel_size is None


@pytest.mark.parametrize("info", ["{", "[]", '{"napari-superres-fusion": {"phases": [{}]}}', "x"])
def test_strange_metadata_does_no_harm(tmp_path, info):
    tifffile.imwrite(
        tmp_path / "a.tif", LABELS, imagej=True,
        metadata={"axes": "ZYX", "Info": info, "unit": "micron", "spacing": -1.0},
    )  # fmt: skip
    metadata = read_tiff_metadata(tmp_path / "a.tif")
    assert metadata.phases == ()
    assert np.array_equal(read_tiff(tmp_path / "a.tif")[0], LABELS)


@pytest.mark.parametrize("flavour", ["imagej", "ome"])
def test_voxels_too_small_for_a_tiffs_fractions_are_written_all_the_same(tmp_path, flavour):
    path = tmp_path / "a.tif"
    write_labels_tiff(path, LABELS, voxel_size=(1e-6, 1e-6, 1e-6), flavour=flavour)
    array, metadata = read_tiff(path)
    assert np.array_equal(array, LABELS)
    assert metadata.voxel_size == pytest.approx((1e-6, 1e-6, 1e-6))


@pytest.mark.parametrize("size", [1e-9, 1e9])
def test_a_size_that_no_voxel_has_is_unknown(tmp_path, size):
    path = tmp_path / "a.tif"
    write_labels_tiff(path, LABELS, voxel_size=(size, size, size))
    assert read_tiff_metadata(path).voxel_size is None
