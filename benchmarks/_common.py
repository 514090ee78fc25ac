"""What several of these scripts need: the pairs, what to reach on each, the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from napari_superres.cli.pair import choose_phase_map, read_pair, with_phase_names
from napari_superres.cli.settings_file import read_settings_file
from napari_superres.config import Budget, TrainingSettings, validated
from napari_superres.data.examples.pair import Example, example_pair
from napari_superres.data.pair import Pair
from napari_superres.events import Measurement, MetricsMeasured, StepCompleted, StepProgress
from napari_superres.fusion.evaluation import measure_slices
from napari_superres.fusion.training import train
from napari_superres.measures.kinds.fractions import volume_fractions
from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.naming import pair_names, phase_names

ROOT = Path(__file__).resolve().parents[1]
GENERATED = "generated"
OF_SETTINGS = ("imaging", "anisotropic", "one_sided", "rotations", "mirrors")


def pair_choices() -> list[str]:
    """Return the names that `load_pair` knows: generated, case1 to case4."""
    files = sorted((ROOT / "examples").glob("case*.toml"))
    return [GENERATED, *(file.stem.partition("_")[0] for file in files)]


def load_pair(name: str) -> Example:
    """Return the generated material, or a case of `examples/` on the published data."""
    if name == GENERATED:
        return example_pair()
    os.environ.setdefault("SUPERRES_DATA", str(ROOT.parent / "shared" / "data"))
    (file,) = (ROOT / "examples").glob(f"{name}_*.toml")
    options = read_settings_file(file).options
    pair, factor = read_pair(
        Path(options["low_res"]),
        [Path(path) for path in options["high_res"]],
        bool(options.get("anisotropic", False)),
        options["scale_factor"],
        options.get("voxel_size"),
    )
    phase_map = choose_phase_map(options.get("phase_map"), pair)
    pair = with_phase_names(pair, phase_map, options.get("phase_names"))
    chosen = {key: options[key] for key in OF_SETTINGS if key in options}
    values = {"scale_factor": factor, "phase_map": phase_map} | chosen
    return Example(pair, None, validated(TrainingSettings, values))


def course(
    pair: Pair, settings: TrainingSettings, run: Path, budget: Budget
) -> Iterator[tuple[int, float, MetricsMeasured]]:
    """Train; yield step, seconds trained and each measurement."""
    seconds = 0.0
    for event in train(pair, settings, run, budget):
        if isinstance(event, StepCompleted | StepProgress):
            seconds = event.elapsed_s
        elif isinstance(event, MetricsMeasured):
            yield event.step, seconds, event


def wanted_of(example: Example) -> Measurement:
    """Return the fractions and interface areas to reach.

    Of the truth, where it is known. Otherwise the interface areas are those of the
    slices, and of the fractions the share of each low-res phase is that of the volume,
    as its high-res phases divide it in the slices: a result that gives the volume back
    cannot have other ones. With one-sided phases, which may appear elsewhere, the
    fractions are those of the slices.
    """
    phases = example.pair.high_res.phases
    if example.truth is not None:
        labels, n = example.truth.labels, len(phases)
        areas = interface_areas(labels, n)
        return Measurement(
            dict(zip(phase_names(phases), volume_fractions(labels, n).tolist(), strict=True)),
            {name: float(areas[a, b]) for (a, b), name in pair_names(phases).items()},
        )
    slices = measure_slices(example.pair.high_res)
    if example.settings.one_sided:
        return slices
    volume = volume_fractions(example.pair.low_res.labels, len(example.pair.low_res.phases))
    of_value = {p.value: float(f) for p, f in zip(example.pair.low_res.phases, volume, strict=True)}
    fine = dict(zip((p.value for p in phases), slices.volume_fractions.values(), strict=True))
    lows = example.settings.phase_map
    sums = {low: sum(fine[high] for high in fine if lows[high] == low) for low in of_value}
    fractions = [of_value[lows[high]] * fine[high] / sums[lows[high]] for high in fine]
    return Measurement(
        dict(zip(slices.volume_fractions, fractions, strict=True)), slices.interface_areas
    )


def errors_of(found: Measurement, wanted: Measurement) -> tuple[float, float]:
    """Return the mean error of the fractions and the mean relative error of the areas."""
    fractions = np.mean([abs(found.volume_fractions[k] - v) for k, v in _items(wanted, True)])
    areas = [abs(found.interface_areas[k] - v) / v for k, v in _items(wanted, False) if v > 0]
    return float(fractions), float(np.mean(areas)) if areas else 0.0


def _items(of: Measurement, fractions: bool) -> list[tuple[str, float]]:
    values: Mapping[str, float] = of.volume_fractions if fractions else of.interface_areas
    return list(values.items())


def machine() -> dict[str, object]:
    """Return what a time depends on: processors, threads, versions, device."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "gpu": gpu,
    }


def load_average() -> float | None:
    """Return the machine's load over the last minute, where it can be told."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
