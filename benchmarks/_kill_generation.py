"""SIGKILL at random moments of a generation: a part of `kills.py`."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.fusion.materials import new_run, tiny_pair, tiny_settings
from tests.generation.networks import LIGHT, low_res, mixed_generator

from napari_superres.data.volumes import SegmentedVolume
from napari_superres.runs.checkpoints import save_checkpoint
from napari_superres.writing.journal import unfinished_folder


def kill_generation(kills: int, place: Path, rng: random.Random) -> bool:
    """Kill and give again what makes TIFF files, then zarr; return whether all went well."""
    run = _untrained_run(place / "generator")
    good, done, files = True, 0, 0
    for kind in (".tif", ".zarr"):
        whole = place / f"whole{kind}"
        with _started(run, whole) as process:
            blocks = _blocks_up_to(process, whole, sys.maxsize)
        contents = _contents(whole)
        while done < kills // 2 * (1 if kind == ".tif" else 2):
            output = place / f"cut-{files}{kind}"
            while not output.exists():
                with _started(run, output) as process:
                    _wait(process, output, blocks, rng)
                    killed = process.poll() is None
                    process.kill()
                if killed:
                    done += 1
                    if done % 10 == 0:
                        print(f"killed {done} times", flush=True)
                elif process.returncode:
                    print(f"the command ended with {process.returncode}", flush=True)
                    return False
            files += 1
            if _contents(output) != contents or unfinished_folder(output).exists():
                print(f"{output.name} is not the uninterrupted one", flush=True)
                good = False
    print(
        f"generation: {done} kills, {files} files, "
        f"{'all' if good else 'NOT all'} as an uninterrupted command's",
        flush=True,
    )
    return good


def _started(run: Path, output: Path) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(_generate(run, output), stdout=quiet, stderr=quiet)


def _wait(process: subprocess.Popen[bytes], output: Path, blocks: int, rng: random.Random) -> None:
    """Wait for the moment to kill: some blocks on, and a little."""
    if rng.random() < 0.1:  # wherever its start has come to
        time.sleep(rng.uniform(0, 2))
        return
    now = _blocks_written(output)
    _blocks_up_to(process, output, now + rng.randint(1, max(blocks // 4, 1)))
    time.sleep(rng.uniform(0, 0.1))


def _blocks_up_to(process: subprocess.Popen[bytes], output: Path, wanted: int) -> int:
    """Return how many blocks are written once these are `wanted`, or the process has ended."""
    blocks = 0
    while process.poll() is None and blocks < wanted:
        blocks = max(blocks, _blocks_written(output))
        time.sleep(0.002)
    return blocks


def _blocks_written(output: Path) -> int:
    try:
        return len((unfinished_folder(output) / "done").read_bytes().splitlines())
    except OSError:
        return 0


def _untrained_run(path: Path) -> Path:
    volume = SegmentedVolume.from_labels(low_res((33, 33, 33)))
    settings = tiny_settings(scale_factor=4, engine=LIGHT)
    folder = new_run(path, volume, tiny_pair().high_res, settings)
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
