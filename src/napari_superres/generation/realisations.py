"""Several realisations at once: where they agree, and the spread of their measures.

Blocks come seed by seed. Of each block only the number of times that a voxel had
each phase is kept until the last seed is there, never K volumes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.boxes import Box
from napari_superres.data.files.output import append_line, check_room
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels
from napari_superres.generation.job import Job
from napari_superres.measures.kinds.agreement import AgreementMaps, maps_of_votes
from napari_superres.measures.naming import pair_names, phase_names
from napari_superres.writing.journal import Journal, complete_lines, on_error, writing
from napari_superres.writing.sink import Assembled, Sink

MAPS = ("most-likely", "agreement", "entropy")

OpenSink = Callable[[str, Sequence[Phase], Sequence[int]], Sink]
"""Opens the sink of one volume: name, phases (none for a map of numbers), seeds."""

Counts = NDArray[np.int64]


class RealisationsSink:
    """Writes blocks to the files of each realisation, and to maps of all of them.

    Block K·b + k is block b of the k-th of K `seeds`. `open_one` opens a file of the folder;
    `kind` is the ending of the files, as each kind has other blocks.
    """

    def __init__(
        self,
        folder: Path,
        job: Job,
        seeds: Sequence[int],
        open_one: OpenSink,
        *,
        keep_volumes: bool,
        kind: str,
    ) -> None:
        self.folder = folder
        self.seeds = seeds
        self.phases = job.phases
        with writing(folder):
            folder.mkdir(exist_ok=True)
        record = job.description(seeds).record(keep=str(keep_volumes), kind=kind)
        self._journal = Journal(folder / "spread.json", record, ".")
        self._spread = _Spread(self._journal.folder / "counts", len(seeds), len(job.phases))
        self._finished = self._journal.folder / "finished"
        self._sinks: dict[str, Sink] = {}
        self._counts: dict[int, _Votes] = {}
        with on_error(self.close):
            self._open(job, open_one, seeds if keep_volumes else ())
            self.room = sum(sink.room for sink in self._sinks.values())
            check_room(folder / "spread.json", self.room)  # each alone may fit, all of them not
            self._own = _blocks(self._sinks, job.result)
            grown = [_with_next(block, job.result) for block in self._own]
            self.blocks: Sequence[Box] = [block for block in grown for _ in seeds]
            self.done = self._complete()

    def _open(self, job: Job, open_one: OpenSink, kept: Sequence[int]) -> None:
        """Open the files that are not finished: volumes of the seeds to keep, and maps."""
        finished = complete_lines(self._finished)
        names = {f"seed-{seed}": [seed] for seed in kept}
        for name, of in (names | {name: [*self.seeds] for name in MAPS}).items():
            if name not in finished:
                shown = () if name in MAPS[1:] else job.phases
                self._sinks[name] = open_one(name, shown, of)

    def _complete(self) -> frozenset[int]:
        """Return the blocks of all realisations that every file and the spread have."""
        files, count = (sink.done for sink in self._sinks.values()), len(self.seeds)
        complete = set(self._spread.blocks()).intersection(*files)
        return frozenset(count * block + number for block in complete for number in range(count))

    def write(self, index: int, labels: Labels) -> None:
        """Write a block of one realisation; with the last one, its part of the maps."""
        block, number = divmod(index, len(self.seeds))
        own = labels[Box.whole(self._own[block].shape).slices()]
        volume = self._sinks.get(f"seed-{self.seeds[number]}")
        if volume is not None:
            volume.write(block, own)
        votes = self._counts.setdefault(block, _Votes.none(own.shape, self))
        votes.add(number, own, neighbour_pairs(labels, own.shape, len(self.phases)))
        if votes.missing:
            return
        for name, found in zip(MAPS, votes.maps(), strict=True):
            if name in self._sinks:
                self._sinks[name].write(block, found)
        with writing(self.folder):
            self._spread.add(block, self._counts.pop(block).pairs)

    def finish(self, assembled: Assembled) -> tuple[Labels | None, Path | None]:
        """Complete all files, write the spread of the measures, return the folder."""
        for number, (name, sink) in enumerate(self._sinks.items()):
            sink.finish(_one_of(assembled, number, len(self._sinks)))
            with writing(self.folder):
                append_line(self._finished, name)
        content = self._spread.summary(self.seeds, self.phases)
        with writing(self.folder):
            (self.folder / "spread.json").write_text(json.dumps(content, indent=1) + "\n")
        self._journal.remove()
        return None, self.folder

    def close(self) -> None:
        """Close the files; what is written stays."""
        for sink in self._sinks.values():
            sink.close()
        self._journal.close()


def _one_of(assembled: Assembled, number: int, files: int) -> Assembled:
    """Return the progress report of one file of several, as a part of them all."""
    return lambda done, parts: assembled(number * parts + done, files * parts)


def _blocks(sinks: dict[str, Sink], result: Box) -> Sequence[Box]:
    """Return the blocks of the sinks, which all have the same; without any, one block."""
    return next((sink.blocks for sink in sinks.values()), [result])


def _with_next(block: Box, result: Box) -> Box:
    """Return a block with one more voxel above: a face between blocks belongs to the lower one."""
    z, y, x = (min(hi + 1, last) for hi, last in zip(block.stop, result.stop, strict=True))
    return Box(block.start, (z, y, x))


def neighbour_pairs(labels: Labels, own: Sequence[int], n_phases: int) -> Counts:
    """Count phases and pairs of neighbours of the first `own` voxels of a block.

    `labels` are one voxel longer than `own` where the volume goes on. (1 + n, n): voxels of each
    phase; then faces between a below and b above.
    """
    inside = labels[tuple(slice(size) for size in own)]
    found = np.zeros((1 + n_phases, n_phases), np.int64)
    found[0] = np.bincount(inside.ravel(), minlength=n_phases)
    for axis in range(3):
        pair = [slice(size) for size in own]
        pair[axis] = slice(1, own[axis] + 1)
        above = labels[tuple(pair)]
        pair[axis] = slice(0, above.shape[axis])
        code = labels[tuple(pair)].astype(np.uint16) * n_phases + above
        found[1:] += np.bincount(code.ravel(), minlength=n_phases**2).reshape(n_phases, n_phases)
    return found


@dataclass
class _Votes:
    """How often each voxel of a block had each phase, over the realisations so far."""

    votes: NDArray[np.uint16]
    pairs: list[Counts | None]

    @classmethod
    def none(cls, shape: Sequence[int], sink: RealisationsSink) -> _Votes:
        votes = np.zeros((len(sink.phases), *shape), np.uint16)
        return cls(votes, [None] * len(sink.seeds))

    @property
    def missing(self) -> bool:
        return any(pairs is None for pairs in self.pairs)

    def add(self, number: int, labels: Labels, pairs: Counts) -> None:
        for phase, votes in enumerate(self.votes):
            votes += labels == phase
        self.pairs[number] = pairs

    def maps(self) -> AgreementMaps:
        return maps_of_votes(self.votes, len(self.pairs))


class _Spread:
    """The counts of each block and realisation, on disk, and the measures of their sums."""

    def __init__(self, path: Path, count: int, n_phases: int) -> None:
        self.path = path
        self.shape = (count, 1 + n_phases, n_phases)

    def add(self, block: int, pairs: Sequence[Counts | None]) -> None:
        counts = np.stack([found for found in pairs if found is not None])
        append_line(self.path, json.dumps([block, counts.tolist()]))

    def blocks(self) -> dict[int, Counts]:
        lines = map(json.loads, complete_lines(self.path))
        return {block: np.array(counts) for block, counts in lines}

    def summary(self, seeds: Sequence[int], phases: Sequence[Phase]) -> dict[str, Any]:
        total = np.zeros(self.shape, np.int64) + sum(self.blocks().values())
        voxels, faces = total[:, 0], total[:, 1:] + total[:, 1:].transpose(0, 2, 1)
        fractions = voxels / voxels.sum(1, keepdims=True)
        areas = faces / np.maximum(total[:, 1:].sum((1, 2), keepdims=True), 1)
        return {
            "seeds": list(seeds),
            "volume_fractions": {
                name: _spread_of(fractions[:, index])
                for index, name in enumerate(phase_names(phases))
            },
            "interface_areas": {
                name: _spread_of(areas[:, a, b]) for (a, b), name in pair_names(phases).items()
            },
        }


def _spread_of(values: NDArray[np.float64]) -> dict[str, Any]:
    sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(values.mean()), "sd": sd, "values": values.tolist()}
