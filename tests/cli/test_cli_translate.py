from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from napari_superres.runs.run import Run

SMALL = ["channels=8", "residual_blocks=1", "discriminator_channels=4", "patch=8", "batch=2"]
TINY = [part for dial in SMALL for part in ("--set", dial)]


def write(file: Path, shape: tuple[int, ...]) -> Path:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    tifffile.imwrite(file, image, photometric="minisblack")
    return file


def test_from_images_of_both_domains_to_a_translated_volume(cli, tmp_path) -> None:
    low, high = write(tmp_path / "low.tif", (5, 16, 18)), write(tmp_path / "high.tif", (40, 40))
    run, out = tmp_path / "run", tmp_path / "out.tif"
    domains = ["--low-res-images", low, "--high-res-images", high, "--scale-factor", 2]
    options = [*TINY, "--steps", 1, "--device", "cpu", "--run", run]
    trained = cli("translate", "train", *domains, *options)
    assert trained.status == 0, trained.err
    other = ["--device", "cpu", "--set", "batch=1"]
    assert cli("translate", "resume", run, "--steps", 2, *other).status == 0
    assert Run.open(run).settings["engine"]["batch"] == 1
    assert "cuda:99 is not there" in cli("resume", run, "--steps", 3, "--device", "cuda:99").err
    fixed = cli("resume", run, "--steps", 3, "--set", "channels=16")
    assert "cannot be resumed with another channels" in fixed.err
    done = cli("translate", "apply", run, "--low-res", low, "--output", out, "--axis", "y")
    assert done.status == 0, done.err
    assert tifffile.imread(out).shape == (10, 16, 36)


def test_each_realisation_has_its_own_file(cli, tmp_path) -> None:
    low, high = write(tmp_path / "low.tif", (16, 18)), write(tmp_path / "high.tif", (40, 40))
    run = tmp_path / "run"
    domains = ["--low-res-images", low, "--high-res-images", high, "--scale-factor", 2]
    cli("translate", "train", *domains, *TINY, "--steps", 1, "--device", "cpu", "--run", run)
    target = ["--output", tmp_path / "out.tif", "--realisations", 2]
    assert cli("translate", "apply", run, "--low-res", low, *target).status == 0
    assert (tmp_path / "out-1.tif").exists()
    assert (tmp_path / "out-2.tif").exists()


def test_an_impossible_scale_factor_is_told_in_a_line(cli, tmp_path) -> None:
    low = write(tmp_path / "low.tif", (16, 18))
    domains = ["--low-res-images", low, "--high-res-images", low, "--scale-factor", 3]
    result = cli("translate", "train", *domains)
    assert result.status == 2
    assert "1, 2, 4, 8, 16" in result.err
