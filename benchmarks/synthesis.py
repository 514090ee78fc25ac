"""How good synthesis and translation get in minutes, beside what is asked of them.

    python benchmarks/synthesis.py grey FILE.tif --run RUN          # grey values, 64²
    python benchmarks/synthesis.py phases FILE.tif --run RUN        # phases, 64²
    python benchmarks/synthesis.py styles RUN                       # noise and style apart; w paths
    python benchmarks/synthesis.py augmentation FILE.tif            # ADA against none, 30 patches
    python benchmarks/synthesis.py translation FILE.tif --run RUN   # halves of one micrograph
    python benchmarks/synthesis.py sixteen                          # 64² to 1024²: time, memory
    python benchmarks/synthesis.py steps                            # a step of each preset and size

Each trains for --minutes (10), prints figures with what is asked in brackets, and writes
sheets to --sheets (benchmark-sheets). Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from _augmentation import augmentation
from _image_steps import sixteen, steps
from _image_tasks import follow, save_sheet, style_settings
from _translation import translation

from napari_superres.config import Budget
from napari_superres.data.files.images import read_images
from napari_superres.measures.kinds.texture import Segmenter, measure_texture
from napari_superres.synthesis.report import make_report
from napari_superres.synthesis.sampling import SampleRequest, Synthesiser
from napari_superres.synthesis.training import cut_images, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=sorted(TASKS))
    parser.add_argument("path", type=Path, nargs="?", help="an image, or a run for styles")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--size", type=int, default=64, help="of synthetic images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=128, help="images measured in the end")
    parser.add_argument("--sheets", type=Path, default=Path("benchmark-sheets"))
    parser.add_argument("--set", dest="changes", default="{}", help="engine settings, as JSON")
    options = parser.parse_args()
    options.sheets.mkdir(parents=True, exist_ok=True)
    TASKS[options.what](options)


def synthesis(options: argparse.Namespace) -> None:
    """Train on one image and compare with it."""
    images = read_images(options.path, segmented=options.what == "phases")
    settings = style_settings(options)
    measured = follow(train(images, settings, options.run, Budget(minutes=options.minutes)))
    start = measured[0].values["two_point_rmse"]
    page, numbers = make_report(options.run, options.count, folder=options.sheets)
    (options.sheets / f"{options.what}.html").write_text(page, encoding="utf-8")
    print(f"best checkpoint, {options.count} images, against real ones of all regions:")
    for name, gap in (("", numbers["gap"]), ("held-out ones: ", numbers["gap_to_held_out"])):
        print(
            f"  {name}two-point RMSE {gap['two_point']:.4f}, {gap['two_point'] / start:.1%} of the "
            f"start (< 25 %); mean fractions off by {gap['fraction']:.4f} at most (<= 0.03); "
            f"specific surface {gap['surface']:.1%}, λ {gap['length'] or 0:.1%}"
        )
    print(f"nearest real window, samples / unseen {numbers['memorisation']['ratio']:.2f}")
    training, _ = cut_images(images, settings)
    synthetic = Synthesiser.load(options.run).sample(SampleRequest.choose(24))
    for name, part in (("synthetic", synthetic), ("real", training.spread(24))):
        save_sheet(options.sheets / f"{options.what}-{name}.png", part, images, 8)


def styles(options: argparse.Namespace) -> None:
    """Compare what noise changes with what style changes, and look at w paths."""
    synthesiser = Synthesiser.load(options.path)
    opened = json.loads((options.path / "config.json").read_text())["inputs"]["real"]
    images = read_images(sorted((options.path / "inputs").glob("*.tif")), bool(opened["phases"]))
    segmenter = Segmenter.fit(images.images, synthesiser.phases)
    noise = synthesiser.sample(SampleRequest.choose(32, options.seed, "noise"))
    style = synthesiser.sample(SampleRequest.choose(32, options.seed, "style"))
    pairs = [np.corrcoef(noise[0].ravel(), image.ravel())[0, 1] for image in noise[1:]]
    print(f"fixed style, new noise: pixel correlation {max(pairs):.3f} at most (< 0.99)")
    of_noise, of_style = (measure_texture(part, segmenter) for part in (noise, style))
    for name in ("fractions", "lengths"):
        spreads = [np.nanstd(getattr(t, name)[:, 0]) for t in (of_noise, of_style)]
        ratio = spreads[0] / spreads[1]
        print(
            f"  spread of {name}: {spreads[0]:.4f} over noise, {spreads[1]:.4f} over styles, "
            f"ratio {ratio:.2f} (< 0.33)"
        )
    for first in range(4):
        frames = synthesiser.interpolate(first, first + 10, 16).astype(float)
        steps = np.sqrt(((frames[1:] - frames[:-1]) ** 2).mean(axis=(1, 2)))
        print(
            f"interpolation {first} to {first + 10}: largest / median step "
            f"{steps.max() / np.median(steps):.2f} (< 3)"
        )
    for name, part in (
        ("new-noise", noise[:16]),
        ("new-style", style[:16]),
        ("interpolation", synthesiser.interpolate(0, 10, 16)),
    ):
        save_sheet(options.sheets / f"{name}.png", part, images, 8)


TASKS = {
    "grey": synthesis,
    "phases": synthesis,
    "styles": styles,
    "augmentation": augmentation,
    "translation": translation,
    "sixteen": sixteen,
    "steps": steps,
}

if __name__ == "__main__":
    main()
