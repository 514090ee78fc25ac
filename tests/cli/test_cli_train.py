from __future__ import annotations

import os
import signal
from fractions import Fraction
from pathlib import Path

import pytest
import tifffile

from napari_superres.command_line import as_line
from napari_superres.config import PRESETS, Budget, ImagingModel, Preset
from napari_superres.data.files.segmented import read_volume
from napari_superres.data.files.tiff import write_labels_tiff

MAP = ["--phase-map", "0:0,1:1,2:0"]
SMALL = ["--set", "crop=16"]


def test_every_option_reaches_the_engine(cli, pair, engine, tmp_path) -> None:
    result = cli(
        *["train", *pair.options, *MAP, *SMALL, "--run", tmp_path / "run"],
        *["--scale-factor", "4", "--imaging", "sampled", "--one-sided", "1"],
        *["--seed", "7", "--minutes", "2", "--device", "cpu", "--set", "batch=1"],
    )
    assert result.status == 0, result.err
    (asked,) = engine.training
    settings = asked["settings"]
    assert settings.scale_factor == (Fraction(4),) * 3
    assert settings.phase_map == {0: 0, 1: 1, 2: 0}
    assert settings.imaging is ImagingModel.SAMPLED
    assert settings.one_sided == (1,)
    assert (settings.seed, settings.device) == (7, "cpu")
    assert settings.engine == PRESETS[Preset.QUICK].replace(crop=16, batch=1)
    assert asked["budget"] == Budget(minutes=2)
    assert asked["run"] == tmp_path / "run"


def test_the_scale_factor_comes_from_the_voxel_sizes(cli, pair, engine) -> None:
    assert cli("train", *pair.options, *MAP, *SMALL, "--steps", 1).status == 0
    assert engine.training[0]["settings"].scale_factor == (Fraction(4),) * 3


def test_without_voxel_sizes_a_line_asks_for_the_scale_factor(cli, pair, engine) -> None:
    write_labels_tiff(pair.low_res, read_volume(pair.low_res).values, voxel_size=None)
    result = cli("train", *pair.options, *MAP)
    assert result.status == 2
    assert "Write for example --scale-factor 4" in result.err


def test_a_voxel_size_can_be_given_where_the_file_has_none(cli, pair, engine) -> None:
    write_labels_tiff(pair.low_res, read_volume(pair.low_res).values, voxel_size=None)
    result = cli("train", *pair.options, *MAP, *SMALL, "--voxel-size", "0.4", "--steps", 1)
    assert result.status == 0, result.err
    assert engine.training[0]["pair"].low_res.voxel_size == (0.4, 0.4, 0.4)


def test_a_volume_without_a_voxel_size_gets_the_one_that_the_slices_imply(
    cli, pair, engine
) -> None:
    write_labels_tiff(pair.low_res, read_volume(pair.low_res).values, voxel_size=None)
    result = cli("train", *pair.options, *MAP, *SMALL, "--scale-factor", 4, "--steps", 1)
    assert result.status == 0, result.err
    assert engine.training[0]["pair"].low_res.voxel_size == pytest.approx((0.4, 0.4, 0.4))


def test_without_a_phase_map_equal_values_belong_together(cli, pair, engine) -> None:
    slices = tifffile.imread(pair.high_res)[None] % 2
    write_labels_tiff(pair.high_res, slices, voxel_size=(0.1, 0.1, 0.1))
    assert cli("train", *pair.options, *SMALL, "--steps", 1).status == 0
    assert engine.training[0]["settings"].phase_map == {0: 0, 1: 1}


def test_where_values_differ_a_line_tells_the_phase_map_to_write(cli, pair, engine) -> None:
    result = cli("train", *pair.options, *SMALL)
    assert result.status == 2
    assert "Write for example --phase-map 0:0,1:1,2:0." in result.err
    assert engine.training == []


def test_a_run_folder_is_named_when_none_is_given(cli, pair, engine, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("superres-run").mkdir()
    assert cli("train", *pair.options, *MAP, *SMALL, "--steps", 1).status == 0
    assert engine.training[0]["run"] == Path("superres-run-2")


def test_what_goes_in_and_what_is_measured_is_printed(cli, pair, engine, tmp_path) -> None:
    result = cli("train", *pair.options, *MAP, *SMALL, "--run", tmp_path / "run")
    assert "low-res   low: 12 × 12 × 12 voxels, values (0, 1)" in result.out
    assert "high-res  high: 1 of 64 × 64 pixels, values (0, 1, 2)" in result.out
    assert "training until Ctrl-C" in result.out
    assert result.out.count("warning: few slices") == 1
    assert "volume fractions off by 0.100" in result.out
    assert f"napari-superres generate {tmp_path / 'run'}" in result.out


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_training_says_where_it_is_and_ends_with_130(
    cli, pair, engine, tmp_path, sent
) -> None:
    engine.during = lambda: os.kill(os.getpid(), sent)
    run = tmp_path / "my first run"
    result = cli("train", *pair.options, *MAP, *SMALL, "--run", run)
    assert result.status == 130
    assert "Stopped and kept at step 2" in result.out
    assert f"napari-superres {as_line(['resume', str(run)])}\n" in result.out


def test_resume_takes_a_new_budget(cli, engine, tmp_path) -> None:
    assert cli("resume", tmp_path, "--steps", 50).status == 0
    (asked,) = engine.training
    assert asked == {"run": tmp_path, "budget": Budget(steps=50), "changes": {}, "device": None}


def test_resume_takes_safe_changes_and_another_device(cli, engine, tmp_path) -> None:
    cli("resume", tmp_path, "--steps", 50, "--set", "batch=1", "--device", "cpu")
    assert engine.training[0]["changes"] == {"batch": 1}
    assert engine.training[0]["device"] == "cpu"


def test_symmetries_and_a_warm_start_reach_the_engine(cli, pair, engine, tmp_path) -> None:
    more = ["--rotations", "none", "--mirrors", "yx", "--warm-start", tmp_path / "other"]
    assert cli("train", *pair.options, *MAP, *SMALL, "--steps", 1, *more).status == 0
    settings = engine.training[0]["settings"]
    assert (settings.rotations, settings.mirrors) == ("none", "yx")
    assert settings.warm_start == str(tmp_path / "other")


def test_axes_that_do_not_exist_are_refused(cli, pair, engine) -> None:
    result = cli("train", *pair.options, *MAP, *SMALL, "--rotations", "w")
    assert result.status == 2
    assert "rotations" in result.err
