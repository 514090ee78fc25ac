"""Which network, loss and sampling come to a good result soonest: the table of variants.

    python benchmarks/variants.py                                   # all, generated material
    python benchmarks/variants.py --variants quick,wgan-gp --pairs generated,case1 --seeds 0,1,2
    python benchmarks/variants.py --table                           # of what is there already
    python benchmarks/variants.py --list

Each variant is the preset `quick` but for what the list says. It is trained for --minutes with each
seed on each pair. Every --every steps the training measures its averaged generator on twelve crops;
compared are

- the volume fractions, mean |error| over the phases, to be at most 0.005;
- the interface areas, mean |relative error| over the pairs of phases, to be at most 5 %;

on the generated material against its 3D truth, on the published cases ($SUPERRES_DATA) against
high-res and low-res together: areas as in the slices; of the fractions the share of each low-res
phase as in the volume, divided among its high-res phases as in the slices (with one-sided phases:
fractions as in the slices). Reached is the first of two measurements in a row within both: the
seconds are the training's own, its measurements and checkpoints included.

A line for each training goes to --results (JSON lines) as soon as it ends; those that are there
already, of the same settings, are not run again. `--set name=value` changes the preset under all
variants. With --whole the volume of the best checkpoint is generated and measured, too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    GENERATED,
    course,
    errors_of,
    load_average,
    load_pair,
    machine,
    pair_choices,
    wanted_of,
)
from _variants import VARIANTS

from napari_superres.cli.values import parse_changes
from napari_superres.config import Budget, GenerationSettings, Preset, TrainingSettings
from napari_superres.data.examples.pair import Example
from napari_superres.errors import EngineError
from napari_superres.events import GenerationFinished, Measurement
from napari_superres.fusion.evaluation import measure_slices
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run

FRACTIONS, AREAS = 0.005, 0.05
Line = dict[str, Any]


def settings_of(
    variant: str, example: Example, seed: int, options: argparse.Namespace
) -> TrainingSettings:
    """Return the settings of one training."""
    common = parse_changes(options.set) | {"measure_every": options.every}
    engine = example.settings.engine.replace(**{**common, **VARIANTS[variant][1]})
    return example.settings.replace(preset=Preset.QUICK, seed=seed, engine=engine)


def key_of(name: str, settings: TrainingSettings, options: argparse.Namespace) -> str:
    """Return what makes one training another than the rest."""
    whole = {"pair": name, "minutes": options.minutes, "steps": options.steps}
    return json.dumps(whole | settings.model_dump(mode="json"), sort_keys=True)


def one_run(
    example: Example, settings: TrainingSettings, folder: Path, options: argparse.Namespace
) -> Line:
    """Train; return when the target was reached, and all measurements."""
    wanted, before, problem = wanted_of(example), load_average(), None
    budget = Budget(minutes=None if options.steps else options.minutes, steps=options.steps)
    measured: list[dict[str, float]] = []
    try:
        for step, seconds, event in course(example.pair, settings, folder, budget):
            fractions, areas = errors_of(event.measurement, wanted)
            mismatch = event.measurement.low_res_mismatch or 0.0
            measured.append(
                {"step": step, "seconds": round(seconds, 2), "fractions": fractions}
                | {"areas": areas, "mismatch": mismatch}
            )
    except EngineError as error:
        problem = str(error)
    line: Line = {"measured": measured, "problem": problem, "load": [before, load_average()]}
    line["rollbacks"] = len(Run.open(folder, FUSION).rollbacks())
    if options.whole and problem is None:
        line["whole"] = errors_of(whole_volume(example, folder), wanted)
    return line


def whole_volume(example: Example, folder: Path) -> Measurement:
    """Return fractions and areas of all that the best checkpoint generates."""
    from napari_superres.data.volumes import SegmentedSlices
    from napari_superres.generation.render import generate

    labels = None
    for event in generate(folder, GenerationSettings()):
        labels = event.labels if isinstance(event, GenerationFinished) else labels
    assert labels is not None
    return measure_slices(SegmentedSlices(((labels,),), example.pair.high_res.phases))


def reached(measured: Sequence[Mapping[str, float]]) -> Mapping[str, float] | None:
    """Return the first of two measurements in a row within both limits."""
    good = [m["fractions"] <= FRACTIONS and m["areas"] <= AREAS for m in measured]
    pairs = zip(measured, good, good[1:], strict=False)
    return next((m for m, first, second in pairs if first and second), None)


def nearest(measured: Sequence[Mapping[str, float]]) -> Mapping[str, float] | None:
    """Return the measurement whose worse error, in units of its limit, is the smallest."""
    return min(
        measured, key=lambda m: max(m["fractions"] / FRACTIONS, m["areas"] / AREAS), default=None
    )


def cell(lines: Sequence[Line]) -> str:
    """Return one variant on one pair, over the seeds."""
    hits = [hit["seconds"] for line in lines if (hit := reached(line["measured"]))]
    if len(hits) == len(lines):
        spread = f" ({min(hits):.0f}–{max(hits):.0f})" if len(hits) > 1 else ""
        return f"{np.median(hits):.0f} s{spread}"
    missed = [line for line in lines if not reached(line["measured"])]
    ends = []
    for line in missed:
        best = nearest(line["measured"])
        told = "nothing measured" if best is None else _errors(best["fractions"], best["areas"])
        ends.append(told + (", diverged" if line["problem"] else ""))
    limit = lines[0]["minutes"]
    time = f"{limit:g} min" if limit is not None else f"{lines[0]['steps']} steps"
    some = f"{np.median(hits):.0f} s in {len(hits)} of {len(lines)}; " if hits else ""
    return f"{some}not in {time}: {'; '.join(ends)}"


def _errors(fractions: float, areas: float) -> str:
    return f"{fractions:.4f}, {areas:.1%}"


def table(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the lines of a Markdown table: variants down, pairs across."""
    pairs = list(dict.fromkeys(line["pair"] for line in lines))
    whole = any("whole" in line for line in lines)
    heads = ["variant", "what is changed", "seeds", "s a step", *pairs]
    heads += [f"{pair}, whole volume" for pair in pairs if whole]
    yield "| " + " | ".join(heads) + " |"
    yield "| --- | --- | ---: | ---: |" + " --- |" * (len(heads) - 4)
    for variant, (text, _) in VARIANTS.items():
        mine = [line for line in lines if line["variant"] == variant]
        if not mine:
            continue
        paces = [m["seconds"] / m["step"] for line in mine for m in line["measured"][-1:]]
        cells = [variant, text, len({line["seed"] for line in mine})]
        cells.append(f"{np.median(paces):.2f}" if paces else "–")
        by_pair = [[line for line in mine if line["pair"] == pair] for pair in pairs]
        cells += [cell(one) if one else "–" for one in by_pair]
        if whole:
            ends = [[line["whole"] for line in one if "whole" in line] for one in by_pair]
            cells += [_errors(*np.median(end, axis=0)) if end else "–" for end in ends]
        yield "| " + " | ".join(map(str, cells)) + " |"


def read_lines(path: Path) -> list[Line]:
    """Return the trainings kept in a file; a last line cut short is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            print(f"A line of {path} is cut short and left out.", file=sys.stderr)
    return lines


def run_all(options: argparse.Namespace) -> list[Line]:
    """Run what is not in the results yet; return all that was asked for."""
    known = {line["key"]: line for line in read_lines(options.results)}
    chosen: list[Line] = []
    loaded = {name: load_pair(name) for name in options.pairs}
    asked = [(s, p, v) for s in options.seeds for p in options.pairs for v in options.variants]
    for number, (seed, name, variant) in enumerate(asked, 1):
        settings = settings_of(variant, loaded[name], seed, options)
        key = key_of(name, settings, options)
        about = {"variant": variant, "pair": name, "seed": seed}
        title = f"{number}/{len(asked)} {variant}, {name}, seed {seed}"
        if key not in known:
            print(f"{title}: load average {load_average()}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory() as scratch:
                folder = (options.keep or Path(scratch)) / f"{variant}-{name}-{seed}"
                found = one_run(loaded[name], settings, folder, options)
            budget = {"minutes": None if options.steps else options.minutes, "steps": options.steps}
            known[key] = about | budget | found | machine() | {"key": key}
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[key]) + "\n")
        print(f"{title}: {cell([known[key]])}", file=sys.stderr, flush=True)
        chosen.append(known[key] | about)  # settings that two variants share are run once
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if options.list:
        for name, (text, changes) in VARIANTS.items():
            print(f"{name:18}{text:48}{changes or ''}")
        return
    lines = read_lines(options.results) if options.table else run_all(options)
    print("\n".join(table(lines)))
    loads = [load for line in lines for load in line["load"] if load is not None]
    if loads:
        print(f"\nLoad average {min(loads)} to {max(loads)}; {len(lines)} trainings.")


def _parser() -> argparse.ArgumentParser:
    def names(known: Sequence[str]) -> Any:
        def read(text: str) -> list[str]:
            found = text.split(",")
            if strange := sorted(set(found) - set(known)):
                raise argparse.ArgumentTypeError(f"{strange}; there are {', '.join(known)}")
            return found

        return read

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--variants", type=names(list(VARIANTS)), default=list(VARIANTS))
    parser.add_argument("--pairs", type=names(pair_choices()), default=[GENERATED])
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")], default=[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--every", type=int, default=25, help="steps between measurements")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--results", type=Path, default=Path("variants.jsonl"))
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--keep", type=Path, help="leave the runs in this new folder")
    parser.add_argument("--table", action="store_true", help="print what is in --results")
    parser.add_argument("--list", action="store_true", help="print the variants")
    return parser


if __name__ == "__main__":
    main()
