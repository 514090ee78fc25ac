"""Results on disk: the voxels of the labels in memory, in their place; continued when cut off."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.config import GenerationSettings
from napari_superres.data.ome_zarr import open_pyramid
from napari_superres.data.phases import Phase
from napari_superres.data.tiff import read_tiff_metadata
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import OutputError
from napari_superres.events import FinishReason, GenerationFinished, GenerationStarted
from napari_superres.generation import journal, tiff_sink, zarr_sink
from napari_superres.generation.journal import unfinished_folder
from napari_superres.generation.volume import generate_volume
from napari_superres.runs.lock import NAME as LOCK

from .networks import low_res, mixed_generator

PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "am", "#5b9bd5"), Phase(255, "binder", "#f2c14e"))
VALUES = np.array([0, 128, 255], np.uint8)
SETTINGS = GenerationSettings(precision="float32", tile=4)
KINDS = [".tif", ".zarr"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(tiff_sink, "SIDE", 24)
    monkeypatch.setattr(zarr_sink, "SIDES", (32, 32))


@pytest.fixture
def volume() -> SegmentedVolume:
    return SegmentedVolume.from_labels(low_res((10, 12, 9)), (0.4, 0.4, 0.8))


def events(volume, output=None, settings=SETTINGS, **options):
    return generate_volume(
        mixed_generator("4,4,2"), volume, PHASES, settings, output=output, **options
    )


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
def test_a_file_tells_where_it_lies_and_what_it_shows(tmp_path, volume, kind):
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
def test_a_stopped_generation_is_continued_to_the_same_file(tmp_path, volume, kind):
    whole, cut = tmp_path / f"whole{kind}", tmp_path / f"cut{kind}"
    list(events(volume, whole))
    stop = threading.Event()
    for event in events(volume, cut, stop=stop):
        if getattr(event, "done", 0) >= 20:
            stop.set()
    assert event == GenerationFinished(FinishReason.STOPPED)
    assert not cut.exists()
    started = next(events(volume, cut))
    assert isinstance(started, GenerationStarted)
    assert 0 < started.tiles_done < started.tiles
    list(events(volume, cut))
    np.testing.assert_array_equal(voxels(cut), voxels(whole))


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_does_not_continue_where_the_first_stopped(tmp_path, volume, kind):
    output = tmp_path / f"sr{kind}"
    for _ in itertools.islice(events(volume, output), 20):
        pass
    other = SETTINGS.replace(seed=1)
    assert next(events(volume, output, other)).tiles_done == 0
    list(events(volume, output, other))
    np.testing.assert_array_equal(voxels(output), VALUES[in_memory(volume, other)])


@pytest.mark.parametrize("kind", KINDS)
def test_another_generation_of_the_same_output_is_refused_and_the_first_goes_on(
    tmp_path, volume, kind
):
    output = tmp_path / f"sr{kind}"
    first = events(volume, output)
    for _ in itertools.islice(first, 20):
        pass
    for seed in (0, 1):  # whether it would continue it, or begin anew
        with pytest.raises(OutputError, match=rf"already.*in use by process {os.getpid()}"):
            next(events(volume, output, SETTINGS.replace(seed=seed)))
    list(first)
    np.testing.assert_array_equal(voxels(output), VALUES[in_memory(volume)])
    assert os.listdir(tmp_path) == [output.name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_generation_that_could_not_begin_does_not_keep_others_off(
    tmp_path, volume, kind, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as change:
        change.setattr(journal.Journal, "done", full)
        with pytest.raises(
            OSError, match="No space"
        ) as kept:  # the error holds on to what was opened
            next(events(volume, tmp_path / f"sr{kind}"))
    assert next(events(volume, tmp_path / f"sr{kind}")).tiles_done == 0
    del kept


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from generation import test_writing as t
from napari_superres.generation import tiff_sink, zarr_sink
tiff_sink.SIDE, zarr_sink.SIDES = 24, (32, 32)
volume = t.SegmentedVolume.from_labels(t.low_res((10, 12, 9)), (0.4, 0.4, 0.8))
for event in t.events(volume, Path({output!r})):
    if getattr(event, "done", 0) >= 20:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_generation_is_continued_to_the_same_file(tmp_path, volume, kind):
    whole, output = tmp_path / f"whole{kind}", tmp_path / f"cut{kind}"
    script = KILLED.format(tests=str(Path(__file__).parents[1]), output=str(output))
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (unfinished_folder(output) / LOCK).is_file()
    again = events(volume, output)
    assert next(again).tiles_done > 0
    list(again)
    assert os.listdir(tmp_path) == [output.name]
    list(events(volume, whole))
    np.testing.assert_array_equal(voxels(output), voxels(whole))
    if kind == ".tif":
        assert output.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_counts_as_written_once_it_is_safely_on_disk(tmp_path, volume, kind, monkeypatch):
    synced, fsync, add = set(), os.fsync, journal.Journal.add

    def noting(file):
        synced.add(os.fstat(file).st_ino)
        fsync(file)

    def looking(record, index):
        files = (path for path in record.folder.rglob("*") if path.is_file())
        open_ones = {p.name for p in files if p.stat().st_ino not in synced}
        assert open_ones <= {"done", LOCK}
        add(record, index)

    monkeypatch.setattr(os, "fsync", noting)
    monkeypatch.setattr(journal.Journal, "add", looking)
    list(events(volume, tmp_path / f"sr{kind}"))
    assert synced


def test_a_cut_off_line_of_the_record_counts_as_not_written(tmp_path):
    record = journal.Journal(tmp_path / "sr.tif", {}, ".")
    record.add(3)
    record.add(12)
    done = record.folder / "done"
    done.write_text(done.read_text()[:-2])
    assert record.done() == {3}


def test_a_damaged_line_of_the_record_counts_as_not_written(tmp_path):
    record = journal.Journal(tmp_path / "sr.tif", {}, ".")
    record.add(3)
    done = record.folder / "done"
    done.write_bytes(done.read_bytes() + b"\0\0\n\xff7\n-1\n12\n")  # as after a power cut
    assert record.done() == {3, 12}


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fills_up_is_one_clear_error_and_can_be_continued(
    tmp_path, volume, kind, monkeypatch
):
    output = tmp_path / f"sr{kind}"
    with monkeypatch.context() as full:
        sink = tiff_sink.TiffSink if kind == ".tif" else zarr_sink.ZarrSink
        full.setattr(sink, "_put", _full_after(3, sink._put))
        with pytest.raises(OutputError, match=r"No space left.*again to continue"):
            list(events(volume, output))
    again = events(volume, output)
    assert next(again).tiles_done > 0
    list(again)
    np.testing.assert_array_equal(voxels(output), VALUES[in_memory(volume)])


def _full_after(blocks, put):
    calls = itertools.count()

    def fails(*arguments):
        if next(calls) >= blocks:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        put(*arguments)

    return fails


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
