"""Axis order, voxel size and offset, as others read them: raw tags, raw metadata, napari."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from napari_superres.config import GenerationSettings
from napari_superres.data.files import tiff
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.generation.job import Job
from napari_superres.generation.render import generate_volume
from tests.generation.networks import low_res, mixed_generator

PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "am", "#5b9bd5"), Phase(255, "cb", "#f2c14e"))
VALUES = np.array([0, 128, 255], np.uint8)
SETTINGS = GenerationSettings(precision="float32", region=((2, 5), (1, 5), (3, 9)))
SHAPE, SIZES, OFFSET = (12, 16, 12), (0.1, 0.2, 0.3), (0.8 - 0.15, 0.8 - 0.3, 1.8 - 0.15)
"""Of the region at 4,4,2: low-res voxels of 0.4, 0.8 and 0.6 µm."""


def events(output=None):
    volume = SegmentedVolume.from_labels(low_res((6, 7, 9)), (0.4, 0.8, 0.6))
    return generate_volume(Job(mixed_generator("4,4,2"), volume, PHASES, SETTINGS), output)


@pytest.fixture(scope="module")
def labels():
    return list(events())[-1].labels


def written(tmp_path, kind):
    list(events(tmp_path / f"sr{kind}"))
    return tmp_path / f"sr{kind}"


def test_imagej_finds_planes_along_z_and_lengths_in_micron(tmp_path, labels):
    with tifffile.TiffFile(written(tmp_path, ".tif")) as tif:
        tags, page = tif.imagej_metadata, tif.pages.first
        assert (tags["slices"], tif.series[0].axes, tif.series[0].shape) == (12, "ZYX", SHAPE)
        assert (tags["unit"], tags["spacing"]) == ("micron", pytest.approx(0.1))
        for name, size in (("YResolution", 0.2), ("XResolution", 0.3)):
            over, under = page.tags[name].value
            assert under / over == pytest.approx(size)
        origin = [-tags[f"{axis}origin"] for axis in "zyx"]
        np.testing.assert_allclose(np.multiply(origin, SIZES), OFFSET)
        np.testing.assert_array_equal(tif.asarray(), VALUES[labels])


def test_above_4_gib_it_is_a_bigtiff_with_ome_xml(tmp_path, labels, monkeypatch):
    monkeypatch.setattr(tiff, "CLASSIC_LIMIT", 100)
    with tifffile.TiffFile(written(tmp_path, ".tif")) as tif:
        assert tif.is_bigtiff
        pixels = ElementTree.fromstring(tif.ome_metadata).find("{*}Image/{*}Pixels")
        assert [int(pixels.get(f"Size{axis}")) for axis in "ZYX"] == list(SHAPE)
        assert [float(pixels.get(f"PhysicalSize{axis}")) for axis in "ZYX"] == list(SIZES)
        assert {pixels.get(f"PhysicalSize{axis}Unit") for axis in "ZYX"} == {"µm"}
        for number, plane in enumerate(pixels.findall("{*}Plane")):
            place = [float(plane.get(f"Position{axis}")) for axis in "ZYX"]
            expected = (OFFSET[0] + number * SIZES[0], *OFFSET[1:])
            assert place == pytest.approx(expected)
        np.testing.assert_array_equal(tif.asarray(), VALUES[labels])


def test_zarr_holds_axes_lengths_and_offset_of_each_level(tmp_path, labels):
    folder = written(tmp_path, ".zarr")
    attributes = json.loads((folder / "zarr.json").read_text())["attributes"]
    (multiscale,) = attributes["ome"]["multiscales"]
    assert [(axis["name"], axis["unit"]) for axis in multiscale["axes"]] == [
        (name, "micrometer") for name in "zyx"
    ]
    scale, shift = multiscale["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == pytest.approx(SIZES)
    assert shift["translation"] == pytest.approx(OFFSET)
    array = json.loads((folder / "0/zarr.json").read_text())
    assert (array["shape"], array["data_type"]) == (list(SHAPE), "uint8")
    assert array["dimension_names"] == ["z", "y", "x"]
    import zarr

    np.testing.assert_array_equal(zarr.open_array(folder / "0", mode="r")[:], VALUES[labels])


@pytest.mark.parametrize("kind", [".tif", ".zarr"])
def test_napari_lays_it_where_it_was_cut_out(tmp_path, labels, kind):
    pytest.importorskip("napari", reason="napari is not installed")
    from napari_superres.widgets.layers.files import read_result

    data, arguments, _ = read_result(written(tmp_path, kind))
    np.testing.assert_array_equal(np.asarray(data), labels + 1)
    assert arguments["scale"] == pytest.approx(SIZES)
    assert arguments["translate"] == pytest.approx(OFFSET)
    assert arguments["units"] == ("um",) * 3
    assert arguments["axis_labels"] == ("z", "y", "x")
