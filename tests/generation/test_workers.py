"""Generation by several processes gives the same file, also when one of them dies."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import psutil
import pytest
import tifffile

from napari_superres.config import GenerationSettings
from napari_superres.data.phases import phases_from_values
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import SettingsError
from napari_superres.events import TileCompleted
from napari_superres.generation import workers
from napari_superres.generation.job import Job
from napari_superres.generation.memory import SMALLEST
from napari_superres.generation.render import generate_volume
from napari_superres.generation.workers import Workers
from napari_superres.writing import plain_sink
from tests.generation.networks import low_res, mixed_generator

pytest.importorskip("distributed")

SETTINGS = GenerationSettings(precision="float32", tile=4)
VOLUME = SegmentedVolume.from_labels(low_res((12, 12, 12)))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(plain_sink, "SIDE", 16)


def events(output=None, where=None):
    job = Job(mixed_generator("4"), VOLUME, phases_from_values([0, 1, 2]), SETTINGS)
    return generate_volume(job, output, workers=where)


def in_memory():
    return list(events())[-1].labels


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
def test_two_workers_of_which_one_is_killed_make_the_same_file(tmp_path):
    output = tmp_path / "sr.tif"
    killed = False
    for event in events(output, Workers(2)):
        if isinstance(event, TileCompleted) and event.done >= 4 and not killed:
            _kill_one_worker()
            killed = True
    assert killed
    assert event.path == output
    np.testing.assert_array_equal(tifffile.imread(output), in_memory())


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_workers_of_a_scheduler_make_the_same_file(tmp_path, count):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=count, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        list(events(tmp_path / "sr.tif", Workers(scheduler=cluster.scheduler_address)))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "sr.tif"), in_memory())


@pytest.mark.parametrize(
    ("asked", "device", "worker", "card"),
    [
        ("auto", "cuda:0", 3, "cuda:1"),
        ("cuda", "cuda:0", 2, "cuda:0"),
        ("cuda:0", "cuda:0", 1, "cuda:0"),
        ("auto", "cuda:0", "tcp://10.0.0.5:8786", "cuda:0"),
        ("auto", "cpu", 1, "cpu"),
    ],
)
def test_workers_share_out_two_cards_unless_one_was_named(monkeypatch, asked, device, worker, card):
    monkeypatch.setattr(workers.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(name=worker))
    job = Job(mixed_generator("4"), VOLUME, (), SETTINGS.replace(device=asked), device)
    assert workers.on_own_card(job).device == card


def _kill_one_worker():
    children = psutil.Process().children(recursive=True)
    workers = [p for p in children if "spawn_main" in " ".join(p.cmdline())]
    os.kill(workers[0].pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def test_a_scheduler_that_does_not_answer_is_one_clear_error(monkeypatch):
    monkeypatch.setattr("napari_superres.generation.workers.CONNECT_S", 0.5)
    with pytest.raises(SettingsError, match="No dask scheduler answers"):
        list(events(where=Workers(scheduler="tcp://127.0.0.1:9")))


def test_workers_that_cannot_be_had_do_not_keep_others_off_the_output(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_superres.generation.workers.CONNECT_S", 0.5)
    with pytest.raises(SettingsError) as kept:  # the error holds on to what was opened
        list(events(tmp_path / "sr.tif", Workers(scheduler="tcp://127.0.0.1:9")))
    assert next(events(tmp_path / "sr.tif")).tiles_done == 0
    del kept


def test_workers_are_counted_or_have_a_scheduler():
    for wrong in ({}, {"count": 2, "scheduler": "tcp://host:8786"}):
        with pytest.raises(SettingsError, match="Either a number of workers"):
            Workers(**wrong)


class _Client:
    """Twelve workers, of which `scheduler_info` tells five, as in some versions."""

    def __init__(self):
        self.submitted = []

    def scheduler_info(self):
        return {"workers": dict.fromkeys(range(5))}

    def nthreads(self):
        return dict.fromkeys(range(12), 1)

    def submit(self, *task, **options):
        future = Mock()
        self.submitted.append(future)
        return future

    def cancel(self, futures):
        self.cancelled = futures


def test_all_workers_are_given_blocks():
    client = _Client()
    blocks = [SimpleNamespace(index=index, tiles=[None]) for index in range(100)]
    stream = workers._producer(client, None, 1)(blocks)
    next(stream)
    assert len(client.submitted) == workers.AHEAD * 12
    stream.close()
    assert client.cancelled == client.submitted


def test_workers_share_out_the_cores_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(workers.torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(workers, "_client", lambda *_: nullcontext(_Client()))
    monkeypatch.setattr(workers, "_producer", lambda client, sent, threads: threads)
    job = Job(mixed_generator("4"), VOLUME, (), SETTINGS)
    for count, threads in ((2, 4), (3, 2), (100, 1)):
        with workers.on_workers(Workers(count), job) as given:
            assert given == threads


def test_tiles_of_several_processes_fit_into_memory_together(monkeypatch):
    monkeypatch.setattr("napari_superres.generation.memory.free_bytes", lambda device: 10**8)
    settings = SETTINGS.replace(tile=None)
    job = Job(mixed_generator("4"), SegmentedVolume.from_labels(low_res((40,) * 3)), (), settings)
    alone, together = (job.tile(processes)[0] for processes in (1, 4))
    assert alone > together >= SMALLEST
