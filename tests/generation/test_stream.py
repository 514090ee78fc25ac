"""A stream of events never falls silent, and can be stopped wherever it is."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest
import tifffile

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.data.phases import phases_from_values
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import OutOfMemoryError, OutputError
from napari_superres.events import FinishReason, GenerationFinished, PartAssembled, TileCompleted
from napari_superres.generation.job import Job
from napari_superres.generation.render import generate_realisations, generate_volume
from napari_superres.generation.renderer import Renderer
from napari_superres.writing import journal, plain_sink, writer
from napari_superres.writing.journal import unfinished_folder
from napari_superres.writing.sink import MemorySink
from tests.generation.networks import low_res, mixed_generator

VOLUME = SegmentedVolume.from_labels(low_res((6, 6, 6)))
PHASES = phases_from_values([0, 1, 2])
SETTINGS = GenerationSettings(precision="float32")


@pytest.fixture(autouse=True)
def fast_heartbeat(monkeypatch):
    monkeypatch.setattr(writer, "HEARTBEAT_S", 0.005)


def events(output=None, stop=None):
    return generate_volume(Job(mixed_generator("2"), VOLUME, PHASES, SETTINGS), output, stop)


def waits_for(event, function):
    """Return `function`, held up until `event` is set."""

    def held_up(*arguments):
        event.wait()
        return function(*arguments)

    return held_up


def test_events_keep_coming_during_a_slow_tile(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(Renderer, "labels", waits_for(go_on, Renderer.labels))
    stream = events()
    next(stream)
    heard = [next(stream) for _ in range(3)]
    go_on.set()
    assert [event.done for event in heard] == [0, 0, 0]
    assert next(reversed(list(stream))).reason is FinishReason.COMPLETED


def test_events_keep_coming_while_a_slow_disk_is_waited_for(tmp_path, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(plain_sink, "SIDE", 4)
    monkeypatch.setattr(plain_sink.PlainSink, "_put", waits_for(go_on, plain_sink.PlainSink._put))
    heard = []
    for event in events(tmp_path / "sr.tif"):
        heard.append(event)
        if len(heard) == 30:
            go_on.set()
    tiles = [event.done for event in heard if isinstance(event, TileCompleted)]
    assert len(tiles) > len(set(tiles))
    assert heard[-1].path == tmp_path / "sr.tif"


def test_the_assembly_of_the_file_is_reported(tmp_path, monkeypatch):
    seen = threading.Event()
    planes = plain_sink._Voxels.__iter__

    def slow(self):
        for number, plane in enumerate(planes(self)):
            if number == 6:
                seen.wait()
            yield plane

    monkeypatch.setattr(plain_sink._Voxels, "__iter__", slow)
    parts = []
    for event in events(tmp_path / "sr.tif"):
        if isinstance(event, PartAssembled):
            parts.append(event)
            if event.done == 6:
                seen.set()
    assert PartAssembled(6, 12) in parts


def test_a_stop_while_the_file_is_put_together_keeps_all_that_is_generated(tmp_path, monkeypatch):
    stop, output = threading.Event(), tmp_path / "sr.tif"
    planes = plain_sink._Voxels.__iter__

    def stopped(self):
        for number, plane in enumerate(planes(self)):
            if number == 5:
                stop.set()
            yield plane

    with monkeypatch.context() as change:
        change.setattr(plain_sink._Voxels, "__iter__", stopped)
        last = list(events(output, stop))[-1]
    assert last == GenerationFinished(FinishReason.STOPPED)
    assert [path.name for path in tmp_path.iterdir()] == [unfinished_folder(output).name]
    again = events(output)
    started = next(again)
    assert started.tiles_done == started.tiles
    list(again)
    np.testing.assert_array_equal(tifffile.imread(output), list(events())[-1].labels)


def test_room_is_checked_for_all_realisations_together(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    one = 12**3 * 5 // 4  # a plain file and its TIFF
    monkeypatch.setattr(journal.shutil, "disk_usage", lambda _: usage._replace(free=3 * one))
    job = Job(mixed_generator("2"), VOLUME, PHASES, SETTINGS)
    many = generate_realisations(job, 4, tmp_path / "all")
    with pytest.raises(OutputError, match=r"[GMk]B left"):
        next(many)


def test_a_result_that_memory_has_no_room_for_is_one_clear_error():
    box = Box.whole((2**20,) * 3)
    with pytest.raises(OutOfMemoryError, match=r"1048576\) voxels\. It needs .* GB\. .*to a file"):
        MemorySink(box, box.shape)
