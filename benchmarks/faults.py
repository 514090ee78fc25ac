"""The trial by faults: hundreds of damaged files, given to every command that reads one.

    python benchmarks/faults.py                 # 30 cases of each of the targets, and the bombs
    python benchmarks/faults.py --cases 5 --only resume
    python benchmarks/faults.py --only "generate" --first-seed 17 --cases 1    # one case again

A case damages one file of a whole set of inputs – cuts it, flips bits, overwrites sizes,
makes JSON hostile, puts a pipe, a folder or a link in its place – and runs a command of
`napari-superres` on it, in a process of its own with limits on time and memory. It is
passed when the command ends by itself, with a result or with an error of the project's
own, and when nothing outside its output folder has changed. Exit status 1 if one is not.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a forked process has no threads of its parent
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.reliability.bomb_cases import BOMB_CASES
from tests.reliability.targets import TARGETS
from tests.reliability.trial import GOOD, Outcome, Verdict, fuzzed

import napari_superres.fusion.training  # imported once, computed with never: see `materials`
import napari_superres.generation.render
import napari_superres.synthesis.training
import napari_superres.translation.translator  # noqa: F401


def untouched(file: Path, rng: random.Random) -> None:
    """Damage nothing: what is not refused whole can be refused damaged."""


def cases(
    whole: Path, place: Path, count: int, first: int, only: str, bombs: bool
) -> Iterator[tuple[str, Verdict]]:
    for target in TARGETS:
        if only in target.name:
            control = fuzzed(whole, place / "case", target, 0, untouched)
            if control.outcome is not Outcome.RESULT:
                yield target.name, replace(control, outcome=Outcome.CRASH)
            for seed in range(first, first + count):
                yield target.name, fuzzed(whole, place / "case", target, seed)
    if bombs:
        for target, bomb in BOMB_CASES:
            if only in target.name:
                verdict = fuzzed(whole, place / "case", target, 0, bomb)
                yield "bombs and the like", verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=30, help="of each target")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose name holds this")
    parser.add_argument("--no-bombs", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show what each case was told")
    asked = parser.parse_args()
    found: dict[str, Counter[Outcome]] = {}
    bad: list[Verdict] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        whole = place / "whole"
        # by another process: once torch has computed, what is forked of it can wait for ever
        making = [sys.executable, "-m", "tests.reliability.materials", str(whole)]
        subprocess.run(making, check=True, cwd=ROOT)
        (place / "cases").mkdir()
        for name, verdict in cases(
            whole, place / "cases", asked.cases, asked.first_seed, asked.only, not asked.no_bombs
        ):
            found.setdefault(name, Counter())[verdict.outcome] += 1
            slowest = max(slowest, verdict.seconds)
            if verdict.outcome not in GOOD:
                bad.append(verdict)
            if verdict.outcome not in GOOD or asked.verbose:
                print(f"{verdict.outcome} ({verdict.status}, {verdict.seconds:.1f} s) "
                      f"{verdict.case}\n    {verdict.told[-1500:]}", flush=True)  # fmt: skip
    print(f"{'':26}{'cases':>6}" + "".join(f"{outcome:>15}" for outcome in Outcome))
    for name, outcomes in found.items():
        print(f"{name:26}{outcomes.total():6}" + "".join(f"{outcomes[o]:15}" for o in Outcome))
    total = sum(outcomes.total() for outcomes in found.values())
    print(f"{total} cases, {len(bad)} faults of the project, slowest {slowest:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
