from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from napari_superres.config import GenerationSettings
from napari_superres.data.phases import phases_from_values


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand for a run folder with two low-res phases."""
    config = SimpleNamespace(low_res_phases=phases_from_values([0, 1]))
    module = ModuleType("napari_superres.runs.folder")
    module.RunFolder = SimpleNamespace(  # type: ignore[attr-defined]
        open=lambda path: SimpleNamespace(config=config)
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return tmp_path / "run"


def test_every_option_reaches_the_engine(cli, engine, run, tmp_path) -> None:
    result = cli(
        *["generate", run, "--output", tmp_path / "volume.tif", "--seed", 3, "--tile", 16],
        *["--region", "0:4,1:5,2:6", "--crop-border", "--checkpoint", "last"],
    )
    assert result.status == 0, result.err
    (asked,) = engine.generations
    assert asked["settings"] == GenerationSettings(
        seed=3, tile=16, region=((0, 4), (1, 5), (2, 6)), crop_border=True, checkpoint="last"
    )
    assert asked["output"] == tmp_path / "volume.tif"
    assert result.out.strip() == str(tmp_path / "volume.tif")


def test_without_an_output_the_volume_lies_in_the_run_folder(cli, engine, run) -> None:
    assert cli("generate", run).status == 0
    assert engine.generations[0]["output"] == run / "super-res.tif"


def test_realisations_have_their_own_seeds_and_files(cli, engine, run, tmp_path) -> None:
    output = tmp_path / "volume.tif"
    assert cli("generate", run, "--output", output, "--realisations", 3, "--seed", 5).status == 0
    assert [asked["settings"].seed for asked in engine.generations] == [5, 6, 7]
    names = [asked["output"].name for asked in engine.generations]
    assert names == ["volume-seed5.tif", "volume-seed6.tif", "volume-seed7.tif"]


def test_another_low_res_volume_is_read_with_the_runs_phases(cli, engine, run, pair) -> None:
    assert cli("generate", run, "--low-res", pair.low_res).status == 0
    assert engine.generations[0]["low_res"].shape == (12, 12, 12)


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
def test_an_interrupted_generation_ends_with_130_and_makes_no_more(cli, engine, run) -> None:
    engine.during = lambda: os.kill(os.getpid(), signal.SIGINT)
    result = cli("generate", run, "--realisations", 3)
    assert result.status == 130
    assert "the same command goes on with it" in result.out
    assert len(engine.generations) == 1


def test_a_region_that_is_none_is_wrong_input(cli, engine, run) -> None:
    result = cli("generate", run, "--region", "everything")
    assert result.status == 2
    assert "0:16,8:24,0:32" in result.err
