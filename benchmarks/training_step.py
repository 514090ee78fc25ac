"""A step of the `paper` preset beside a plain transcription of the paper's algorithm.

    python benchmarks/training_step.py                  # 8 volumes, 5 D steps and 1 G step each
    python benchmarks/training_step.py --volumes 1      # a quick trial
    python benchmarks/training_step.py --device cuda    # with the share of the card's matrix rate
    python benchmarks/training_step.py --rows plain ours ours-float32 ours-fine

Scale factor 4, 64³ crops, random weights and a random material: neither time nor
memory depends on them. Each row is a process of its own, so that its peak memory
is its own. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from _peak import peak_bytes

ROWS = {
    "plain": "transcription, float32",
    "ours": "`paper` preset",
    "ours-float32": "`paper` preset, float32",
    "ours-fine": "`paper` preset, convolution after up-sampling",
}
LOW_OF_HIGH = [0, 1, 1]
CRITIC_STEPS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--volumes", type=int, default=8, help="generated in a step")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=["plain", "ours"])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options.one, options.volumes, options.device)))
        return
    print(f"{options.volumes} volumes a step, {describe_machine(options.device)}\n")
    compare({row: in_own_process(row, options) for row in options.rows})


def in_own_process(row: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", row, "--device", options.device]
    command += ["--volumes", str(options.volumes)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(found: dict[str, dict[str, float]]) -> None:
    """Print the table; ratios are to the first row."""
    columns = {
        "d_seconds": "D step, s",
        "g_seconds": "G step, s",
        "cycle_seconds": "5 D + 1 G, s",
        "d_gib": "peak of D, GiB",
        "g_gib": "peak of 5 D + 1 G, GiB",
    }
    if any("share" in values for values in found.values()):
        columns |= {"steps_per_second": "D steps/s", "share": "share of matrix rate"}
    print("| | " + " | ".join(columns.values()) + " |")
    print("| --- |" + " ---: |" * len(columns))
    base = next(iter(found.values()))
    for row, values in found.items():
        cells = []
        for name in columns:
            text = f"{values[name]:.3g}"
            if values is not base and name.endswith("seconds"):
                text += f" ({base[name] / values[name]:.2f} × faster)"
            elif values is not base and name.endswith("gib"):
                text += f" ({values[name] / base[name]:.0%})"
            cells.append(text)
        print(f"| {ROWS[row]} | " + " | ".join(cells) + " |")


def describe_machine(device: str) -> str:
    import torch

    load = os.getloadavg()[0]
    name = (
        torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    )
    return f"torch {torch.__version__}, {name}, load average {load:.2f} at the start"


def run_one(row: str, volumes: int, device: str) -> dict[str, float]:
    """Time 5 D steps and 1 G step, and read the peak memory after each kind."""
    import torch

    torch.manual_seed(0)
    d_step, last_steps = plain(volumes, device) if row == "plain" else ours(row, volumes, device)
    watch = Watch(device)
    shared = row != "plain"  # our G step learns from the volumes of the fifth D step
    d_times = [watch.seconds(d_step) for _ in range(CRITIC_STEPS - shared)]
    d_gib = watch.peak_gib()
    last = watch.seconds(last_steps)
    d_seconds = median(d_times)
    found = {
        "d_seconds": d_seconds,
        "g_seconds": last - d_seconds * shared,
        "cycle_seconds": sum(d_times) + last,
        "d_gib": d_gib,
        "g_gib": watch.peak_gib(),
    }
    if device == "cuda":
        found["steps_per_second"] = CRITIC_STEPS / found["cycle_seconds"]
        found["share"] = flops(d_step) / d_seconds / matrix_rate(row)
    return found


def plain(volumes: int, device: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    import torch
    from paper_transcription import PlainTraining

    low, high = material()
    training = PlainTraining(
        torch.from_numpy(low), torch.from_numpy(high), LOW_OF_HIGH, volumes=volumes, device=device
    )
    return training.discriminator_step, training.generator_step


def ours(row: str, volumes: int, device: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    from napari_superres.config import PRESETS, Preset, TrainingSettings
    from napari_superres.data.pair import Pair
    from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
    from napari_superres.fusion.training import FusionRecipe
    from napari_superres.runs.device import choose_device, keep_freed_memory

    keep_freed_memory()  # as a training does
    engine = PRESETS[Preset.PAPER].replace(batch=volumes)
    if row == "ours-float32":
        engine = engine.replace(precision="float32")
    settings = TrainingSettings(
        scale_factor=4, phase_map=dict(enumerate(LOW_OF_HIGH)), preset=Preset.PAPER, engine=engine
    )
    low, high = material()
    pair = Pair(SegmentedVolume.from_labels(low), SegmentedSlices.from_labels([[high]]))
    trainer = FusionRecipe(pair, settings).learner(choose_device(device))
    for block in trainer.networks.generator.blocks:
        block.on_coarse_grid = row != "ours-fine"
    return trainer.step, trainer.step


def material() -> tuple[np.ndarray, np.ndarray]:
    """Return random labels that look like blobs: 48³ low-res, 256² high-res."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    low = gaussian_filter(rng.standard_normal((48,) * 3), 1.5) > 0
    high = np.digitize(gaussian_filter(rng.standard_normal((256,) * 2), 4), [-0.03, 0.03])
    return low.astype(np.uint8), high.astype(np.uint8)


class Watch:
    """Seconds of a call, and peak memory so far: of the process, or of the card."""

    def __init__(self, device: str) -> None:
        import torch

        self.cuda = torch.cuda if device == "cuda" else None

    def seconds(self, call: Callable[[], Any]) -> float:
        """Return how long a call takes, what it started on the card included."""
        if self.cuda:
            self.cuda.synchronize()
        began = time.perf_counter()
        call()
        if self.cuda:
            self.cuda.synchronize()
        return time.perf_counter() - began

    def peak_gib(self) -> float:
        """Return the most memory held at once since the process began."""
        if self.cuda:
            return self.cuda.max_memory_allocated() / 2**30
        return peak_bytes() / 2**30


def flops(step: Callable[[], Any]) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def matrix_rate(row: str) -> float:
    """Return the card's operations a second in a 8192³ product, of the row's arithmetic."""
    import torch

    dtype = torch.float32 if row in ("plain", "ours-float32") else torch.bfloat16
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=dtype) for _ in range(2))
    watch = Watch("cuda")
    watch.seconds(lambda: a @ b)
    return 2 * 8192**3 / min(watch.seconds(lambda: a @ b) for _ in range(5))


if __name__ == "__main__":
    main()
