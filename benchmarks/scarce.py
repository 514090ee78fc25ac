"""Whether synthetic slices help where there is little high-res.

    python benchmarks/scarce.py                              # case 3, its slice cut to 128²
    python benchmarks/scarce.py --pair case4
    python benchmarks/scarce.py --style-run RUN              # a synthesis trained before

A synthesis learns from the scarce slices alone (--style-minutes). Then the fusion is trained with
the scarce slices, with these and synthetic ones (`train --augment-with`), and, where there is more,
with all of the high-res; each for --minutes or --steps, with each of --seeds. The whole super-res
volume is measured against all of the high-res slices: see `quality.py` for the columns.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from _common import load_pair
from quality import Row, errors, lopsidedness, measured, realisation, show

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.events import StepCompleted, TrainingFinished
from napari_superres.fusion.training import train
from napari_superres.synthesis.link import with_synthetic
from napari_superres.synthesis.settings import SynthesisSettings
from napari_superres.synthesis.training import train as train_synthesis

SCARCE = 128
"""Side of the piece of case 3's slice that is left, in pixels."""


def scarce(slices: SegmentedSlices, side: int) -> SegmentedSlices:
    """Return the middle of each slice, at most `side` pixels wide."""
    middles = []
    for image in slices.sets[0]:
        first = [max(0, (size - side) // 2) for size in image.shape]
        middles.append(image[first[0] : first[0] + side, first[1] : first[1] + side].copy())
    return replace(slices, sets=(tuple(middles),), name=f"{slices.name}, scarce")


def learn_style(slices: SegmentedSlices, folder: Path, size: int, minutes: float) -> None:
    """Train a synthesis on slices."""
    images = ImageSet(slices.sets[0], slices.phases, name=slices.name)
    # so small that no strip has room for a held-out patch
    settings = SynthesisSettings.model_validate({"size": size, "device": "cpu", "held_out": 0})
    for event in train_synthesis(images, settings, folder, Budget(minutes=minutes)):
        if isinstance(event, TrainingFinished):
            print(f"synthesis of {size}² images: {event.step} steps", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pair", choices=["case3", "case4"], default="case3")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--style-minutes", type=float, default=10.0)
    parser.add_argument("--style-run", type=Path, help="a synthesis of the scarce slices")
    parser.add_argument("--size", type=int, default=64, help="side of synthetic slices")
    parser.add_argument("--count", type=int, default=64, help="synthetic slices")
    options = parser.parse_args()
    example = load_pair(options.pair)
    pair = example.pair
    few = scarce(pair.high_res, SCARCE)
    budget = Budget(minutes=None if options.steps else options.minutes, steps=options.steps)
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        style_run = options.style_run or scratch / "style"
        if not (style_run / "config.json").exists():
            learn_style(few, style_run, options.size, options.style_minutes)
        arms = {"scarce": few, "with synthetic": with_synthetic(few, style_run, options.count)}
        if few.sets[0][0].shape != pair.high_res.sets[0][0].shape:
            arms["all"] = pair.high_res
        phases = len(pair.high_res.phases)
        against = measured(list(pair.high_res.sets[0]), phases, False)
        itself = errors(measured(list(few.sets[0]), phases, False), against)
        print("scarce slices themselves:", {k: round(v, 4) for k, v in itself.items()}, flush=True)
        heads: list[str] = []
        for name, slices in arms.items():
            rows: list[Row] = []
            for seed in options.seeds:
                run = scratch / f"{name}-{seed}"
                steps = 0
                settings = example.settings.replace(seed=seed)
                for event in train(Pair(pair.low_res, slices), settings, run, budget):
                    steps = event.step if isinstance(event, StepCompleted) else steps
                labels = realisation(run, "best", 0)
                row: Row = {"seed": seed, "steps": steps}
                row |= errors(measured([labels], phases, False), against)
                row["lopsided"] = lopsidedness(labels, phases)
                rows.append(row)
                if not heads:
                    heads = ["slices", *row]
                    print("| " + " | ".join(heads) + " |\n|" + " ---: |" * len(heads))
                show({"slices": name} | row)
            medians = {k: float(np.median([r[k] for r in rows])) for k in rows[0] if k != "seed"}
            if len(rows) > 1:
                show({"slices": name, "seed": "median"} | medians)


if __name__ == "__main__":
    main()
