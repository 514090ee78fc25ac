"""SIGKILL at random moments of training and of generation: what is lost.

    python benchmarks/kills.py                  # 50 kills of a training, 50 of generations
    python benchmarks/kills.py --kills 5

Training: one run, tiny settings, a checkpoint every 0.2 s; the process is killed after a random
time and the run resumed, again and again. After each kill the last checkpoint must be whole,
and no older than what the killed process had reported as saved; at the end the measurements and
the weights must be those of a training that was never interrupted.

Generation: the same command again after each kill, until it ends; the file must then be, byte
for byte, the one of an uninterrupted command, with nothing left beside it.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch
from tests.fusion.materials import TINY, tiny_pair, tiny_settings
from tests.generation.networks import LIGHT, low_res, mixed_generator

from napari_superres.config import Budget
from napari_superres.events import MetricsMeasured, TrainingEvent
from napari_superres.fusion.loading import load_generator
from napari_superres.fusion.training import resume, train
from napari_superres.generation.journal import unfinished_folder
from napari_superres.runs.checkpoints import load_checkpoint, save_checkpoint
from napari_superres.runs.folder import RunFolder

SETTINGS = tiny_settings(engine=TINY.replace(checkpoint_seconds=0.2, measure_every=5))
LONG = Budget(steps=10**6)
TRAIN = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from benchmarks.kills import SETTINGS
from napari_superres.config import Budget
from napari_superres.events import CheckpointSaved
from napari_superres.fusion.training import resume, train
from tests.fusion.materials import tiny_pair
run, budget = Path(sys.argv[1]), Budget(steps=10**6)
begun = (run / "config.json").exists()
for event in resume(run, budget) if begun else train(*tiny_pair(), SETTINGS, run, budget):
    if isinstance(event, CheckpointSaved):
        print(event.step, flush=True)
    elif getattr(event, "step", None) == 0 or "Started" in type(event).__name__:
        print("started", flush=True)
"""


def kill_training(kills: int, place: Path, rng: random.Random) -> bool:
    run, promised, lost, reported = place / "run", 0, 0, []
    for kill in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(run)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        if kill % 10:  # every tenth is killed wherever its start has come to
            process.stdout.readline()
            time.sleep(rng.uniform(0, 2))
        else:
            time.sleep(rng.uniform(0, 8))
        process.kill()
        told = process.communicate()[0].split()
        saved = [int(word) for word in told if word.isdigit()]
        promised = max([promised, *saved])
        if not (run / "config.json").exists():
            for file in sorted(run.rglob("*"), reverse=True):  # killed while it was made
                file.unlink() if file.is_file() else file.rmdir()
            continue
        found = RunFolder.open(run).checkpoints()
        last = found[-1].step if found else 0
        reported.append(last)
        if found:
            load_checkpoint(found[-1].folder)
        if kill % 10 == 9:
            print(f"killed {kill + 1} times, at step {last}", flush=True)
        if last < promised:
            lost += 1
            print(f"kill {kill}: checkpoint {promised} was saved, {last} is the last", flush=True)
    whole = RunFolder.open(run)
    steps = whole.find_checkpoint("last").step // 5 * 5 + 10
    stop_at(steps, lambda stop: resume(run, LONG, stop))
    stop_at(steps, lambda stop: train(*tiny_pair(), SETTINGS, place / "whole", LONG, stop))
    same = _measured(run) == _measured(place / "whole")
    a, b = (load_generator(RunFolder.open(p), "last").state_dict() for p in (run, place / "whole"))
    equal = all(torch.equal(a[name], b[name]) for name in a)
    print(
        f"training: {kills} kills, {steps} steps in the end, {lost} times a saved checkpoint was "
        f"lost, measurements {'the same' if same else 'DIFFER'}, weights "
        f"{'the same' if equal else 'DIFFER'} as without kills",
        flush=True,
    )
    return same and equal and not lost


def stop_at(steps: int, begin: Callable[[threading.Event], Iterator[TrainingEvent]]) -> None:
    """Train up to a step, of a budget that is the same for all: what is annealed hangs on it."""
    stop = threading.Event()
    for event in begin(stop):
        if isinstance(event, MetricsMeasured) and event.step >= steps:
            stop.set()


def _measured(run: Path) -> str:
    return (run / "metrics.jsonl").read_text(encoding="utf-8")


def kill_generation(kills: int, place: Path, rng: random.Random) -> bool:
    run = _untrained_run(place / "generator")
    good, done, files = True, 0, 0
    whole: dict[str, dict[str, bytes]] = {}
    for kind in (".tif", ".zarr"):
        uncut = place / f"whole{kind}"
        began = time.monotonic()
        subprocess.run(_generate(run, uncut), check=True, capture_output=True)
        whole[kind] = _contents(uncut)
        seconds = time.monotonic() - began
        while done < kills // 2 * (1 if kind == ".tif" else 2):
            output = place / f"cut-{files}{kind}"
            while not output.exists():
                process = subprocess.Popen(_generate(run, output), stderr=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL)  # fmt: skip
                try:
                    process.wait(rng.uniform(0.4 * seconds, 1.1 * seconds))
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    done += 1
                    if done % 10 == 0:
                        print(f"killed {done} times", flush=True)
                    continue
                if process.returncode:
                    print(f"the command ended with {process.returncode}", flush=True)
                    return False
            files += 1
            if _contents(output) != whole[kind] or unfinished_folder(output).exists():
                print(f"{output.name} is not the uninterrupted one", flush=True)
                good = False
    print(
        f"generation: {done} kills, {files} files, "
        f"{'all' if good else 'NOT all'} as an uninterrupted command's",
        flush=True,
    )
    return good


def _untrained_run(path: Path) -> Path:
    from napari_superres.data.volumes import SegmentedVolume

    volume = SegmentedVolume.from_labels(low_res((33, 33, 33)))
    slices = tiny_pair()[1]
    engine = SETTINGS.replace(scale_factor=4, engine=LIGHT)
    folder = RunFolder.create(path, volume, slices, engine)
    state = {"step": 1, "score": 0.0}
    save_checkpoint(path / "checkpoints", mixed_generator("4").state_dict(), {}, state)
    return folder.path


def _generate(run: Path, output: Path) -> list[str]:
    options = ["--output", str(output), "--device", "cpu", "--precision", "float32"]
    return [sys.executable, "-m", "napari_superres", "generate", str(run), *options]


def _contents(path: Path) -> dict[str, bytes]:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    found = {str(f.relative_to(path)): f.read_bytes() for f in files}
    if path.is_dir():  # the volume's name stands in its metadata
        found["zarr.json"] = found["zarr.json"].replace(f'"{path.stem}"'.encode(), b'"name"')
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="of each")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        good = kill_training(asked.kills, Path(folder), rng)
        good = kill_generation(asked.kills, Path(folder), rng) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
