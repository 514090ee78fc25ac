"""The real engine, on a pair so small that a step takes a moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.data.files.segmented import read_volume

DIALS = (
    *("crop=16", "batch=1", "slices_per_axis=2", "channels=8", "discriminator_channels=[8,8,8]"),
    *("measure_every=1", "preview_seconds=0", "precision=float32"),
)
SMALL = [word for dial in DIALS for word in ("--set", dial)]
MAP = ["--phase-map", "0:0,1:1,2:0", "--device", "cpu"]


@pytest.fixture
def run(cli, pair, tmp_path) -> Path:
    """Return the run folder of two steps."""
    folder = tmp_path / "run"
    result = cli("train", *pair.options, *MAP, *SMALL, "--steps", 2, "--run", folder)
    assert result.status == 0, result.err
    assert "Done at step 2" in result.out
    return folder


def test_a_pair_becomes_a_volume_and_its_numbers(cli, run, tmp_path) -> None:
    volume, numbers = tmp_path / "volume.tif", tmp_path / "numbers.json"
    result = cli("generate", run, "--output", volume, "--device", "cpu")
    assert result.status == 0, result.err
    array = tifffile.imread(volume)
    assert array.shape == (48, 48, 48)
    assert array.dtype == np.uint8
    assert set(np.unique(array)) <= {0, 1, 2}
    assert read_volume(volume).voxel_size == pytest.approx((0.1, 0.1, 0.1))
    result = cli("measure", volume, "--run", run, "--json", numbers)
    assert result.status == 0, result.err
    assert 0 <= json.loads(numbers.read_text())["low_res_mismatch"] <= 1


def test_a_cropped_volume_is_measured_where_it_lies(cli, run, tmp_path) -> None:
    volume = tmp_path / "volume.tif"
    assert cli("generate", run, "--output", volume, "--crop-border").status == 0
    assert read_volume(volume).shape == (40, 40, 40)
    result = cli("measure", volume, "--run", run)
    assert result.status == 0, result.err


def test_realisations_differ_and_a_seed_repeats(cli, run, tmp_path) -> None:
    for name in ("a", "b"):
        output = tmp_path / f"{name}.tif"
        assert cli("generate", run, "--output", output, "--realisations", 2).status == 0
    first, second, again = (
        tifffile.imread(tmp_path / name)
        for name in ("a/seed-0.tif", "a/seed-1.tif", "b/seed-0.tif")
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_a_run_goes_on_from_where_it_was(cli, run) -> None:
    result = cli("resume", run, "--steps", 4)
    assert result.status == 0, result.err
    assert "Resuming at step 2" in result.out
    assert "Done at step 4" in result.out


def test_a_run_of_another_version_is_one_line(cli, run) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"format_version": 999}))
    for command in ("resume", "generate"):
        result = cli(command, run)
        assert result.status == 2
        assert "999" in result.err
        assert result.err.count("\n") == 1


def test_a_run_folder_is_not_trained_over(cli, pair, run) -> None:
    result = cli("train", *pair.options, *MAP, *SMALL, "--steps", 2, "--run", run)
    assert result.status == 2
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("name", ["no/such/folder/volume.tif", "volume.bmp"])
def test_an_output_that_cannot_be_written_is_one_line(cli, run, tmp_path, name: str) -> None:
    result = cli("generate", run, "--output", tmp_path / name)
    assert result.status == 2, result
    assert result.err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_ctrl_c_keeps_what_was_learnt(cli, pair, tmp_path) -> None:
    folder = tmp_path / "run"
    command = ["train", *map(str, pair.options), *MAP, *SMALL, "--run", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "napari_superres", *command],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("step"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 130
    assert "Stopped and kept at step" in rest
    assert list((folder / "checkpoints").iterdir())
    assert cli("generate", folder, "--output", tmp_path / "volume.tif").status == 0


def test_checkpoints_are_listed_and_any_can_be_generated_from(cli, run, tmp_path) -> None:
    result = cli("checkpoints", run)
    assert result.status == 0, result.err
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == ["1", "2"]
    assert "last" in result.out.splitlines()[2]
    assert str(run / "checkpoints" / "step-0000001" / "thumbnail.png") in result.out
    for step in (1, 2):
        output = tmp_path / f"{step}.tif"
        assert cli("generate", run, "--checkpoint", step, "--output", output).status == 0
    result = cli("generate", run, "--checkpoint", 7, "--output", tmp_path / "7.tif")
    assert result.status == 2
    assert "the steps 1, 2" in result.err


def test_a_run_warm_starts_another(cli, pair, run, tmp_path) -> None:
    warm = ["--warm-start", run, "--steps", 2, "--run", tmp_path / "warm"]
    result = cli("train", *pair.options, *MAP, *SMALL, *warm)
    assert result.status == 0, result.err
    result = cli("train", *pair.options, *MAP, *SMALL, "--warm-start", tmp_path, "--steps", 2)
    assert result.status == 2
    assert "no run folder" in result.err
