"""The trainings whose numbers are recorded, and what is made from them: all by the command line."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from napari_superres.cli import main

DATA = Path(__file__).parent / "data"
INPUTS = DATA / "inputs"
METRICS = "metrics.jsonl"
STEPS = 8
RESUMED_STEPS = 12

EVERY_STEP = {"measure_every": 1, "precision": "float32"}
# neither a picture nor a checkpoint by the clock: what a run holds depends on nothing but its steps
NO_CLOCK = {"checkpoint_seconds": 1000, "preview_seconds": 1000}
FUSION = {
    "channels": 4,
    "max_channels": 8,
    "discriminator_channels": "[4,8]",
    "crop": 16,
    "slices_per_axis": 4,
}
CRITIC = FUSION | {
    "loss": "wasserstein",
    "critic_steps": 2,
    "voxel_loss": "mse",
    "gradient_penalty": 10,
    "real_slices_per_axis": 6,
    "noise": "input",
    "context": "no",
}
ANISOTROPIC = FUSION | {
    "loss": "logistic",
    "voxel_loss": "cross_entropy",
    "augment_low_res": "no",
}
SYNTHESIS = {
    "base_channels": 64,
    "max_channels": 8,
    "latent": 8,
    "batch": 4,
    "measured_images": 4,
    "path_length_weight": 1.0,
    "path_length_every": 2,
    "r1_every": 2,
    "augmentation_start": 0.5,
    "augmentation_kimg": 1.0,
}
TRANSLATION = {
    "channels": 4,
    "min_channels": 4,
    "residual_blocks": 1,
    "discriminator_channels": 4,
    "scales": 1,
    "patch": 8,
    "batch": 2,
    "pool": 3,
    "annealing": 0.5,
    "measured_images": 2,
}


def _engine(changes: dict[str, object]) -> list[object]:
    pairs = (changes | EVERY_STEP | NO_CLOCK).items()
    return [part for name, value in pairs for part in ("--set", f"{name}={value}")]


def _fusion(slices: tuple[str, ...], changes: dict[str, object], *more: object) -> list[object]:
    files = [part for name in slices for part in ("--high-res", INPUTS / name)]
    pair = ["--low-res", INPUTS / "low_res.tif", *files, "--scale-factor", 2]
    return ["train", *pair, "--phase-map", "0:0,1:1,2:0", *more, *_engine(changes)]


def _synthesis(image: str) -> list[object]:
    grid = ["--size", 16, "--stride", 2, "--held-out", 0.25]
    return ["synthesise", "train", "--images", INPUTS / image, *grid, *_engine(SYNTHESIS)]


def _translation(kind: str, *more: object) -> list[object]:
    low_res, high_res = INPUTS / f"{kind}_coarse.tif", INPUTS / f"{kind}_sharp.tif"
    images = ["--low-res-images", low_res, "--high-res-images", high_res, "--scale-factor", 2]
    return ["translate", "train", *images, *more, *_engine(TRANSLATION)]


TRAININGS = {
    "fusion": _fusion(("slice_z.tif",), FUSION),
    "fusion_critic": _fusion(("slice_z.tif",), CRITIC),
    "fusion_anisotropic": _fusion(
        ("slice_z.tif", "slice_y.tif", "slice_x.tif"),
        ANISOTROPIC,
        *("--anisotropic", "--imaging", "sampled", "--one-sided", 1),
    ),
    "fusion_warm_start": _fusion(
        ("slice_z.tif",), FUSION, "--warm-start", DATA / "runs" / "fusion"
    ),
    "synthesis_grey": _synthesis("grey.tif"),
    "synthesis_phases": _synthesis("phases.tif"),
    "translation_grey": _translation("grey"),
    "translation_phases": _translation("phases", "--segmented"),
}
KEPT = ("fusion", "synthesis_grey", "translation_grey")
RESULTS = {
    "fusion.tif": ("generate", "fusion"),
    "fusion_region.tif": ("generate", "fusion", "--region", "2:9,1:8,3:11", "--tile", 4),
    "synthesis.tif": ("synthesise", "sample", "synthesis_grey", "--count", 4),
    "interpolation.tif": (
        *("synthesise", "interpolate", "synthesis_grey", "--from", 1, "--to", 2, "--frames", 3),
    ),
    "translation.tif": (
        *("translate", "apply", "translation_grey", "--low-res", INPUTS / "volume.tif"),
    ),
}


def cli(*arguments: object) -> None:
    """Run a command in this process, silently unless it fails."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main([str(argument) for argument in arguments])
    assert status == 0, f"{arguments} ended with {status}: {said.getvalue()}"


def train(name: str, folder: Path) -> None:
    cli(*TRAININGS[name], "--steps", STEPS, "--device", "cpu", "--run", folder)


def make_result(name: str, runs: Path, output: Path) -> None:
    """Make a file of `RESULTS` from the runs in a folder."""
    parts = (runs / part if part in KEPT else part for part in RESULTS[name])
    cli(*parts, "--output", output, "--device", "cpu")


def metrics(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def checkpoint_norms(run: Path) -> dict[str, float]:
    """Return the norm of each tensor in the last checkpoint: weights and optimisers' moments."""
    checkpoint = max((run / "checkpoints").iterdir())
    return dict(sorted(_norms(checkpoint)))


def _norms(checkpoint: Path) -> Iterator[tuple[str, float]]:
    for file in checkpoint.glob("*.safetensors"):
        for name, tensor in load_file(file).items():
            if np.issubdtype(tensor.dtype, np.floating):
                yield f"{file.stem}/{name}", float(np.linalg.norm(tensor.astype(np.float64)))
