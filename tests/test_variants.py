"""The script behind the table of variants."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from napari_superres.data.examples.pair import Example, example_pair
from napari_superres.events import Measurement, MetricsMeasured

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def variants(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("variants")


@pytest.fixture
def example() -> Example:
    return example_pair(size=64, slices=1, slice_size=64)


def measured(*errors: tuple[float, float]) -> list[dict[str, float]]:
    return [
        {"step": 25 * i, "seconds": 10.0 * i, "fractions": f, "areas": a, "mismatch": 0.0}
        for i, (f, a) in enumerate(errors, 1)
    ]


def line(variants, *errors, seed=0, variant="quick"):
    rest = {"pair": "generated", "minutes": 5.0, "steps": None, "problem": None, "load": [1.0, 2.0]}
    return {"variant": variant, "seed": seed, "measured": measured(*errors)} | rest


def test_the_target_is_reached_at_the_first_of_two_good_measurements(variants) -> None:
    once = measured((0.004, 0.04), (0.004, 0.06), (0.004, 0.05), (0.005, 0.04))
    assert variants.reached(once)["seconds"] == 30.0
    assert variants.reached(once[:3]) is None


def test_what_was_not_reached_tells_how_near_it_came(variants) -> None:
    far = line(variants, (0.02, 0.04), (0.006, 0.055), (0.001, 0.2))
    assert variants.cell([far]) == "not in 5 min: 0.0060, 5.5%"


def test_the_table_has_median_and_range_over_the_seeds(variants) -> None:
    good = (0.001, 0.01)
    lines = [line(variants, good, good), line(variants, (1, 1), good, good, seed=1)]
    row = list(variants.table(lines))[-1]
    assert row == "| quick | as it is | 2 | 0.40 | 15 s (10–20) |"


def test_every_variant_is_one_that_the_engine_can_be_set_to(variants, example) -> None:
    options = variants._parser().parse_args(["--set", "average_half_life=20"])
    found = [variants.settings_of(name, example, 0, options) for name in variants.VARIANTS]
    assert len({settings.engine for settings in found}) == len(variants.VARIANTS)


def test_what_is_in_the_results_is_not_run_again(
    variants, example, tmp_path, monkeypatch, capsys
) -> None:
    runs = []

    def course(pair, settings, folder, budget):
        runs.append(settings.seed)
        wanted = variants.wanted_of(example)
        found = Measurement(wanted.volume_fractions, wanted.interface_areas, 0.001)
        for step in (25, 50):
            yield step, float(step), MetricsMeasured(step, found, 0.1, True)

    monkeypatch.setattr(variants, "course", course)
    monkeypatch.setattr(variants, "load_pair", lambda name: example)
    monkeypatch.setattr(variants.Run, "open", lambda folder, kind: variants.Run)
    monkeypatch.setattr(variants.Run, "rollbacks", lambda: [])
    results = tmp_path / "r.jsonl"
    asked = ["--variants", "quick", "--results", str(results)]
    variants.main([*asked, "--seeds", "0"])
    with results.open("a") as file:
        file.write('{"cut short')
    variants.main([*asked, "--seeds", "0"])
    assert runs == [0]
    assert json.loads(results.read_text().splitlines()[0])["rollbacks"] == 0
    assert "| quick | as it is | 1 | 1.00 | 25 s |" in capsys.readouterr().out
