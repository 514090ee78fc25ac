"""Generation in other processes: blocks as tasks of dask.distributed.

A worker generates whole blocks and sends their labels back; this process writes.
Blocks are independent and their noise is a function of place, so a block of a
lost worker is simply done again, by any other.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import torch

from napari_superres.data.volumes import Labels
from napari_superres.errors import EngineError, SettingsError, SuperResError
from napari_superres.generation.job import Job
from napari_superres.generation.renderer import Renderer
from napari_superres.generation.stream import Block, Generated, Producer
from napari_superres.writing.writer import HEARTBEAT_S

AHEAD = 2
"""Blocks submitted per worker: one running, one waiting; more would only fill memory here."""

RETRIES = 3
CONNECT_S = 10.0


@dataclass(frozen=True)
class Workers:
    """Where to generate.

    Attributes
    ----------
    count : processes to start on this machine; 0 when `scheduler` is given
    scheduler : address of a dask scheduler that has workers, such as tcp://host:8786
    """

    count: int = 0
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if (self.count > 0) == (self.scheduler is not None):
            raise SettingsError(
                f"{self.count} workers and the scheduler {self.scheduler} were asked for.",
                "Either a number of workers or the address of a scheduler is needed.",
            )


@contextmanager
def on_workers(workers: Workers, job: Job) -> Iterator[Producer]:
    """Give a producer that generates on workers; they are released at the end."""
    dask = _distributed()
    # torch's own number: a batch job may have few of the machine's cores
    threads = max(torch.get_num_threads() // workers.count, 1) if workers.count else None
    with _client(dask, workers) as client, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        # not scattered: what is submitted can be computed again when its worker is lost
        sent = client.submit(_itself, job, pure=False)
        yield _producer(client, sent, threads)


def _distributed() -> Any:
    """Return the module, which has no usable types."""
    try:
        return import_module("distributed")
    except ImportError as error:
        raise SettingsError(
            "Workers need dask.distributed, which is not installed.",
            "",
            'Install it: pip install "dask[array]" distributed.',
        ) from error


@contextmanager
def _client(dask: Any, workers: Workers) -> Iterator[Any]:
    if workers.scheduler is None:
        with (
            dask.LocalCluster(
                n_workers=workers.count,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                memory_limit=0,
                silence_logs=50,
            ) as cluster,
            dask.Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = dask.Client(workers.scheduler, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise SettingsError(
            f"No dask scheduler answers at {workers.scheduler}.",
            "The address of a running scheduler is needed.",
            "Start one with `dask scheduler`, or use --workers.",
        ) from error
    with client:
        yield client


def _producer(client: Any, sent: Any, threads: int | None) -> Producer:
    def produce(blocks: Sequence[Block]) -> Iterator[Generated]:
        waiting = iter(blocks)
        running: dict[Any, Block] = {}
        ready: SimpleQueue[Any] = SimpleQueue()

        def submit() -> None:
            block = next(waiting, None)
            if block is not None:
                future = client.submit(
                    generate_block, sent, block, threads, pure=False, retries=RETRIES
                )
                running[future] = block
                future.add_done_callback(ready.put)

        try:
            # not scheduler_info, which in some versions lists five workers at most
            for _ in range(AHEAD * max(len(client.nthreads()), 1)):
                submit()
            while running:
                yield Generated(0)
                try:
                    future = ready.get(timeout=HEARTBEAT_S)
                except Empty:
                    continue
                block = running.pop(future)
                labels = _result(future)
                submit()
                yield Generated(len(block.tiles), block.index, labels)
        finally:
            client.cancel(list(running))

    return produce


def _result(future: Any) -> Labels:
    try:
        labels: Labels = future.result()
    except SuperResError:
        raise
    except Exception as error:
        raise EngineError(
            f"A worker failed: {error or type(error).__name__}.",
            "What is written so far is kept.",
            "Give the same command again to continue.",
        ) from error
    finally:
        future.release()
    return labels


_renderers: dict[str, tuple[Job, Renderer]] = {}


def generate_block(job: Job, block: Block, threads: int | None) -> Labels:
    """Generate one block (runs on a worker, which keeps the renderer of its last job)."""
    cached = _renderers.get("last")
    if cached is None or cached[0] is not job:
        if threads is not None:
            torch.set_num_threads(threads)
        cached = _renderers["last"] = (job, on_own_card(job).renderer())
    labels = np.empty(block.box.shape, np.uint8)
    for tile in block.tiles:
        labels[tile.slices(block.box.start)] = cached[1].labels(tile, *block.draw)
    return labels


def on_own_card(job: Job) -> Job:
    """Return the job on the graphics card of this worker, where it is free to choose.

    The workers of one machine are numbered and take the cards in turn. Those started by hand
    for a scheduler have no number: they use the first card that they were given.
    """
    if not job.device.startswith("cuda") or job.settings.device not in ("auto", "cuda"):
        return job
    name = _distributed().get_worker().name
    number = name if isinstance(name, int) else 0
    return replace(job, device=f"cuda:{number % max(torch.cuda.device_count(), 1)}")


def _itself(job: Job) -> Job:
    return job
