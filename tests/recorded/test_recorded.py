"""Version 0.1.0 trained, resumed and generated; the same inputs and seeds give the same numbers.

`make.py` recorded `data/` and says how. On the machine that recorded, the numbers are equal to the
last digit. Other CPUs and libraries round otherwise, and adversarial training amplifies that: hence
few steps, and tolerances far below what another formula or another order of random draws would
change.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.recorded import cases

RELATIVE, ABSOLUTE = 1e-3, 2e-4  # the latter: a few voxels of a measured crop
NORM = 1e-2  # of a tensor: the optimisers' moments follow every rounding of a gradient
VOXELS = 2e-3  # share of labels that may differ
GREY = 2  # levels that a grey value may differ by


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that trains again; each training once."""
    folder = tmp_path_factory.mktemp("trained")

    def run_of(name: str) -> Path:
        if not (folder / name).exists():
            cases.train(name, folder / name)
        return folder / name

    return run_of


@pytest.mark.parametrize("name", cases.TRAININGS)
def test_a_training_takes_the_recorded_steps(name, trained):
    found = cases.metrics(trained(name) / cases.METRICS)
    assert_recorded(found, cases.metrics(cases.DATA / "metrics" / f"{name}.jsonl"))


@pytest.mark.parametrize("name", cases.TRAININGS)
def test_a_training_leaves_the_recorded_checkpoint(name, trained):
    recorded = json.loads((cases.DATA / "norms" / f"{name}.json").read_text())
    found = cases.checkpoint_norms(trained(name))
    assert found == pytest.approx(recorded, rel=NORM, abs=1e-7)


@pytest.mark.parametrize("name", cases.KEPT)
def test_a_recorded_run_resumes_to_the_recorded_numbers(name, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(cases.DATA / "runs" / name, run)
    cases.cli("resume", run, "--steps", cases.RESUMED_STEPS)
    found = cases.metrics(run / cases.METRICS)
    assert_recorded(found, cases.metrics(cases.DATA / "resumed" / f"{name}.jsonl"))


@pytest.mark.parametrize("name", cases.RESULTS)
def test_a_recorded_run_generates_the_recorded_images(name, tmp_path):
    cases.make_result(name, cases.DATA / "runs", tmp_path / name)
    found = tifffile.imread(tmp_path / name)
    recorded = tifffile.imread(cases.DATA / "results" / name)
    assert (found.shape, found.dtype) == (recorded.shape, recorded.dtype)
    if name.startswith("fusion"):
        assert np.mean(found != recorded) <= VOXELS
    else:
        assert np.abs(found.astype(int) - recorded).max() <= GREY


def assert_recorded(found: object, recorded: object, where: str = "line") -> None:
    """What is recorded is there with the same value; beside it there may be more."""
    if isinstance(recorded, dict):
        assert recorded.keys() <= found.keys(), where
        for key, value in recorded.items():
            assert_recorded(found[key], value, f"{where}, {key}")
    elif isinstance(recorded, list):
        assert len(found) == len(recorded), where
        for index, value in enumerate(recorded):
            assert_recorded(found[index], value, f"{where} {index}")
    elif isinstance(recorded, float):
        assert found == pytest.approx(recorded, rel=RELATIVE, abs=ABSOLUTE), where
    else:
        assert found == recorded, where
