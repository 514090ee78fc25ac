from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.cli.app import repeat_options
from napari_superres.data.files.images import ImageSet
from napari_superres.runs.run import Run
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings

DIALS = ["base_channels=64", "max_channels=8", "latent=8", "batch=4", "measured_images=4"]
TINY = [part for dial in DIALS for part in ("--set", dial)]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    coarse = np.random.default_rng(0).integers(0, 3, (12, 16))
    tifffile.imwrite(tmp_path / "real.tif", np.kron(coarse, np.ones((4, 4))).astype(np.uint8))
    return tmp_path / "real.tif"


def test_from_images_to_samples_an_interpolation_and_a_report(cli, image, tmp_path) -> None:
    run = tmp_path / "run"
    options = ["--size", 16, "--stride", 4, "--held-out", 0.25, "--device", "cpu", *TINY]
    trained = cli("synthesise", "train", "--images", image, *options, "--steps", 2, "--run", run)
    assert trained.status == 0, trained.err
    assert "stride 4 (75% overlap)" in trained.out
    resumed = cli("synthesise", "resume", run, "--steps", 3, "--device", "cpu", "--set", "batch=8")
    assert resumed.status == 0, resumed.err
    assert "step 4" in cli("resume", run, "--steps", 4).out
    assert Run.open(run).settings["engine"]["batch"] == 8
    sampled = cli("synthesise", "sample", run, "--count", 3, "--output", tmp_path / "s.tif")
    assert sampled.status == 0, sampled.err
    assert tifffile.imread(tmp_path / "s.tif").shape == (3, 16, 16)
    ends = ["--from", 1, "--to", 2, "--frames", 4, "--output", tmp_path / "way.tif"]
    assert cli("synthesise", "interpolate", run, *ends).status == 0
    files = ["--output", tmp_path / "r.html", "--json", tmp_path / "r.json", "--count", 4]
    assert cli("synthesise", "report", run, *files).status == 0
    step = json.loads((tmp_path / "r.json").read_text())["step"]
    assert (run / "checkpoints" / f"step-{step:07d}").is_dir()
    listed = cli("checkpoints", run)
    assert listed.status == 0, listed.err
    assert "surface" in listed.out
    assert str(run / "checkpoints" / f"step-{step:07d}" / "thumbnail.png") in listed.out


@pytest.mark.parametrize("command", [("resume",), ("synthesise", "resume")])
def test_resume_refuses_what_a_run_of_images_cannot_take(cli, tmp_path, command) -> None:
    images = ImageSet((np.zeros((20, 20), np.uint8),), (), None)
    Run.create(tmp_path / "run", SYNTHESIS, SynthesisSettings(size=16), {"real": images})
    call = [*command, tmp_path / "run", "--steps", 1]
    fixed = cli(*call, "--set", "latent=8")
    assert (fixed.status, "cannot be resumed with another latent" in fixed.err) == (2, True)
    assert "cuda:99 is not there" in cli(*call, "--device", "cuda:99").err
    assert "batch" in cli(*call, "--set", "batch=many").err


def test_stride_and_overlap_together_are_told_in_a_line(cli, image) -> None:
    options = ["--images", image, "--stride", 8, "--overlap", 0.5]
    result = cli("synthesise", "train", *options)
    assert result.status == 2
    assert "one of them" in result.err
    assert "Traceback" not in result.err


def test_an_unknown_dial_is_told_with_the_names_there_are(cli, image) -> None:
    result = cli("synthesise", "train", "--images", image, "--set", "wings=2")
    assert result.status == 2
    assert "augmentation_target" in result.err


def test_a_folder_that_is_no_run_is_told(cli, tmp_path) -> None:
    result = cli("synthesise", "sample", tmp_path, "--output", tmp_path / "a.tif")
    assert result.status == 2
    assert "no run folder" in result.err


def test_several_images_may_follow_the_option() -> None:
    assert repeat_options(["--images", "a", "b"]) == ["--images", "a", "--images", "b"]
