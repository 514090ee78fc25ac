"""Record the numbers: `PYTHONPATH=OLD/src:. python -m tests.recorded.make`.

OLD is a checkout of the version whose numbers are to hold; they were made by 0.1.0, commit
b93e4a2, with torch 2.13.0 on an x86-64 CPU. Record again only where numbers are meant to change,
and say so in the CHANGELOG.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a second thread adds numbers up in another order
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import tifffile

from tests.recorded import cases


def write_inputs(folder: Path) -> None:
    rng = np.random.default_rng(0)

    def save(name: str, values: np.ndarray) -> None:
        tifffile.imwrite(folder / f"{name}.tif", values.astype(np.uint8), compression="zlib")

    def blocks(levels: int, shape: tuple[int, ...], side: int) -> np.ndarray:
        return np.kron(rng.integers(0, levels, shape), np.ones((side,) * len(shape)))

    save("low_res", rng.random((14, 13, 12)) < 0.5)
    for axis in "zyx":
        labels = blocks(2, (24, 24), 2)
        labels[rng.random(labels.shape) < 0.1] = 2
        save(f"slice_{axis}", labels)
    save("grey", blocks(4, (12, 16), 4) * 60 + 20)
    save("phases", blocks(3, (12, 16), 4))
    save("grey_coarse", blocks(4, (6, 6), 4) * 60 + 20)
    save("grey_sharp", blocks(4, (12, 12), 4) * 60 + 20)
    save("phases_coarse", blocks(3, (6, 6), 4))
    save("phases_sharp", blocks(3, (12, 12), 4))
    save("volume", blocks(4, (3, 6, 6), 2) * 60 + 20)


def keep_run(run: Path, kept: Path) -> None:
    """Keep what opening, resuming and generating need: of the checkpoints, the last."""
    shutil.copytree(run, kept, ignore=shutil.ignore_patterns("previews", ".*", "*.lock"))
    for checkpoint in sorted((kept / "checkpoints").iterdir())[:-1]:
        shutil.rmtree(checkpoint)


def main() -> None:
    shutil.rmtree(cases.DATA, ignore_errors=True)
    for folder in ("inputs", "metrics", "norms", "runs", "results", "resumed"):
        (cases.DATA / folder).mkdir(parents=True)
    write_inputs(cases.INPUTS)
    with tempfile.TemporaryDirectory() as work:
        for name in cases.TRAININGS:
            run = Path(work) / name
            cases.train(name, run)
            shutil.copy(run / cases.METRICS, cases.DATA / "metrics" / f"{name}.jsonl")
            norms = json.dumps(cases.checkpoint_norms(run), indent=0)
            (cases.DATA / "norms" / f"{name}.json").write_text(norms + "\n")
            if name in cases.KEPT:
                keep_run(run, cases.DATA / "runs" / name)
        for name in cases.RESULTS:
            output = cases.DATA / "results" / name
            cases.make_result(name, cases.DATA / "runs", output)
            tifffile.imwrite(output, tifffile.imread(output), compression="zlib")
        for name in cases.KEPT:
            resumed = Path(work) / f"{name}_resumed"
            shutil.copytree(cases.DATA / "runs" / name, resumed)
            cases.cli("resume", resumed, "--steps", cases.RESUMED_STEPS)
            shutil.copy(resumed / cases.METRICS, cases.DATA / "resumed" / f"{name}.jsonl")


if __name__ == "__main__":
    main()
