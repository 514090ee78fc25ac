"""How long measures take, beside porespy and taufactor in the same run.

    python benchmarks/measures.py                  # 256³: targets, and others at the same size
    python benchmarks/measures.py --size 128       # minutes instead of half an hour
    python benchmarks/measures.py --size 256 --rival-size 128

Transport is compared at the accuracy that is printed below the table. Needs the
``dev`` extra for the others; without them their columns stay empty.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
import warnings
from collections.abc import Callable

import numpy as np

from napari_superres.data.examples.pair import example_pair
from napari_superres.measures.kinds.chords import chord_counts
from napari_superres.measures.kinds.fourier import fourier_profile, planes
from napari_superres.measures.kinds.fractions import volume_fractions
from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.kinds.percolation import percolating_fractions
from napari_superres.measures.kinds.representativity import representativity
from napari_superres.measures.kinds.surface import specific_surface_areas
from napari_superres.measures.kinds.transport import efficiency
from napari_superres.measures.kinds.triple import triple_phase_boundaries
from napari_superres.measures.kinds.two_point import two_point
from napari_superres.measures.protocol import measure_sub_volumes

N = 3
ONE = np.ones(3)
Task = Callable[[np.ndarray], object]

OWN: dict[str, Task] = {
    "volume fractions": lambda v: volume_fractions(v, N),
    "interface areas": lambda v: interface_areas(v, N),
    "triple phase boundary": lambda v: triple_phase_boundaries(v, N),
    "specific surface areas": lambda v: specific_surface_areas(v, N),
    "two-point correlations, d ≤ 80": lambda v: two_point(v, N, 80),
    "chord lengths": lambda v: chord_counts(v, N),
    "percolating fractions": lambda v: percolating_fractions(v, N),
    "transport efficiency, 1 phase, 1 axis": lambda v: efficiency(v == 1, 0, ONE),
    "Fourier profile, 16 slices": lambda v: fourier_profile(planes(v, 0), N),
    "representativity, 1 phase": lambda v: representativity([v], [1]),
}
TARGETS = {
    ("volume fractions", "interface areas", "triple phase boundary"): 1.5,
    ("two-point correlations, d ≤ 80",): 10.0,
    ("chord lengths",): 5.0,
}


def rivals(criterion: float) -> dict[str, dict[str, Task]]:
    """Return what others offer for the same measures, of all phases and axes.

    `criterion` is taufactor's for convergence; its default is 0.01.
    """
    found: dict[str, dict[str, Task]] = {}
    with contextlib.suppress(ImportError):
        import taufactor
        from taufactor import metrics

        def transport(volume: np.ndarray) -> object:
            solver = taufactor.Solver((volume == 1).astype(int), device="cpu")
            return solver.solve(verbose=False, conv_crit=criterion)

        found["taufactor"] = {
            "volume fractions": metrics.volume_fraction,
            "interface areas": lambda v: metrics.interfacial_areas(v, device="cpu"),
            "triple phase boundary": lambda v: metrics.triple_phase_boundary(v.astype(np.int32)),
            "specific surface areas": lambda v: metrics.specific_surface_area(v, device="cpu"),
            "percolating fractions": lambda v: [
                metrics.extract_through_feature(v, phase, axis)
                for phase in range(N)
                for axis in "xyz"
            ],
            "transport efficiency, 1 phase, 1 axis": transport,
        }
    with contextlib.suppress(ImportError):
        import porespy

        porespy.settings.tqdm["disable"] = True

        def surfaces(volume: np.ndarray) -> object:
            meshes = [porespy.tools.mesh_region(volume == phase) for phase in range(N)]
            return [porespy.metrics.mesh_surface_area(mesh) for mesh in meshes]

        def chords(volume: np.ndarray) -> object:
            return [
                porespy.metrics.chord_length_distribution(
                    porespy.filters.apply_chords(volume == phase, axis=axis, spacing=1)
                )
                for phase in range(N)
                for axis in range(3)
            ]

        found["porespy"] = {
            "volume fractions": lambda v: porespy.metrics.phase_fraction(v),
            "specific surface areas": surfaces,
            "two-point correlations, d ≤ 80": lambda v: [
                porespy.metrics.two_point_correlation(v == phase) for phase in range(N)
            ],
            "chord lengths": chords,
        }
    return found


def print_accuracy(volume: np.ndarray, criterion: float) -> None:
    """Print how far the solvers' default answers are from the converged one."""
    indicator = volume == 1
    converged = efficiency(indicator, 0, ONE, tolerance=1e-9)
    answers = {"ours": efficiency(indicator, 0, ONE)}
    with contextlib.suppress(ImportError):
        import taufactor

        solver = taufactor.Solver(indicator.astype(int), device="cpu")
        with contextlib.redirect_stdout(io.StringIO()):
            solver.solve(verbose=False, conv_crit=criterion)
        answers["taufactor"] = float(np.ravel(solver.D_eff)[0])
    print(f"\n| transport efficiency, {volume.shape[0]}³ | answer | error |\n|---|---:|---:|")
    print(f"| converged | {converged:.6f} | |")
    for name, answer in answers.items():
        print(f"| {name}, as timed | {answer:.6f} | {answer / converged - 1:+.1e} |")


def seconds(task: Task, volume: np.ndarray, repeats: int) -> float:
    """Return the shortest time of a few."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            task(volume)
        times.append(time.perf_counter() - start)
    return min(times)


def print_targets(volume: np.ndarray) -> None:
    """Print our times on the whole volume, and the targets."""
    side = volume.shape[0]
    print(f"\n| {side}³, 3 phases | seconds | target |\n|---|---:|---:|")
    times = {name: seconds(task, volume, 2) for name, task in OWN.items()}
    for name, taken in times.items():
        print(f"| {name} | {taken:.3f} | |")
    for names, target in TARGETS.items():
        print(f"| **{' + '.join(names)}** | {sum(times[n] for n in names):.3f} | {target:g} |")
    start = time.perf_counter()
    for _ in measure_sub_volumes([volume], N):
        pass
    taken = time.perf_counter() - start
    print(f"| **256 sub-volumes of 64³, all but transport** | {taken:.1f} | 60 |")


def print_rivals(volume: np.ndarray, criterion: float) -> None:
    """Print the times of others as multiples of ours."""
    others = rivals(criterion)
    titles = " | ".join(f"{name} (s) | ratio" for name in others)
    print(f"\n| {volume.shape[0]}³, 3 phases | ours (s) | {titles} |")
    print("|---|---:|" + "---:|---:|" * len(others))
    for name, task in OWN.items():
        if not any(name in tasks for tasks in others.values()):
            continue
        ours = seconds(task, volume, 3)
        cells = []
        for tasks in others.values():
            if name in tasks:
                theirs = seconds(tasks[name], volume, 1)
                cells.append(f"{theirs:.3f} | {theirs / ours:.1f} ×")
            else:
                cells.append(" | ")
        print(f"| {name} | {ours:.4f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="side for the targets")
    parser.add_argument("--rival-size", type=int, help="side for the comparison; that of --size")
    parser.add_argument(
        "--criterion",
        type=float,
        default=1e-3,
        help="taufactor's for convergence: at its default of 0.01 it stops at a larger error",
    )
    arguments = parser.parse_args()
    side = arguments.rival_size or arguments.size
    truth = example_pair(size=arguments.size).truth
    assert truth is not None
    print_targets(truth.labels)
    part = np.ascontiguousarray(truth.labels[:side, :side, :side])
    print_rivals(part, arguments.criterion)
    print_accuracy(part, arguments.criterion)
