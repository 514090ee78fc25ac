"""A soak: very many short steps of training, memory must stay flat.

    python benchmarks/soak.py                   # 100,000 steps; some half an hour
    python benchmarks/soak.py --steps 5000

The tiny pair of the tests and the smallest networks there are, so that a step is little but
what goes round it: crops, two updates, averages, events, with measurements, previews and
checkpoints far more often by steps than in life. So 10⁵ steps do to memory, open files and the
run folder what a day would. Prints resident memory, open files and threads at twenty moments.
Exit status 1 when memory at the end is more than 5 % above that after the first tenth, or files
or threads have become more.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from tests.fusion.materials import TINY, tiny_pair, tiny_settings

from napari_superres.config import Budget
from napari_superres.fusion.training import train

SMALLEST = TINY.replace(
    residual_blocks=0,
    discriminator_channels=(4,),
    batch=1,
    slices_per_axis=1,
    penalty_every=16,
    frequency_weight=0.0,  # a third of the time, and tested for itself
    measure_every=200,
    preview_seconds=5.0,
    checkpoint_seconds=5.0,
)
MOMENTS = 20
GROWTH = 1.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    asked = parser.parse_args()
    me, began, rows = psutil.Process(), time.monotonic(), []
    every = max(asked.steps // MOMENTS, 1)
    print("    step  seconds  resident MB  open files  threads   run folder MB  events")
    with tempfile.TemporaryDirectory() as folder:
        run, following, events = Path(folder) / "run", every, 0
        for event in train(
            tiny_pair(), tiny_settings(engine=SMALLEST), run, Budget(steps=asked.steps)
        ):
            events += 1
            step = getattr(event, "step", 0)
            if step < following:
                continue
            following = step // every * every + every
            size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
            row = (me.memory_info().rss / 1e6, len(me.open_files()), me.num_threads())
            rows.append(row)
            print(
                f"{step:8}{time.monotonic() - began:9.0f}{row[0]:13.1f}{row[1]:12}{row[2]:9}"
                f"{size / 1e6:16.2f}{events:8}",
                flush=True,
            )
    settled, last = rows[max(len(rows) // 10, 1)], rows[-1]
    growth = last[0] / settled[0]
    print(f"memory × {growth:.3f} since the first tenth")
    return int(growth > GROWTH or last[1] > settled[1] or last[2] > settled[2])


if __name__ == "__main__":
    sys.exit(main())
