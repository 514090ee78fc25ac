"""OME-Zarr: every level lies in the same place, and other readers find units and colours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_superres.data.files.ome_zarr import (
    create_pyramid,
    halved,
    level_shapes,
    open_pyramid,
    write_labels_zarr,
)
from napari_superres.data.phases import Phase
from napari_superres.errors import FileError, OutputError

PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "active material", "#5b9bd5"))
shapes = st.tuples(*[st.integers(1, 7)] * 3)


def create(path, shape=(300, 20, 30), voxel_size=(0.4, 0.1, 0.1), offset=(1.0, 2.0, 3.0)):
    return create_pyramid(
        path,
        shape,
        64,
        voxel_size=voxel_size,
        offset=offset,
        phases=PHASES,
        provenance={"seed": "3"},
    )


def brute_force(labels):
    padded = np.pad(labels, [(0, size % 2) for size in labels.shape], mode="edge")
    z, y, x = (size // 2 for size in padded.shape)
    blocks = padded.reshape(z, 2, y, 2, x, 2).transpose(0, 2, 4, 1, 3, 5).reshape(z, y, x, 8)
    return np.apply_along_axis(lambda eight: np.bincount(eight).argmax(), 3, blocks)


@given(arrays(np.uint8, shapes, elements=st.integers(0, 2)))
def test_a_coarser_level_holds_the_most_frequent_phase_of_eight_voxels(labels):
    np.testing.assert_array_equal(halved(labels, 3), brute_force(labels))


def test_levels_halve_until_the_longest_side_is_small():
    assert level_shapes((1025, 512, 3), 256) == [(1025, 512, 3), (513, 256, 2), (257, 128, 1),
                                                 (129, 64, 1)]  # fmt: skip
    assert level_shapes((256, 9, 9), 128) == [(256, 9, 9)]


def test_a_pyramid_that_a_kill_left_without_metadata_is_made_anew(tmp_path):
    create(tmp_path / "sr.zarr")
    (tmp_path / "sr.zarr/zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    create(tmp_path / "sr.zarr")
    assert len(open_pyramid(tmp_path / "sr.zarr").levels) == 2


def test_what_is_written_is_read_back(tmp_path):
    levels = create(tmp_path / "sr.zarr")
    levels[0][...] = 128
    found = open_pyramid(tmp_path / "sr.zarr")
    assert [level.shape for level in found.levels] == [(300, 20, 30), (150, 10, 15)]
    assert (found.levels[0][...] == 128).all()
    assert found.voxel_size == (0.4, 0.1, 0.1)
    assert found.offset == (1.0, 2.0, 3.0)
    assert found.phases == PHASES
    assert found.provenance == {"seed": "3"}


def test_a_pyramid_that_is_there_keeps_its_voxels(tmp_path):
    create(tmp_path / "sr.zarr")[0][...] = 128
    assert (create(tmp_path / "sr.zarr")[0][...] == 128).all()


def test_other_readers_find_axes_units_places_and_colours(tmp_path):
    create(tmp_path / "sr.zarr")
    ome = json.loads((tmp_path / "sr.zarr/zarr.json").read_text())["attributes"]["ome"]
    image = ome["multiscales"][0]
    assert ome["version"] == "0.5"
    assert image["axes"][0] == {"name": "z", "type": "space", "unit": "micrometer"}
    scale, shift = image["datasets"][1]["coordinateTransformations"]
    assert scale["scale"] == pytest.approx([0.8, 0.2, 0.2])
    assert shift["translation"] == pytest.approx([1.2, 2.05, 3.05])
    assert ome["image-label"]["colors"][1] == {"label-value": 128, "rgba": [0x5B, 0x9B, 0xD5, 255]}
    assert ome["image-label"]["properties"][1] == {"label-value": 128, "name": "active material"}


def test_a_volume_without_voxel_size_has_none_when_read_back(tmp_path):
    create(tmp_path / "sr.zarr", voxel_size=None, offset=None)
    assert open_pyramid(tmp_path / "sr.zarr").voxel_size is None


def with_transformations(path, level, common=()):
    create(path)
    told = json.loads((path / "zarr.json").read_text())
    image = told["attributes"]["ome"]["multiscales"][0]
    image["datasets"][0]["coordinateTransformations"] = level
    image["coordinateTransformations"] = list(common)
    (path / "zarr.json").write_text(json.dumps(told))
    return open_pyramid(path)


def test_what_holds_for_all_levels_comes_after_what_holds_for_one(tmp_path):
    scale, shift = {"type": "scale", "scale": [2, 1, 1]}, {"type": "translation"}
    level = [scale, shift | {"translation": [1, 1, 1]}]
    common = [{"type": "scale", "scale": [0.1, 0.2, 0.3]}, shift | {"translation": [5, 0, 0]}]
    found = with_transformations(tmp_path / "a.zarr", level, common)
    assert found.voxel_size == pytest.approx((0.2, 0.2, 0.3))
    assert found.offset == pytest.approx((5.1, 0.2, 0.3))


@pytest.mark.parametrize("size", [0, -1, float("nan"), float("inf")])
def test_a_voxel_of_no_size_is_one_of_unknown_size(tmp_path, size):
    level = [{"type": "scale", "scale": [size, 1, 1]}]
    assert with_transformations(tmp_path / "a.zarr", level).voxel_size is None


def test_a_folder_that_is_no_ome_zarr_is_one_clear_error(tmp_path):
    with pytest.raises(FileError, match="no OME-Zarr volume"):
        open_pyramid(tmp_path)
    (tmp_path / "zarr.json").write_text("{")
    with pytest.raises(FileError, match="no OME-Zarr volume"):
        open_pyramid(tmp_path)


def test_an_earlier_volume_stays_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    labels, file = np.full((4, 4, 4), 128, np.uint8), tmp_path / "sr.zarr"
    write_labels_zarr(file, labels, voxel_size=None, phases=PHASES)
    replace = os.replace

    def refuse(source, target):
        if Path(target) == file and not Path(source).name.startswith("earlier"):
            raise PermissionError(13, "Permission denied", str(target))
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        with pytest.raises(OutputError, match="Permission denied"):
            write_labels_zarr(file, np.zeros_like(labels), voxel_size=None, phases=PHASES)
    assert (open_pyramid(file).levels[0][...] == 128).all()
    write_labels_zarr(file, np.zeros_like(labels), voxel_size=None, phases=PHASES)
    assert not open_pyramid(file).levels[0][...].any()
    assert os.listdir(tmp_path) == ["sr.zarr"]
