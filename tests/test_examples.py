"""The examples: their settings fit the published data, and their chain runs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from napari_superres.cli import main as superres
from napari_superres.data.examples import published
from napari_superres.data.examples.pair import example_pair
from napari_superres.data.files.tiff import read_tiff, write_labels_tiff
from napari_superres.errors import FileError

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CASES = ("case1_cathode", "case2_separator", "case3_anode", "case4_cathode_sem")
FILES = {
    "case1_cathode": {"high_res.tif": (1, 64, 64)},
    "case2_separator": {"high_res_rods.tif": (2, 64, 64), "high_res_speckles.tif": (1, 64, 64)},
    "case3_anode": {"high_res.tif": (1, 64, 64)},
    "case4_cathode_sem": {"high_res_subsampled.tif": (4, 64, 64)},
}
PHASES = {"case2_separator": 2}
SMALL = ("--set", "crop=16", "--set", "channels=4", "--set", "max_channels=8", "--set", "batch=1")


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_run", EXAMPLES / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tiny(folder: Path, case: str) -> None:
    """Write a case's files with few voxels, made up."""
    random = np.random.default_rng(0)
    low = random.integers(0, 2, (2, 2, 2)).repeat(4, 0).repeat(4, 1).repeat(4, 2).astype(np.uint8)
    if case == "case3_anode":
        low[:2] = 2
    low = low * 128 if case == "case4_cathode_sem" else low
    (folder / case).mkdir()
    write_labels_tiff(folder / case / "low_res.tif", low, voxel_size=None)
    for name, shape in FILES[case].items():
        coarse = random.integers(0, PHASES.get(case, 3), (shape[0], 8, 8), np.uint8)
        fine = coarse.repeat(8, 1).repeat(8, 2)
        write_labels_tiff(folder / case / name, fine, voxel_size=None)


def test_there_is_an_example_for_each_case_of_the_paper(script) -> None:
    assert tuple(script.CASES) == CASES


@pytest.mark.parametrize("preset", ["quick", "standard", "paper"])
@pytest.mark.parametrize("case", CASES)
def test_the_settings_fit_the_published_data(case, preset, real_data, monkeypatch, capsys) -> None:
    from napari_superres.fusion import training

    monkeypatch.setenv("SUPERRES_DATA", str(real_data.resolve()))
    monkeypatch.setattr(training, "train", lambda *_: pytest.skip("checked"))
    with pytest.raises(pytest.skip.Exception):
        superres(["train", "--settings", str(EXAMPLES / f"{case}.toml"), "--preset", preset])
    printed = capsys.readouterr().out
    assert ("the slices do not represent the volume" in printed) == (case == "case4_cathode_sem")


@pytest.mark.usefixtures("small_reports")
@pytest.mark.parametrize("case", CASES)
def test_the_whole_chain_runs_on_tiny_crops(case, script, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("SUPERRES_DATA", str(tmp_path))
    tiny(tmp_path, case)
    output = tmp_path / "result"
    assert script.main([case, "--steps", "1", "--output", str(output), *SMALL]) == 0
    labels, _ = read_tiff(output / "super-res.tif")
    factor = 2 if case == "case4_cathode_sem" else 4
    assert labels.shape == (8 * factor,) * 3
    report = json.loads((output / "report.json").read_text())
    assert set(report["items"]) == {"low_res", "high_res", "super_res"}
    assert report["items"]["super_res"]["phases"][1]["name"] in (
        "active material",
        "polymer",
        "nickel",
    )
    for file in ("picture.png", "report.html", "run/config.json"):
        assert (output / file).stat().st_size > 0
    assert capsys.readouterr().out.startswith(f"Case {case[4]} of the paper")


def test_case_4_says_before_training_that_its_slices_are_unlike(script) -> None:
    text = " ".join(script.introduction(EXAMPLES / "case4_cathode_sem.toml").split())
    assert "The slices do not represent the volume" in text


def test_data_that_is_nowhere_is_printed(script, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("SUPERRES_DATA", str(tmp_path))
    assert script.main(["case1_cathode", "--output", str(tmp_path / "result")]) == 2
    assert "set SUPERRES_DATA" in capsys.readouterr().err


def test_a_case_that_is_public_is_fetched(script, tmp_path, monkeypatch) -> None:
    example = example_pair(size=64, slices=1, slice_size=64)
    monkeypatch.setenv("SUPERRES_DATA", "")
    monkeypatch.setattr(script, "HERE", tmp_path / "a" / "b")
    monkeypatch.setattr(published, "fetch_published", lambda case: {3: example}[case])
    assert script.find_data("case3_anode", tmp_path / "result")
    labels, _ = read_tiff(tmp_path / "result/published/case3_anode/high_res.tif")
    np.testing.assert_array_equal(labels.squeeze(), example.pair.high_res.sets[0][0])
    assert not script.find_data("case1_cathode", tmp_path / "result")


def test_the_papers_design_wants_a_budget(script, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("SUPERRES_DATA", str(tmp_path))
    tiny(tmp_path, "case3_anode")
    assert script.main(["case3_anode", "--preset", "paper", "--output", str(tmp_path / "r")]) == 2
    assert "--minutes or --steps" in capsys.readouterr().err


def test_steps_and_minutes_both_count(script) -> None:
    asked = script._parser().parse_args(["case3_anode", "--steps", "2000000", "--minutes", "0.5"])
    assert script.budget_of(asked) == ["--minutes", "0.5", "--steps", "2000000"]


def test_a_failed_download_is_reported_in_one_line(script, tmp_path, monkeypatch, capsys) -> None:
    def unreachable(case: int) -> None:
        raise FileError("The site cannot be reached.", "It is needed once.", "Try again.")

    monkeypatch.setenv("SUPERRES_DATA", "")
    monkeypatch.setattr(script, "HERE", tmp_path / "a" / "b")
    monkeypatch.setattr(published, "fetch_published", unreachable)
    assert script.main(["case3_anode", "--output", str(tmp_path / "result")]) == 2
    assert "cannot be reached" in capsys.readouterr().err
