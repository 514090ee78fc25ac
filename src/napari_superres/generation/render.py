"""Generate from a run: what panel and command line call."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import PhaseError
from napari_superres.events import GenerationEvent
from napari_superres.fusion.networks.trained import load_generator
from napari_superres.generation.job import Job
from napari_superres.generation.realisations import RealisationsSink
from napari_superres.generation.stream import in_this_process, stream
from napari_superres.generation.symmetry import IDENTITY, symmetries_of
from napari_superres.generation.workers import Workers, on_workers
from napari_superres.runs.config import FUSION, HIGH_RES, LOW_RES
from napari_superres.runs.device import choose_device
from napari_superres.runs.run import Run
from napari_superres.writing.description import Description
from napari_superres.writing.plain_sink import PlainSink
from napari_superres.writing.sink import MemorySink, Sink, is_zarr
from napari_superres.writing.zarr_sink import ZarrSink

__all__ = ["Workers", "generate", "generate_many", "generate_realisations", "generate_volume"]


def generate(
    run_folder: Path,
    settings: GenerationSettings,
    low_res: SegmentedVolume | None = None,
    output: Path | None = None,
    stop: threading.Event | None = None,
    workers: Workers | None = None,
) -> Iterator[GenerationEvent]:
    """Generate the super-res volume of a run's low-res volume, or of another.

    Parameters
    ----------
    run_folder : of a training, with a checkpoint
    settings : seed, region, tile, device, precision, checkpoint, noise
    low_res : another volume of the same material; None for the run's own
    output : file to write (.tif or .zarr), or None to return the labels in memory
    stop : set it to end after the current tile; the same call continues the file later
    workers : other processes to generate in; None for this one

    Yields
    ------
    GenerationStarted, TileCompleted for each tile, GenerationFinished. In memory
    the labels are phase indices; in a file they are the high-res label values.

    Raises
    ------
    InputError
        Before anything is generated: not a run, another material, a region outside
        the volume, a path that cannot be written.
    EngineError
        When the device fails, or has no room for even a small tile.
    """
    yield from generate_volume(_job(run_folder, settings, low_res), output, stop, workers)


def generate_many(
    run_folder: Path,
    settings: GenerationSettings,
    count: int,
    output: Path,
    low_res: SegmentedVolume | None = None,
    stop: threading.Event | None = None,
    workers: Workers | None = None,
    *,
    keep_volumes: bool = True,
    suffix: str = ".tif",
) -> Iterator[GenerationEvent]:
    """Generate several realisations of a run, and the maps of their agreement, into a folder.

    Parameters
    ----------
    count, output, keep_volumes, suffix : as for `generate_realisations`
    others : as for `generate`
    """
    yield from generate_realisations(
        _job(run_folder, settings, low_res),
        count,
        output,
        stop,
        workers,
        keep_volumes=keep_volumes,
        suffix=suffix,
    )


def generate_volume(
    job: Job,
    output: Path | None = None,
    stop: threading.Event | None = None,
    workers: Workers | None = None,
) -> Iterator[GenerationEvent]:
    """Generate the volume of a job; all else as for `generate`."""
    if output is None:
        sink: Sink = MemorySink(job.result, job.tile(_processes(workers)))
    else:
        sink = _open_sink(output, job.result, job.description([job.settings.seed]))
    yield from _stream(job, [job.settings.seed], sink, stop, workers)


def generate_realisations(
    job: Job,
    count: int,
    output: Path,
    stop: threading.Event | None = None,
    workers: Workers | None = None,
    *,
    keep_volumes: bool = True,
    suffix: str = ".tif",
) -> Iterator[GenerationEvent]:
    """Generate several realisations of a job, and what they have in common.

    The folder `output` then holds each volume (``seed-0.tif`` …, if kept), the most
    frequent phase of each voxel (``most-likely``), how many per cent of the
    realisations agree on it (``agreement``), the entropy of the phases in per cent
    of its largest value (``entropy``), and ``spread.json`` with volume fractions and
    interface areas of each realisation, their mean and standard deviation.

    Parameters
    ----------
    job : its settings give the first seed; the others follow: seed + 1, …
    count : number K of realisations
    output : folder to make or to continue
    keep_volumes : whether each volume is written, or only the maps and the spread
    suffix : .tif or .zarr
    stop, workers : as for `generate`
    """
    is_zarr(output.with_name(output.name + suffix))  # refused before the folder is made
    seeds = [job.settings.seed + number for number in range(count)]

    def open_one(name: str, shown: Sequence[Phase], of: Sequence[int]) -> Sink:
        description = job.description(of, shows=name)
        if not shown:
            description = description.of_numbers()
        return _open_sink(output / f"{name}{suffix}", job.result, description)

    sink = RealisationsSink(output, job, seeds, open_one, keep_volumes=keep_volumes, kind=suffix)
    yield from _stream(job, seeds, sink, stop, workers)


def _job(run_folder: Path, settings: GenerationSettings, low_res: SegmentedVolume | None) -> Job:
    """Return the job of generating from a run's checkpoint."""
    run = Run.open(run_folder, FUSION)
    checkpoint = run.find_checkpoint(settings.checkpoint)
    random = run.settings.engine.noise != "off"  # else the result depends on no seed
    return Job(
        # by its name: a running training may save a better one meanwhile
        load_generator(run, checkpoint.name),
        run.low_res() if low_res is None else _with_phases(low_res, run.kept(LOW_RES).phases),
        tuple(run.kept(HIGH_RES).phases),
        settings,
        choose_device(settings.device),
        {"run": str(run.path.resolve()), "checkpoint step": str(checkpoint.step)},
        symmetries_of(run.settings) if settings.symmetry == "auto" and random else (IDENTITY,),
    )


def _with_phases(low_res: SegmentedVolume, phases: Sequence[Phase]) -> SegmentedVolume:
    """Return `low_res` with the phase indices of the run's own low-res volume."""
    known = tuple(phase.value for phase in phases)
    found = tuple(phase.value for phase in low_res.phases)
    if not set(found) <= set(known):
        raise PhaseError(
            f"The low-res volume has the label values {found}; the run was trained with {known}.",
            "A volume of the same material, with the same label values, is needed.",
            "Renumber its labels, or train a run with it.",
        )
    return SegmentedVolume.from_labels(low_res.values, low_res.voxel_size, phases, low_res.name)


def _stream(
    job: Job,
    seeds: Sequence[int],
    sink: Sink,
    stop: threading.Event | None,
    workers: Workers | None,
) -> Iterator[GenerationEvent]:
    """Generate the blocks of a sink, which take the seeds in turn."""
    draws = [job.draw(seed) for seed in seeds]
    with ExitStack() as stack:
        stack.enter_context(closing(sink))
        if workers is None:
            produce = in_this_process(job.renderer())
        else:
            produce = stack.enter_context(on_workers(workers, job))
        tile = job.tile(_processes(workers))
        yield from stream(produce, lambda i: draws[i % len(draws)], sink, tile, stop)


def _processes(workers: Workers | None) -> int:
    """Return how many processes generate on this machine."""
    return 1 if workers is None else max(workers.count, 1)


def _open_sink(output: Path, result: Box, description: Description) -> Sink:
    """Return the sink for the kind of file that the name of `output` asks for."""
    kind = ZarrSink if is_zarr(output) else PlainSink
    return kind(output, result, description)
