"""What a warm start saves: a material learnt from scratch, and from another's networks.

    python benchmarks/warm_start.py                       # 3 seeds, 5 minutes each training
    python benchmarks/warm_start.py --seeds 1 --steps 40  # does it run?
    python benchmarks/warm_start.py --keep DIR            # leave the runs there

The first material is the example cathode; the second a coarser one, of the same phases:
another realisation, enlarged by 5/4. Printed are the steps and seconds to reach scores
(see `fusion/evaluation.py`: 1 for each unit of error), and the last measurement.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from _common import course

from napari_superres.config import Budget
from napari_superres.data.examples.pair import PHASE_MAP, Example, example_pair
from napari_superres.data.examples.simulate import simulate_low_res
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import Labels
from napari_superres.events import MetricsMeasured

SCORES = (20.0, 10.0, 5.0, 3.0)


def enlarged(labels: Labels) -> Labels:
    """Return labels at 5/4 of their size, nearest neighbour."""
    for axis in range(labels.ndim):
        index = np.arange(labels.shape[axis] * 5 // 4) * 4 // 5
        labels = labels.take(index, axis)
    return np.ascontiguousarray(labels)


def coarser(size: int) -> Example:
    """Return an example of the same phases with features 5/4 as large."""
    fine = example_pair(size=size * 4 // 5, seed=1, slice_size=416)
    assert fine.truth is not None
    truth = replace(fine.truth, labels=enlarged(fine.truth.labels))
    images = tuple(enlarged(image) for image in fine.pair.high_res.sets[0])
    low_res = simulate_low_res(truth, 4, PHASE_MAP, name="coarser low-res")
    high_res = replace(fine.pair.high_res, sets=(images,))
    return Example(Pair(low_res, high_res), truth, fine.settings)


def row(name: str, seed: int, measured: list[tuple[int, float, MetricsMeasured]]) -> str:
    cells = []
    for score in SCORES:
        hit = next(((step, s) for step, s, event in measured if event.score <= score), None)
        cells.append("–".center(16) if hit is None else f"{hit[0]:6} {hit[1]:6.0f} s  ")
    last = f"{measured[-1][2].score:8.2f}" if measured else "       –"
    return f"{name:5} {seed:4}  {''.join(cells)} {last}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    budget = Budget(steps=options.steps) if options.steps else Budget(minutes=options.minutes)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        first, second = example_pair(size=options.size), coarser(options.size)
        source = folder / "source"
        learnt = list(course(first.pair, first.settings, source, budget))
        print("start seed  " + "".join(f"to score {score:<7g}" for score in SCORES) + "     last")
        print(row("first", first.settings.seed, learnt), flush=True)
        for seed in range(options.seeds):
            for name, warm in (("cold", None), ("warm", str(source))):
                settings = second.settings.replace(seed=seed, warm_start=warm)
                run = folder / f"{name}-{seed}"
                measured = list(course(second.pair, settings, run, budget))
                print(row(name, seed, measured), flush=True)


if __name__ == "__main__":
    main()
