"""Results on disk that were cut off: continued to the same file, by one generation at a time."""

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

from napari_superres.errors import OutputError
from napari_superres.events import FinishReason, GenerationFinished, GenerationStarted
from napari_superres.runs.lock import NAME as LOCK
from napari_superres.writing import journal, plain_sink, zarr_sink
from napari_superres.writing.journal import unfinished_folder
from tests.generation.test_writing import KINDS, SETTINGS, VALUES, events, in_memory, voxels

pytestmark = pytest.mark.usefixtures("small_blocks")


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
    for seed in (0, 1):  # whether it would continue it, or start over
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
import os, signal, sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from tests.generation import test_writing as t
from tests.generation.networks import low_res
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.writing import plain_sink, zarr_sink
from napari_superres.writing.journal import unfinished_folder
plain_sink.SIDE, zarr_sink.SIDES = 24, (32, 32)
done = unfinished_folder(Path({output!r})) / "done"
volume = SegmentedVolume.from_labels(low_res((10, 12, 9)), (0.4, 0.4, 0.8))
for event in t.events(volume, Path({output!r})):
    if getattr(event, "done", 0) >= 20:
        while not (done.exists() and done.stat().st_size):  # written beside the work
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_generation_is_continued_to_the_same_file(tmp_path, volume, kind):
    whole, output = tmp_path / f"whole{kind}", tmp_path / f"cut{kind}"
    script = KILLED.format(tests=str(Path(__file__).parents[2]), output=str(output))
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
        sink = plain_sink.PlainSink if kind == ".tif" else zarr_sink.ZarrSink
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
