"""How good a training is after some minutes, over several seeds.

    python benchmarks/quality.py                           # generated material, 3 seeds, 5 min
    python benchmarks/quality.py --pair case1 --seeds 0 1 2 3 4 --minutes 3
    python benchmarks/quality.py --set frequency_weight=0       # without one of its parts
    python benchmarks/quality.py --slice-size 1024          # slices that are a better sample

The whole super-res volume is measured: of the generated material against its 3D truth, of the
published pairs (in $SUPERRES_DATA) against their high-res slices. A line for each seed, then the
median.
Anisotropy is the largest deviation of an axis from the mean of the axes, in interface area;
lopsided is how much more often one phase comes before another along an axis than after it.
3D patterns, slices and imprint: `measures/kinds/patterns.py` and `imprint.py`; "no side" is of
patterns symmetrised over the cube's symmetries. Of twelve realisations by their noise alone, and
as `generate` makes them (noise and symmetry): how much they differ, over what they differ from the
truth (1 where they are calibrated), calibration error, Brier score, voxels whose most frequent
phase is wrong.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np

from napari_superres.config import Budget, GenerationSettings, TrainingSettings, validated
from napari_superres.data.examples.pair import PHASE_MAP, example_pair
from napari_superres.data.files.segmented import read_slices, read_volume
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import Labels
from napari_superres.events import GenerationFinished, RolledBack, TrainingFinished
from napari_superres.fusion.quick_measures import anisotropy, face_shares
from napari_superres.fusion.training import train
from napari_superres.generation.render import generate
from napari_superres.measures.kinds.calibration import calibration
from napari_superres.measures.kinds.fractions import volume_fractions
from napari_superres.measures.kinds.imprint import face_imprint, fraction_imprint
from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.kinds.mismatch import low_res_mismatch
from napari_superres.measures.kinds.patterns import (
    block_frequencies,
    pattern_distance,
    slice_frequencies,
    slice_pattern_distances,
    symmetrised,
)
from napari_superres.measures.kinds.transport import transport_efficiencies
from napari_superres.measures.kinds.triple import triple_phase_boundaries
from napari_superres.measures.kinds.two_point import two_point

PAIRS = {
    "case1": ("case1_cathode", {"imaging": "blurred", "phase_map": {0: 0, 1: 1, 2: 0}}),
    "case3": ("case3_anode", {"imaging": "sampled", "phase_map": {0: 0, 1: 1, 2: 2}}),
}
DISTANCE = 40
MINUTES = 5.0
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
Row = dict[str, float]


def load(name: str, slice_size: int = 512) -> tuple[Pair, list[Labels], dict[str, object]]:
    """Return the pair, what to measure against, and settings."""
    if name == "generated":
        example = example_pair(slice_size=slice_size)
        assert example.truth is not None
        settings = {"imaging": "blurred", "phase_map": PHASE_MAP}
        return example.pair, [example.truth.labels], settings
    folder, settings = PAIRS[name]
    data = Path(os.environ.get("SUPERRES_DATA", DATA)) / folder
    high_res = read_slices([data / "high_res.tif"])
    return Pair(read_volume(data / "low_res.tif"), high_res), list(high_res.sets[0]), settings


def measured(arrays: list[Labels], phases: int, transport: bool) -> dict[str, np.ndarray]:
    """Return the measures of a volume, or the mean over slices."""

    def mean(of: object) -> np.ndarray:
        return np.mean([of(array) for array in arrays], axis=0)  # type: ignore[operator]

    pairs = tuple(np.transpose(list(combinations(range(phases), 2))))
    found = {
        "fractions": mean(lambda a: volume_fractions(a, phases)),
        "areas": mean(lambda a: interface_areas(a, phases)[pairs]),
        "triple": mean(lambda a: triple_phase_boundaries(a, phases)),
        # phases with themselves, over the axes
        "two-point": mean(lambda a: np.einsum("aiid->id", two_point(a, phases, DISTANCE)) / a.ndim),
        "anisotropy": np.array(anisotropy(face_shares(arrays, phases))),
    }
    if transport:
        found["transport"] = mean(lambda a: transport_efficiencies(a, phases))
    return found


def lopsidedness(labels: Labels, phases: int) -> float:
    """Return mean |a before b − b before a| / (either) over axes and pairs of phases."""
    shares = []
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0).astype(np.int64)
        codes = (along[:-1] * phases + along[1:]).ravel()
        counts = np.bincount(codes, minlength=phases**2).reshape(phases, phases).astype(float)
        for a, b in combinations(range(phases), 2):
            either = counts[a, b] + counts[b, a]
            shares.append(abs(counts[a, b] - counts[b, a]) / either if either else 0.0)
    return float(np.mean(shares))


def errors(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> Row:
    """Return each measure's error, as the columns of the table."""
    row = {
        "fractions": float(np.abs(found["fractions"] - wanted["fractions"]).mean()),
        "areas, %": 100 * _relative(found["areas"], wanted["areas"]),
        "two-point": float(
            np.sqrt(((found["two-point"] - wanted["two-point"]) ** 2).mean(1)).max()
        ),
        "triple, %": 100 * _relative(found["triple"], wanted["triple"]),
        "anisotropy": float(found["anisotropy"]),
    }
    if "transport" in found:
        row["transport"] = float(np.abs(found["transport"] - wanted["transport"]).mean())
    return row


def _relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(found / np.maximum(wanted, 1e-9) - 1).mean()) if wanted.size else 0.0


def one_run(options: argparse.Namespace, seed: int, folder: Path) -> Row:
    """Train, generate, measure."""
    pair, against, values = load(options.pair, options.slice_size)
    changes = dict(item.split("=", 1) for item in options.set)
    settings = validated(TrainingSettings, {"scale_factor": 4, "seed": seed} | values)
    settings = settings.replace(engine=settings.engine.replace(**changes))
    minutes = options.minutes or (None if options.steps else MINUTES)
    budget = Budget(minutes=minutes, steps=options.steps)
    run = folder / f"{options.pair}-seed{seed}"
    steps, rollbacks = 0, 0
    for event in train(pair, settings, run, budget):
        rollbacks += isinstance(event, RolledBack)
        if isinstance(event, TrainingFinished):
            steps = event.step
    labels = realisation(run, options.checkpoint, 0)
    phases = len(pair.high_res.phases)
    transport = options.pair == "generated" and not options.no_transport
    row = {"seed": seed, "steps": steps, "roll-backs": rollbacks}
    row |= errors(measured([labels], phases, transport), measured(against, phases, transport))
    lr_of_hr = np.array([values["phase_map"][p.value] for p in pair.high_res.phases])  # type: ignore[index]
    row["mismatch"] = low_res_mismatch(
        labels, pair.low_res.labels, lr_of_hr, settings.scale_factor, settings.imaging
    )
    row["lopsided"] = lopsidedness(labels, phases)
    row |= samples(labels, against, settings)
    truth = against[0] if options.pair == "generated" else None
    for name, symmetry in (("noise", "none"), ("seeds", "auto")):
        made = (
            realisation(run, options.checkpoint, noise, symmetry)
            for noise in range(options.realisations)
        )
        row |= {f"{name}: {key}": value for key, value in spread(made, truth, phases).items()}
    return row


def samples(labels: Labels, against: list[Labels], settings: TrainingSettings) -> Row:
    """Return how far small patterns are from those wanted, and how the grid shows."""
    phases = len(settings.phase_map)
    row: Row = {}
    if against[0].ndim == 3:
        truth = against[0]
        blocks = block_frequencies(labels, phases), block_frequencies(truth, phases)
        row["3D patterns"] = pattern_distance(*blocks)
        turned = [symmetrised(one, phases, 3) for one in blocks]
        row["3D, no side"] = pattern_distance(*turned)
        wanted = [slice_frequencies(list(np.moveaxis(truth, axis, 0)), phases) for axis in range(3)]
    else:  # slices of an isotropic material, which may be turned
        wanted = [symmetrised(slice_frequencies(against, phases), phases, 2)] * 3
    for axis, gap in zip("zyx", slice_pattern_distances(labels, wanted, phases), strict=True):
        row[f"slices {axis}"] = float(gap)
    for axis, gap in zip("zyx", face_imprint(labels, settings.scale_factor, phases), strict=True):
        row[f"imprint {axis}"] = float(gap)
    row["imprint, fractions"] = fraction_imprint(labels, settings.scale_factor, phases)
    return row


def spread(made: Iterable[Labels], truth: Labels | None, phases: int) -> Row:
    """Return how realisations differ, from each other and from the truth where there is one."""
    volumes = list(made)
    if truth is None:
        pairs = combinations(volumes, 2)
        return {"differ": float(np.mean([(one != other).mean() for one, other in pairs]))}
    found = calibration(volumes, truth, phases)
    return {
        "differ": found.pair_difference,
        "from truth": found.truth_difference,
        "ratio": found.ratio,
        "ECE": found.error,
        "Brier": found.brier,
        "likely wrong": found.likely_wrong,
    }


def realisation(run: Path, checkpoint: str, seed: int, symmetry: str = "auto") -> Labels:
    """Return the whole super-res volume of one seed."""
    settings = GenerationSettings(checkpoint=checkpoint, seed=seed, symmetry=symmetry)
    for event in generate(run, settings):
        if isinstance(event, GenerationFinished) and event.labels is not None:
            return event.labels
    raise RuntimeError("the generation ended without a volume")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pair", choices=["generated", *PAIRS], default="generated")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, help="5 where no --steps are given")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--checkpoint", default="best")
    parser.add_argument("--slice-size", type=int, default=512, help="of the generated slices")
    parser.add_argument("--realisations", type=int, default=12)
    parser.add_argument("--no-transport", action="store_true")
    parser.add_argument("--keep", type=Path, help="leave the runs in this new folder")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in options.seeds:
            row = one_run(options, seed, options.keep or Path(temporary))
            if not rows:
                print("| " + " | ".join(row) + " |\n|" + " ---: |" * len(row))
            rows.append(row)
            show(row)
    show(
        {"seed": "median"}
        | {k: float(np.median([r[k] for r in rows])) for k in rows[0] if k != "seed"}
    )


def show(row: dict[str, float | str]) -> None:
    """Print a line of the table."""
    cells = [v if isinstance(v, str | int) else f"{v:.4g}" for v in row.values()]
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
