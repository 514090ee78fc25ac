"""SIGKILL at random moments of training and of generation: what is lost.

    python benchmarks/kills.py                  # 50 kills of trainings, 50 of generations
    python benchmarks/kills.py --kills 5 --only training

Training: a tiny run with a budget of steps, a checkpoint every 0.2 s, half of it at a falling
learning rate. One is trained without interruption; the others are killed after random times,
about ten times each, and resumed with the same budget until they end by themselves. After each
kill the last checkpoint must be whole, and no older than what the killed process had reported as
saved; at the end the measurements and all tensors of the last checkpoint – weights of all
networks, averages, optimisers – must be those of the run that was never killed.

Generation: the same command again after each kill, until it ends; the file must then be, byte
for byte, the one of an uninterrupted command, with nothing left beside it.

How soon a process is killed follows from the steps or blocks it has done, so that a slow or busy
machine has its kills in the same places.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # here and in the trainings: more would round otherwise
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch
from tests.fusion.materials import TINY, tiny_settings

from napari_superres.runs.checkpoints import load_checkpoint
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run

SETTINGS = tiny_settings(
    engine=TINY.replace(checkpoint_seconds=0.2, preview_seconds=1.0, measure_every=10)
)
KILLS_A_RUN = 10
TRAIN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from benchmarks.kills import SETTINGS
from napari_superres.config import Budget
from napari_superres.events import CheckpointSaved, StepCompleted, TrainingStarted
from napari_superres.fusion.training import resume, train
from tests.fusion.materials import tiny_pair
run, budget = Path(sys.argv[1]), Budget(steps=int(sys.argv[2]))
begun = (run / "config.json").exists()
for event in resume(run, budget) if begun else train(tiny_pair(), SETTINGS, run, budget):
    if isinstance(event, CheckpointSaved):
        print("saved", event.step, flush=True)
    elif isinstance(event, StepCompleted | TrainingStarted):
        print("at", event.step, flush=True)
"""


@dataclass
class Tally:
    """What came of the kills of trainings."""

    kills: int = 0
    runs: int = 0
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)


def kill_training(kills: int, steps: int, place: Path, rng: random.Random) -> bool:
    began = time.monotonic()
    process = _training(place / "whole", steps)
    first = _lines_up_to(process, 0)
    start = time.monotonic() - began
    told = "".join([*first, *_rest(process)])
    if process.wait():
        print(f"the uninterrupted training ended with {process.returncode}: {told[-2000:]}")
        return False
    seconds = time.monotonic() - began - start
    print(f"uninterrupted: {start:.1f} s to start, {seconds:.1f} s for {steps} steps", flush=True)
    tally = Tally()
    while tally.kills < kills:
        run = place / f"run-{tally.runs}"
        if not kill_until_it_ends(run, steps, kills, start, tally, rng):
            return False
        tally.runs += 1
        tally.different += _differences(run, place / "whole")
        print(f"{tally.kills} kills, {tally.runs} runs ended", flush=True)
    for line in tally.lost + tally.different:
        print(line)
    print(
        f"training: {tally.kills} kills of {tally.runs} runs of {steps} steps; "
        f"{len(tally.lost)} times a saved checkpoint was lost; {len(tally.different)} differences "
        "between the runs and the one that was never killed",
        flush=True,
    )
    return not tally.lost and not tally.different


def kill_until_it_ends(
    run: Path, steps: int, kills: int, start: float, tally: Tally, rng: random.Random
) -> bool:
    """Kill and resume a run until it ends by itself; return whether it ended well."""
    promised = 0
    while True:
        process = _training(run, steps)
        lines = []
        if tally.kills < kills:
            lines = _wait(process, steps, start, rng)
            process.kill()
        lines += _rest(process)
        if process.wait() == 0:
            return True
        if process.returncode != -signal.SIGKILL:
            print(f"a training ended with {process.returncode}: {''.join(lines)[-2000:]}")
            return False
        tally.kills += 1
        promised = max([promised, *(_step(line) for line in lines if line.startswith("saved"))])
        if not (run / "config.json").exists():
            _clear(run)  # killed while the folder was made: there is nothing to resume yet
            continue
        found = Run.open(run, FUSION).checkpoints()
        for checkpoint in found[-1:]:
            load_checkpoint(checkpoint.folder)
        if (found[-1].step if found else 0) < promised:
            tally.lost.append(f"{run.name}, kill {tally.kills}: checkpoint {promised} was saved")


def _training(run: Path, steps: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(run), str(steps)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
    )  # fmt: skip


def _wait(
    process: subprocess.Popen[str], steps: int, start: float, rng: random.Random
) -> list[str]:
    """Wait for the moment to kill; return what the process has told by then."""
    if rng.random() < 0.1:  # wherever its start has come to
        time.sleep(rng.uniform(0, start))
        return []
    lines = _lines_up_to(process, 0)
    if lines:
        wanted = _step(lines[-1]) + rng.randint(0, 2 * steps // KILLS_A_RUN)
        lines += _lines_up_to(process, wanted)
        time.sleep(rng.uniform(0, 0.3))
    return lines


def _lines_up_to(process: subprocess.Popen[str], step: int) -> list[str]:
    """Return what a process tells until it is at a step, or ends."""
    assert process.stdout is not None
    lines: list[str] = []
    while line := process.stdout.readline():
        lines.append(line)
        if line.startswith("at") and _step(line) >= step:
            break
    return lines


def _rest(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readlines()


def _step(line: str) -> int:
    return int(line.split()[1])


def _clear(run: Path) -> None:
    for file in sorted(run.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()


def _differences(run: Path, whole: Path) -> list[str]:
    """Return in what the end of a run differs from that of one that was never killed."""
    found = []
    if (run / "metrics.jsonl").read_text() != (whole / "metrics.jsonl").read_text():
        found.append(f"{run.name}: the measurements differ")
    ours, theirs = (Run.open(one, FUSION).find_checkpoint("last") for one in (run, whole))
    if ours.step != theirs.step:
        found.append(f"{run.name}: ended at step {ours.step}, not {theirs.step}")
    for mine, other in zip(
        load_checkpoint(ours.folder), load_checkpoint(theirs.folder), strict=True
    ):
        names = [n for n in other if n not in mine or not torch.equal(mine[n], other[n])]
        if names or mine.keys() != other.keys():
            found.append(f"{run.name}: {len(names)} of {len(other)} tensors differ, as {names[:3]}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="of each")
    parser.add_argument("--steps", type=int, default=300, help="of each training")
    parser.add_argument("--only", choices=("training", "generation"))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        good = True
        if asked.only != "generation":
            good = kill_training(asked.kills, asked.steps, Path(folder), rng)
        if asked.only != "training":
            from benchmarks._kill_generation import kill_generation

            good = kill_generation(asked.kills, Path(folder), rng) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
