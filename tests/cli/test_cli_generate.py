from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_superres.config import GenerationSettings
from napari_superres.data.phases import phases_from_values


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand for a run folder with two low-res phases."""
    kept = SimpleNamespace(phases=phases_from_values([0, 1]))
    opened = SimpleNamespace(open=lambda path, kind: SimpleNamespace(kept=lambda role: kept))
    monkeypatch.setattr("napari_superres.runs.run.Run", opened)
    return tmp_path / "run"


def test_every_option_reaches_the_engine(cli, engine, run, tmp_path) -> None:
    result = cli(
        *["generate", run, "--output", tmp_path / "volume.tif", "--seed", 3, "--tile", 16],
        *["--region", "0:4,1:5,2:6", "--crop-border", "--checkpoint", "last"],
        *["--periodic", "x,z", "--held-region", "0:2,0:2,0:2", "--held-seed", 9],
        *["--precision", "float32", "--device", "cpu"],
    )
    assert result.status == 0, result.err
    (asked,) = engine.generations
    assert asked["settings"] == GenerationSettings(
        seed=3,
        tile=16,
        region=((0, 4), (1, 5), (2, 6)),
        crop_border=True,
        checkpoint="last",
        periodic_axes=(0, 2),
        held_region=((0, 2), (0, 2), (0, 2)),
        held_seed=9,
        precision="float32",
        device="cpu",
    )
    assert "workers" not in asked
    assert asked["output"] == tmp_path / "volume.tif"
    assert result.out.strip() == str(tmp_path / "volume.tif")


def test_without_an_output_the_volume_lies_in_the_run_folder(cli, engine, run) -> None:
    assert cli("generate", run).status == 0
    assert engine.generations[0]["output"] == run / "super-res.tif"


def test_realisations_go_to_a_folder_and_their_spread_is_told(cli, engine, run, tmp_path) -> None:
    output = tmp_path / "volume.zarr"
    result = cli("generate", run, "--output", output, "--realisations", 3, "--seed", 5)
    assert result.status == 0, result.err
    (asked,) = engine.generations
    assert (asked["count"], asked["settings"].seed) == (3, 5)
    assert (asked["output"], asked["suffix"]) == (tmp_path / "volume", ".zarr")
    assert asked["keep_volumes"]
    assert "pore" in result.out
    assert "0.4000          0.0100" in result.out


def test_a_dot_in_the_name_of_a_folder_of_realisations_is_no_kind(cli, engine, run, tmp_path):
    result = cli("generate", run, "--output", tmp_path / "sample.v2", "--realisations", 2)
    assert result.status == 0, result.err
    (asked,) = engine.generations
    assert (asked["output"], asked["suffix"]) == (tmp_path / "sample.v2", ".tif")


def test_maps_alone_need_several_realisations(cli, engine, run, tmp_path) -> None:
    output = tmp_path / "all"
    result = cli("generate", run, "--output", output, "--realisations", 2, "--maps-only")
    assert result.status == 0
    assert not engine.generations[0]["keep_volumes"]
    assert cli("generate", run, "--output", output, "--maps-only").status == 2


def test_a_file_where_realisations_should_go_is_refused(cli, engine, run, tmp_path) -> None:
    (tmp_path / "all").touch()
    result = cli("generate", run, "--output", tmp_path / "all.tif", "--realisations", 2)
    assert result.status == 2
    assert "is a file" in result.err


def test_workers_are_counted_or_found_by_a_scheduler(cli, engine, run) -> None:
    assert cli("generate", run, "--workers", 2).status == 0
    assert cli("generate", run, "--scheduler", "tcp://host:8786").status == 0
    assert [asked["workers"] for asked in engine.generations] == [
        (2, None),
        (0, "tcp://host:8786"),
    ]


def test_an_axis_that_is_none_is_wrong_input(cli, engine, run) -> None:
    result = cli("generate", run, "--periodic", "depth")
    assert result.status == 2
    assert "--periodic z,x" in result.err


def test_another_low_res_volume_is_read_with_the_runs_phases(cli, engine, run, pair) -> None:
    assert cli("generate", run, "--low-res", pair.low_res).status == 0
    assert engine.generations[0]["low_res"].shape == (12, 12, 12)


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
def test_an_interrupted_generation_ends_with_130_and_says_how_to_go_on(cli, engine, run) -> None:
    engine.during = lambda: os.kill(os.getpid(), signal.SIGINT)
    result = cli("generate", run)
    assert result.status == 130
    assert "the same command goes on with it" in result.out
    assert len(engine.generations) == 1


def test_a_region_that_is_none_is_wrong_input(cli, engine, run) -> None:
    result = cli("generate", run, "--region", "everything")
    assert result.status == 2
    assert "0:16,8:24,0:32" in result.err
