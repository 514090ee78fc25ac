"""Adaptive augmentation against none, on thirty patches: a task of `synthesis.py`."""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from _image_tasks import style_settings
from matplotlib.figure import Figure

from napari_superres.data.files.images import read_images
from napari_superres.data.patches import Patches
from napari_superres.synthesis.step import StyleLearner
from napari_superres.synthesis.training import cut_images
from napari_superres.training.real_images import as_network


def augmentation(options: argparse.Namespace) -> None:
    """Train on 30 patches with and without ADA; plot how D tells them from unseen."""
    images = read_images(options.path)
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    grid = figure.subplots(1, 2)
    for kind, colour in (("adaptive", "#2e78b8"), ("off", "#d1495b")):
        settings = style_settings(options)
        settings = settings.replace(
            stride=settings.size // 2, engine=settings.engine.replace(augmentation=kind)
        )
        few, unseen = thirty(cut_images(images, settings)[0], options.seed)
        trainer = StyleLearner(few, len(images.phases), settings, "cpu")
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
        grid, ("mean D(training) − mean D(unseen), in s.d.", "strength p"), strict=True
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


def gap_curve(
    trainer: StyleLearner, training: Patches, unseen: Patches, minutes: float
) -> list[tuple[int, float, float]]:
    """Return (step, gap of mean logits in units of their spread, p) while training."""
    parts = [as_network(torch.from_numpy(p.spread(60)), trainer.phases) for p in (training, unseen)]
    began, curve = time.monotonic(), []
    while time.monotonic() - began < 60 * minutes or not curve:
        trainer.step()
        if trainer.steps % 20 == 0:
            with torch.no_grad(), trainer.arithmetic():
                seen, new = (trainer.networks.discriminator(part) for part in parts)
            spread = (0.5 * (seen.var() + new.var())).sqrt().clamp_min(1e-6)
            gap = float((seen.mean() - new.mean()) / spread)
            curve.append((trainer.steps, gap, trainer.controller.strength))
            if trainer.steps % 200 == 0:
                signs = trainer.controller.overfitting
                print(f"{trainer.steps} {curve[-1][1]:.3f} r_t {signs:.2f}", flush=True)
    return curve
