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
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.image import imsave
from scipy import ndimage

from napari_superres.config import Budget
from napari_superres.data.images import ImageSet, read_images
from napari_superres.data.patches import Patches, PatchGrid, cut
from napari_superres.events import ImagesMeasured, StepCompleted, TrainingEvent
from napari_superres.measures.texture import Segmenter, measure_texture, texture_gap
from napari_superres.measures.texture_charts import as_colours, contact_sheet
from napari_superres.synthesis.report import make_report
from napari_superres.synthesis.sampling import SampleRequest, Synthesiser
from napari_superres.synthesis.settings import STYLE_PRESETS, StylePreset, SynthesisSettings
from napari_superres.synthesis.step import Trainer as StyleTrainer
from napari_superres.synthesis.training import cut_images, train
from napari_superres.translation.apply import Translator
from napari_superres.translation.judge import enlarge_bicubic
from napari_superres.translation.settings import (
    TRANSLATION_PRESETS,
    TranslationPreset,
    TranslationSettings,
)
from napari_superres.translation.step import Trainer as TranslationTrainer
from napari_superres.translation.training import train as train_translation

LOW_RES_NOISE = 5.0
"""S.d. of the noise of the simulated low-res half, in grey values."""


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


def follow(events: Iterator[TrainingEvent]) -> list[ImagesMeasured]:
    """Print measurements as they come; return them."""
    measured, last = [], None
    for event in events:
        if isinstance(event, StepCompleted):
            last = event
        elif isinstance(event, ImagesMeasured):
            measured.append(event)
            values = "  ".join(f"{name} {value:.4f}" for name, value in event.values.items())
            print(f"step {event.step:>6}  {values}", flush=True)
    if last is not None:
        print(f"{last.step} steps in {last.elapsed_s:.0f} s", flush=True)
    return measured


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


def augmentation(options: argparse.Namespace) -> None:
    """Train on 30 patches with and without ADA; plot how D tells them from unseen (point 3)."""
    images = read_images(options.path)
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    grid = figure.subplots(1, 2)
    for kind, colour in (("adaptive", "#2e78b8"), ("off", "#d1495b")):
        settings = style_settings(options)
        settings = settings.replace(
            stride=settings.size // 2, engine=settings.engine.replace(augmentation=kind)
        )
        few, unseen = thirty(cut_images(images, settings)[0], options.seed)
        trainer = StyleTrainer(few, len(images.phases), settings, "cpu")
        curve = gap_curve(trainer, few, unseen, options.minutes / 2)
        steps, gaps, strengths = zip(*curve, strict=True)
        tail = float(np.mean(gaps[len(gaps) // 2 :]))
        print(
            f"{kind}: {steps[-1]} steps, D(train) − D(unseen) {tail:.3f} s.d. over the second half,"
            f" p {strengths[-1]:.3f}"
        )
        grid[0].plot(steps, gaps, color=colour, label=kind)
        grid[1].plot(steps, strengths, color=colour, label=kind)
    for axes, title in zip(
        grid, ("mean D(training) − mean D(held out), in s.d.", "strength p"), strict=True
    ):
        axes.set(title=title, xlabel="step")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    grid[0].legend(frameon=False)
    figure.savefig(options.sheets / "augmentation.png", dpi=120)
    print(f"plot: {options.sheets / 'augmentation.png'} (the gap with ADA should be smaller)")


def thirty(patches: Patches, seed: int) -> tuple[Patches, Patches]:
    """Return 30 patches, and others of the same regions that share no pixel with them."""
    order = np.random.default_rng(seed).permutation(len(patches))
    chosen = patches.places[order[:30]]
    away = np.abs(patches.places[:, None] - chosen[None])
    other_part = away[..., 0] > 0
    apart = (other_part | (away[..., 1:].max(-1) >= patches.size)).all(1)
    few, unseen = (Patches(patches.parts, p, patches.size) for p in (chosen, patches.places[apart]))
    print(f"{len(few)} patches to learn from, {len(unseen)} unseen")
    return few, unseen


def gap_curve(trainer, training, unseen, minutes):  # type: ignore[no-untyped-def]
    """Return (step, gap of mean logits in units of their spread, p) while training."""
    from napari_superres.fusion.image_tensors import as_network

    parts = [as_network(torch.from_numpy(p.spread(60)), trainer.phases) for p in (training, unseen)]
    began, curve = time.monotonic(), []
    while time.monotonic() - began < 60 * minutes or not curve:
        trainer.step()
        if trainer.steps % 20 == 0:
            with torch.no_grad(), trainer.arithmetic():
                seen, new = (trainer.discriminator(part) for part in parts)
            spread = (0.5 * (seen.var() + new.var())).sqrt().clamp_min(1e-6)
            gap = float((seen.mean() - new.mean()) / spread)
            curve.append((trainer.steps, gap, trainer.controller.strength))
            if trainer.steps % 200 == 0:
                signs = trainer.controller.overfitting
                print(f"{trainer.steps} {curve[-1][1]:.3f} r_t {signs:.2f}", flush=True)
    return curve


def translation(options: argparse.Namespace) -> None:
    """Translate the coarsened right half of a micrograph to the left one's domain (point 4)."""
    whole = read_images(options.path, segmented=False).images[0]
    half = whole.shape[1] // 2
    left, right = whole[:, :half], whole[: whole.shape[0] // 4 * 4, half : half + half // 4 * 4]
    low = coarsened(right, 4, options.seed)
    settings = TranslationSettings.model_validate(
        {"scale_factor": 4, "preset": options.preset, "seed": options.seed, "device": "cpu"}
    )
    settings = settings.replace(engine=settings.engine.replace(**json.loads(options.changes)))
    sets = ImageSet((low,), name="low-res"), ImageSet((left,), name="high-res")
    follow(train_translation(*sets, settings, options.run, Budget(minutes=options.minutes)))
    translated = Translator.load(options.run).image(low)
    back = translated.reshape(low.shape[0], 4, low.shape[1], 4).mean(axis=(1, 3))
    rmse = float(np.sqrt(np.mean((back - low) ** 2))) / 255
    bicubic = enlarge_bicubic(torch.from_numpy(low)[None], 4, 0)[0]
    segmenter = Segmenter.fit([left], ())
    grid = PatchGrid.choose(96, 48)
    real = measure_texture(whole_patches(left, grid), segmenter)
    print(f"given back: RMSE {rmse:.4f} of the grey range (<= 0.05)")
    for name, image in (("translated", translated), ("bicubic", bicubic), ("truth", right)):
        gap = texture_gap(measure_texture(whole_patches(image, grid), segmenter), real)
        print(
            f"{name}: two-point RMSE {gap.two_point:.4f}, surface {gap.surface:.1%}, "
            f"fraction {gap.fraction:.4f} from the high-res half (translated below bicubic)"
        )
    rows = [np.kron(low, np.ones((4, 4), np.uint8)), bicubic, translated, right]
    side = min(192, *right.shape)
    sheet = np.stack([image[:side, :side] for image in rows])
    save_sheet(options.sheets / "translation.png", sheet, ImageSet((left,)), 4)


def whole_patches(image: np.ndarray, grid: PatchGrid) -> np.ndarray:
    patches = cut([image], grid)
    return patches.take(range(len(patches)))


def coarsened(image: np.ndarray, factor: int, seed: int) -> np.ndarray:
    """Return an image blurred, averaged over blocks, with noise."""
    blurred = ndimage.gaussian_filter(image.astype(float), 0.5 * factor / 2)
    rows, columns = (size // factor for size in image.shape)
    means = blurred.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    noisy = means + np.random.default_rng(seed).normal(0, LOW_RES_NOISE, means.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def sixteen(options: argparse.Namespace) -> None:
    """Time a training step and a translation at ×16, 64² to 1024², the paper's sizes (point 4)."""
    rng = np.random.default_rng(0)
    low = ImageSet((rng.integers(0, 256, (64, 64)).astype(np.uint8),))
    high = ImageSet((rng.integers(0, 256, (1024, 1024)).astype(np.uint8),))
    for preset in TranslationPreset:
        engine = TRANSLATION_PRESETS[preset].replace(patch=64, batch=1)
        settings = TranslationSettings(scale_factor=16, preset=preset, device="cpu", engine=engine)
        patches = (cut(low.images, PatchGrid(64, 64)), cut(high.images, PatchGrid(1024, 1024)))
        trainer = TranslationTrainer(*patches, 0, settings, "cpu")
        image = Translator(trainer.average, (), "cpu")
        began = time.monotonic()
        made = image.image(low.images[0])
        applied = time.monotonic() - began
        began = time.monotonic()
        trainer.step()
        took = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{preset}: 64² to {made.shape[0]}² in {applied:.1f} s; a training step {took:.1f} s; "
            f"peak {peak:.1f} GiB; {trainer.parameters()} parameters",
            flush=True,
        )


def steps(options: argparse.Namespace) -> None:
    """Time a step of synthesis by preset and size, R1 and path length shared out."""
    for preset in (StylePreset.QUICK, StylePreset.SMALL, StylePreset.PAPER):
        for size in (32, 64, 128):
            engine = STYLE_PRESETS[preset].replace(batch=8)
            settings = SynthesisSettings(size=size, preset=preset, device="cpu", engine=engine)
            image = np.random.default_rng(0).integers(0, 256, (2 * size, 2 * size))
            patches = cut([image.astype(np.uint8)], PatchGrid.choose(size))
            trainer = StyleTrainer(patches, 0, settings, "cpu")
            trainer.step()
            began = time.monotonic()
            for _ in range(16):
                trainer.step()
            each = (time.monotonic() - began) / 16
            print(f"{preset} {size}²: {each:.2f} s a step of 8 images", flush=True)


def style_settings(options: argparse.Namespace) -> SynthesisSettings:
    settings = SynthesisSettings.model_validate(
        {
            "size": options.size,
            "preset": options.preset,
            "seed": options.seed,
            "device": "cpu",
        }
    )
    return settings.replace(engine=settings.engine.replace(**json.loads(options.changes)))


def save_sheet(path: Path, images: np.ndarray, source: ImageSet, columns: int) -> None:
    sheet = contact_sheet(as_colours(images, source.phases), columns)
    imsave(path, np.kron(sheet, np.ones((2, 2, 1))))
    print(f"sheet: {path}")


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
