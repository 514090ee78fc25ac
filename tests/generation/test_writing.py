"""Results on disk: the voxels of the labels in memory, in their place."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.config import GenerationSettings
from napari_superres.data.files.ome_zarr import open_pyramid
from napari_superres.data.files.tiff import read_tiff_metadata
from napari_superres.data.phases import Phase
from napari_superres.errors import OutputError
from napari_superres.events import FinishReason, GenerationFinished
from napari_superres.generation.job import Job
from napari_superres.generation.render import generate_volume
from napari_superres.writing import journal
from tests.generation.networks import mixed_generator

pytestmark = pytest.mark.usefixtures("small_blocks")
PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "am", "#5b9bd5"), Phase(255, "binder", "#f2c14e"))
VALUES = np.array([0, 128, 255], np.uint8)
SETTINGS = GenerationSettings(precision="float32", tile=4)
KINDS = [".tif", ".zarr"]


def events(volume, output=None, settings=SETTINGS, stop=None, **about):
    job = Job(mixed_generator("4,4,2"), volume, PHASES, settings, **about)
    return generate_volume(job, output, stop)


def in_memory(volume, settings=SETTINGS):
    return list(events(volume, settings=settings))[-1].labels


def voxels(path: Path) -> np.ndarray:
    return open_pyramid(path).levels[0][:] if path.suffix == ".zarr" else tifffile.imread(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_the_values_of_the_labels_in_memory(tmp_path, volume, kind):
    output = tmp_path / f"sr{kind}"
    assert list(events(volume, output))[-1] == GenerationFinished(
        FinishReason.COMPLETED, path=output
    )
    np.testing.assert_array_equal(voxels(output), VALUES[in_memory(volume)])
    assert os.listdir(tmp_path) == [output.name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_its_place_and_what_it_shows(tmp_path, volume, kind):
    output = tmp_path / f"sr{kind}"
    settings = SETTINGS.replace(region=((2, 6), (0, 5), (3, 9)))
    list(events(volume, output, settings, provenance={"run": "anode"}))
    found = open_pyramid(output) if kind == ".zarr" else read_tiff_metadata(output)
    assert found.voxel_size == pytest.approx((0.1, 0.1, 0.4))
    assert found.offset == pytest.approx((0.8 - 0.15, -0.15, 2.4 - 0.2))
    assert found.phases == PHASES
    assert found.provenance["run"] == "anode"
    assert found.provenance["seed"] == "0"


@pytest.mark.parametrize("kind", KINDS)
def test_free_disk_space_is_checked_before_starting(tmp_path, volume, kind, monkeypatch):
    usage = journal.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(journal.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OutputError, match=r"\d [Mk]B left"):
        next(events(volume, tmp_path / f"sr{kind}"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sr.png", "sr", "missing/sr.tif", "missing/sr.zarr"])
def test_a_place_or_kind_that_cannot_be_written_is_refused_before_starting(tmp_path, volume, name):
    with pytest.raises(OutputError):
        next(events(volume, tmp_path / name))


def test_a_zarr_replaces_an_earlier_one_but_no_other_folder(tmp_path, volume):
    output = tmp_path / "sr.zarr"
    output.mkdir()
    (output / "thesis.docx").touch()
    with pytest.raises(OutputError, match="is no zarr folder"):
        next(events(volume, output))
    (output / "thesis.docx").rename(output / "zarr.json")
    list(events(volume, output))
    np.testing.assert_array_equal(voxels(output), VALUES[in_memory(volume)])


def test_closing_the_stream_leaves_no_thread(tmp_path, volume):
    before = threading.active_count()
    stream = events(volume, tmp_path / "sr.tif")
    next(stream), next(stream)
    stream.close()
    assert threading.active_count() == before
