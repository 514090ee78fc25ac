"""Measure how much memory a training step takes: the constants of runs/device.py.

    python benchmarks/training_memory.py [light] [paper]

Each configuration takes two steps in a process of its own, whose peak resident
memory is read. The two constants of each network are then fitted to those in bfloat16
(on a processor that has it).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

import numpy as np
from _peak import peak_bytes

from napari_superres.config import PRESETS, Preset, TrainingSettings
from napari_superres.data.checks.inputs import check_inputs
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.fusion.memory import discriminator_load, generator_load, training_bytes
from napari_superres.fusion.training import FusionRecipe

QUICK, PAPER = PRESETS[Preset.QUICK], PRESETS[Preset.PAPER]
CONFIGURATIONS = {
    "light": [
        {},
        {"batch": 4},
        {"crop": 64, "batch": 4},
        {"channels": 32, "max_channels": 128, "batch": 4},
        {"slices_per_axis": 48},
        {"crop": 64, "batch": 4, "precision": "float32"},
        {"slices_per_axis": 48, "discriminator_channels": (64, 128, 256)},
        {"batch": 6, "slices_per_axis": 32, "discriminator_channels": (64, 128, 256)},
    ],
    "paper": [
        {"batch": 1, "slices_per_axis": 4, "crop": 64},
        {"batch": 2, "slices_per_axis": 4, "crop": 64},
        {"batch": 2, "slices_per_axis": None, "crop": 64},
        {"batch": 4, "slices_per_axis": 4, "crop": 64},
        {"batch": 4, "slices_per_axis": 4, "precision": "float32"},
        {"batch": 4, "slices_per_axis": None, "crop": 64},
    ],
}
GIB = 2**30


def settings_of(network: str, changes: dict[str, object]) -> TrainingSettings:
    engine = (QUICK if network == "light" else PAPER).replace(**changes)
    if network == "paper":
        engine = engine.replace(critic_steps=1)
    return TrainingSettings(
        scale_factor=4, phase_map={0: 0, 1: 1, 2: 0}, device="cpu", engine=engine
    )


def inputs() -> Pair:
    random = np.random.default_rng(0)
    low_res = SegmentedVolume.from_labels(random.integers(0, 2, (40, 40, 40)))
    high_res = SegmentedSlices.from_labels([[random.integers(0, 3, (512, 512))]])
    return Pair(low_res, high_res)


def peak(network: str, changes: dict[str, object]) -> None:
    from napari_superres.runs.device import keep_freed_memory

    keep_freed_memory()
    pair = inputs()
    settings = settings_of(network, changes)
    trainer = FusionRecipe(pair, settings).learner("cpu")
    for _ in range(2):
        trainer.step()
    print(peak_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help="light, paper; both if left out")
    parser.add_argument("--changes", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if strange := set(options.networks) - set(CONFIGURATIONS):
        parser.error(f"there are {', '.join(CONFIGURATIONS)}, no {', '.join(strange)}")
    if options.changes is not None:
        peak(options.networks[0], json.loads(options.changes))
        return
    pair = inputs()
    for network in options.networks or CONFIGURATIONS:
        configurations = CONFIGURATIONS[network]
        rows = []
        for changes in configurations:
            command = [sys.executable, __file__, network, "--changes", json.dumps(changes)]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            settings = settings_of(network, changes)
            report = check_inputs(pair, settings)
            loads = (
                generator_load(settings.engine, report),
                discriminator_load(settings.engine, report),
            )
            measured, estimated = int(found.stdout), training_bytes(settings, report)
            if "precision" not in changes:  # the fit is for bfloat16
                rows.append((1.0, *loads, measured))
            print(
                f"{network:6} {json.dumps(changes):78} {measured / GIB:6.2f} GiB, "
                f"estimated {estimated / GIB:6.2f} GiB",
                flush=True,
            )
        table = np.array(rows)
        relative = table[:, :3] / table[:, 3:]
        base, generator, discriminator = np.linalg.lstsq(relative, np.ones(len(table)))[0]
        print(
            f"{network}: base {base / GIB:.2f} GiB, generator {generator:.1f}, "
            f"discriminator {discriminator:.1f} bytes"
        )


if __name__ == "__main__":
    main()
