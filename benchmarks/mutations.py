"""Mutations: arithmetic lines of the engine made wrong, one at a time; a test has to fail.

    python benchmarks/mutations.py
    python benchmarks/mutations.py --only noise

Each is made in a copy of `src` and `tests` in a temporary folder, so the tree stays as it is.
The tests named beside it run once without the mutation, to see that they pass, and then with
it, until the first fails. Exit status 1 where none fails, or a line is no longer there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src") / "napari_superres"


class Mutation(NamedTuple):
    """What becomes wrong, where, and the tests that should see it."""

    file: str
    right: str
    wrong: str
    tests: str


MUTATIONS = (
    Mutation(
        "training/adversarial.py",
        "return F.softplus(fake_B - real_B).mean()",
        "return F.softplus(real_B - fake_B).mean()",
        "tests/fusion/losses/test_losses.py",
    ),
    Mutation(
        "training/adversarial.py",
        "return 0.5 * squares_B.mean()",
        "return squares_B.mean()",
        "tests/fusion/losses/test_losses.py",
    ),
    Mutation(
        "fusion/losses/voxel.py",
        "low_res_BMZYX) * (phases / 2)",
        "low_res_BMZYX) * (phases / 3)",
        "tests/fusion/losses/test_losses.py",
    ),
    Mutation(
        "training/frequencies/statistics.py",
        "return here.mean(PIXELS) - row.mean(PIXELS) - column.mean(PIXELS) + block.mean(PIXELS)",
        "return here.mean(PIXELS) - row.mean(PIXELS) - column.mean(PIXELS) - block.mean(PIXELS)",
        "tests/training/frequencies/test_statistics.py",
    ),
    Mutation(
        "training/frequencies/frequency_loss.py",
        "pull = 2 * error_KS / self.scale * (soft_KS - soft_KS.detach())",
        "pull = error_KS / self.scale * (soft_KS - soft_KS.detach())",
        "tests/training/frequencies/test_frequency_loss.py",
    ),
    Mutation(
        "training/frequencies/running_mean.py",
        "return self.running / self.weight",
        "return self.running",
        "tests/training/frequencies/test_frequency_loss.py",
    ),
    Mutation(
        "fusion/losses/imaging.py",
        "out = out @ x.T",
        "out = out.flip(-1) @ x.T",
        "tests/fusion/losses/test_imaging.py",
    ),
    Mutation(
        "data/down_sampling.py",
        "centres = (rows + 0.5) * float(scale_factor) - 0.5",
        "centres = rows * float(scale_factor)",
        "tests/data/test_down_sampling.py",
    ),
    Mutation(
        "fusion/networks/trilinear.py",
        "source = (out + Fraction(1, 2)) / factor - Fraction(1, 2)",
        "source = out / factor",
        "tests/fusion/networks/test_trilinear.py",
    ),
    Mutation(
        "training/clock.py",
        "min(max((share - 1 + annealing) / annealing, 0.0), 1.0)",
        "min(max((share - annealing) / annealing, 0.0), 1.0)",
        "tests/fusion/test_training.py::test_the_learning_rate_falls_over_the_last_part_of_the_budget",
    ),
    Mutation(
        "generation/noise.py",
        "hashed += high_ZY1[planes]",
        "hashed += 0 * high_ZY1[planes]",
        "tests/generation/test_noise.py",
    ),
    Mutation(
        "generation/tiles.py",
        "(first + 0.5) * fine - 0.5 * coarse",
        "first * fine",
        "tests/generation/test_tiles.py tests/generation/test_writing.py",
    ),
    Mutation(
        "measures/kinds/interfaces.py",
        "sum(array.size - array.size // size for size in array.shape)",
        "sum(array.size for size in array.shape)",
        "tests/measures/kinds/test_interfaces.py",
    ),
    Mutation(
        "measures/kinds/two_point.py",
        "else size - distances)",
        "else size + 0 * distances)",
        "tests/measures/kinds/test_two_point.py",
    ),
    Mutation(
        "measures/kinds/transport.py",
        "diagonal[end] += 2 ",
        "diagonal[end] += 1 ",
        "tests/measures/kinds/test_transport.py",
    ),
    Mutation(
        "measures/kinds/surface.py",
        "factor = 2.0 if array.ndim == 3 else np.pi / 2",
        "factor = 2.0 if array.ndim == 3 else np.pi / 4",
        "tests/measures/kinds/test_surface.py",
    ),
    Mutation(
        "scale_factor.py",
        "math.floor(size * factor)",
        "math.ceil(size * factor)",
        "tests/test_scale_factor.py",
    ),
)


def passes(copy: Path, tests: str) -> bool:
    """Return whether the tests pass in the copy."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header"]
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-B", "-m", "pytest", *options, *tests.split()]
    done = subprocess.run(run, cwd=copy, env=environment, capture_output=True, check=False)
    if done.returncode not in (0, 1):  # no test was found, or pytest itself failed
        raise SystemExit(done.stdout.decode() + done.stderr.decode())
    return done.returncode == 0


def verdicts(copy: Path, only: str) -> Iterator[tuple[Mutation, str]]:
    """Yield each mutation and what came of it; a word in capitals where it is not well."""
    sound: dict[str, bool] = {}
    for mutation in MUTATIONS:
        if only not in mutation.file:
            continue
        if mutation.tests not in sound:
            sound[mutation.tests] = passes(copy, mutation.tests)
        file = copy / PACKAGE / mutation.file
        text = file.read_text(encoding="utf-8")
        if not sound[mutation.tests]:
            yield mutation, "FAILS without it"
        elif text.count(mutation.right) != 1:
            yield mutation, f"the line is there {text.count(mutation.right)} TIMES"
        else:
            file.write_text(text.replace(mutation.right, mutation.wrong), encoding="utf-8")
            yield mutation, "NOT SEEN" if passes(copy, mutation.tests) else "seen"
            file.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="files whose name holds this")
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("src", "tests"):
            skip = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=skip)
        shutil.copy(ROOT / "pyproject.toml", copy)
        for mutation, verdict in verdicts(copy, asked.only):
            bad += verdict != "seen"
            print(f"{verdict:10} {mutation.file}: {mutation.wrong}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
